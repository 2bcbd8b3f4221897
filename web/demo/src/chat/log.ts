// What the chat shows, as values: messages in the order of the log, what is still on its way, and dividers between them.
// No DOM and no clock here.

export type Delivery = "pending" | "sent" | "failed";

export interface Message {
  /** Stands for this message on this page as long as it is shown, also while a pending one becomes a sent one. */
  readonly key: string;
  /** The publication's id, empty when it has none. */
  readonly id: string;
  readonly user: string;
  readonly text: string;
  readonly own: boolean;
  /** When it was published; until then when it was written. */
  timeMs: number;
  /** Its place in the log; 0 until it is there. */
  offset: number;
  delivery: Delivery;
  /** The server does not hold it any more: it was before a restart. */
  gone: boolean;
}

export interface Marker {
  readonly key: string;
  readonly divider: "new" | "restart" | "missed";
  readonly text: string;
}

export type Row = Message | Marker;

export interface Received {
  id: string;
  user: string;
  text: string;
  timeMs: number;
  offset: number;
  own: boolean;
}

export function isMessage(row: Row): row is Message {
  return !("divider" in row);
}

const messagesMax = 400;
const followMs = 4 * 60_000;

/** Whether a message stands directly below one of the same person and need not say again who it is from. */
export function follows(message: Message, before: Row | undefined): boolean {
  return before !== undefined && isMessage(before) && before.user === message.user && before.gone === message.gone &&
    message.timeMs - before.timeMs < followMs;
}

export class ChatLog {
  /** In the order of the log; markers between. */
  #confirmed: Row[] = [];
  /** In the order written. */
  #pending: Message[] = [];
  #keys = 0;
  /** The offset after which others' messages are new to the person; null when there is nothing to mark. */
  #unreadAfter: number | null = null;

  /** The newest offset of the present log that is shown. */
  get top(): number {
    for (let index = this.#confirmed.length - 1; index >= 0; index--) {
      const row = this.#confirmed[index];
      if (row !== undefined && isMessage(row)) return row.gone ? 0 : row.offset;
    }
    return 0;
  }

  /** Takes a publication of the log; the own one that was pending becomes it, and keeps its key. */
  receive(received: Received): void {
    const index = received.own && received.id !== "" ? this.#pending.findIndex((message) => message.id === received.id) : -1;
    const waiting = index < 0 ? undefined : this.#pending.splice(index, 1)[0];
    if (waiting !== undefined) {
      waiting.offset = received.offset;
      waiting.timeMs = received.timeMs;
      waiting.delivery = "sent";
      this.#confirmed.push(waiting);
    } else {
      this.#confirmed.push({ key: this.#key(), ...received, delivery: "sent", gone: false });
    }
    const surplus = this.#confirmed.length - messagesMax;
    if (surplus > 0) this.#confirmed.splice(0, surplus);
  }

  /** A message of this page that is not yet in the log. What is unread above it has been read. */
  write(id: string, user: string, text: string, timeMs: number): void {
    this.#unreadAfter = null;
    this.#pending.push({ key: this.#key(), id, user, text, timeMs, offset: 0, own: true, delivery: "pending", gone: false });
  }

  /** A message that is not in the log yet. */
  find(id: string): Message | undefined {
    return this.#pending.find((message) => message.id === id);
  }

  fail(id: string): void {
    this.#setDelivery(id, "failed");
  }

  retry(id: string): void {
    this.#setDelivery(id, "pending");
  }

  /** A new life of the log has begun (another epoch): what is shown is not on the server any more. */
  restart(): void {
    let any = false;
    for (const row of this.#confirmed) {
      if (!isMessage(row) || row.gone) continue;
      row.gone = true;
      any = true;
    }
    this.#unreadAfter = null;
    if (any) this.#mark("restart", "The server was restarted and no longer holds what is above");
  }

  /** Entries of the log that nobody can give us any more. */
  miss(text: string): void {
    this.#mark("missed", text);
  }

  /** Messages of others after this offset are new; a mark that still stands is kept. */
  away(afterOffset: number): void {
    if (this.unread() === 0) this.#unreadAfter = afterOffset;
  }

  /** How many messages of others stand after the mark. */
  unread(): number {
    return this.#confirmed.filter((row) => this.#isUnread(row)).length;
  }

  rows(): Row[] {
    const first = this.#confirmed.findIndex((row) => this.#isUnread(row));
    if (first < 0) return [...this.#confirmed, ...this.#pending];
    const mark: Marker = { key: "new", divider: "new", text: "New" };
    return [...this.#confirmed.slice(0, first), mark, ...this.#confirmed.slice(first), ...this.#pending];
  }

  #isUnread(row: Row): boolean {
    return this.#unreadAfter !== null && isMessage(row) && !row.own && !row.gone && row.offset > this.#unreadAfter;
  }

  #setDelivery(id: string, delivery: Delivery): void {
    const message = this.find(id);
    if (message !== undefined) message.delivery = delivery;
  }

  #mark(divider: "restart" | "missed", text: string): void {
    this.#confirmed.push({ key: this.#key(), divider, text });
  }

  #key(): string {
    return String(++this.#keys);
  }
}
