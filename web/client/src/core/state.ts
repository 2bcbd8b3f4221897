import { lean, type EntryBody, type PublicationBody, type StateBody } from "../message.js";
import type { StateChanged } from "./output.js";

/** The state of one channel as the client holds it (POS-7, SUB-8): a snapshot and all changes after it. */
export class State {
  readonly values = new Map<string, unknown>();
  /** The versions of the keys, also of removed ones while pages are on their way, so that no older page brings them back. */
  readonly versions = new Map<string, number>();
  /** Nothing is missing: a `recovered` answer needs no snapshot. */
  isComplete = false;
  #asOf = 0;

  /** Everything held is void: of another life of the log, or from before a loss. */
  clear(asOf = 0): void {
    this.values.clear();
    this.versions.clear();
    this.#asOf = asOf;
    this.isComplete = false;
  }

  /** Takes a snapshot or one page of it; what is already newer stays. Returns the entries that were taken. */
  merge({ entries = [], more }: StateBody): EntryBody[] {
    const taken = entries.filter(({ key = "", value, version = 0 }) => this.#put(key, version, () => this.values.set(key, value)));
    if (!more) {
      this.isComplete = true;
      for (const key of this.versions.keys()) if (!this.values.has(key)) this.versions.delete(key);
    }
    return taken;
  }

  /** Whether a change is news; those up to the snapshot are in it. */
  apply({ state = {}, offset = 0 }: PublicationBody): boolean {
    const { key = "", value, removed } = state;
    if (offset <= this.#asOf) return false;
    if (!removed) return this.#put(key, offset, () => this.values.set(key, value));
    return this.#put(key, offset, () => {
      this.values.delete(key);
      if (this.isComplete) this.versions.delete(key);
    });
  }

  #put(key: string, version: number, change: () => void): boolean {
    if (version <= (this.versions.get(key) ?? 0)) return false;
    this.versions.set(key, version);
    change();
    return true;
  }
}

/** The change that a publication is, for the application. */
export function stateChange(publication: PublicationBody, replayed: boolean): StateChanged {
  const { channel, offset = 0, from, time_ms, state } = publication;
  const { key = "", value, removed } = state ?? {};
  return lean({
    channel, set: removed ? undefined : [{ key, value, version: offset }], removed: removed ? [key] : undefined, from, time_ms, replayed,
  });
}
