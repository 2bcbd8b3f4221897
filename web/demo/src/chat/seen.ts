// Who has seen how much of the chat. In the channel's state each user has one key, the offset up to which they have read.

import { isMessage, type Row } from "./log.js";

export class Seen {
  readonly #offsets = new Map<string, number>();

  set(user: string, offset: number): void {
    this.#offsets.set(user, offset);
  }

  remove(user: string): void {
    this.#offsets.delete(user);
  }

  clear(): void {
    this.#offsets.clear();
  }

  of(user: string): number {
    return this.#offsets.get(user) ?? 0;
  }

  /**
   * The users whose reading ends at each row, by the row's key. Whoever wrote a row has seen it, so they are not named
   * beside it; an offset beyond the top belongs to another life of the log and says nothing.
   */
  marks(rows: readonly Row[], self: string, top: number): Map<string, string[]> {
    const messages = rows.filter(isMessage).filter((message) => message.offset > 0 && !message.gone);
    const marks = new Map<string, string[]>();
    for (const [user, offset] of this.#offsets) {
      if (user === self || offset > top) continue;
      const last = messages.filter((message) => message.offset <= offset).at(-1);
      if (last === undefined || last.user === user) continue;
      marks.set(last.key, [...(marks.get(last.key) ?? []), user]);
    }
    return marks;
  }
}
