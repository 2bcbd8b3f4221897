import type { EntryBody, PublicationBody, StateBody } from "../message.js";
import type { StateChanged } from "./output.js";

export interface Held {
  readonly value: unknown;
  readonly version: number;
}

/** The state of one channel as the client holds it (POS-7, SUB-8): a snapshot and all changes after it. */
export class State {
  readonly entries = new Map<string, Held>();
  /** Nothing is missing: a `recovered` answer needs no snapshot. */
  isComplete = false;
  #asOf = 0;
  /** While pages are on their way: the versions at which keys were removed, so that no older page brings them back. */
  readonly #removedAt = new Map<string, number>();

  /** How many keys are remembered. */
  get size(): number {
    return this.entries.size + this.#removedAt.size;
  }

  /** Everything held is void: of another life of the log, or from before a loss. */
  clear(asOf = 0): void {
    this.entries.clear();
    this.#removedAt.clear();
    this.#asOf = asOf;
    this.isComplete = false;
  }

  /** Takes a snapshot or one page of it; what is already newer stays. Returns the entries that were taken. */
  merge(page: StateBody): EntryBody[] {
    const taken = (page.entries ?? []).filter((entry) => entry.key !== undefined && this.#put(entry.key, entry.value, entry.version ?? 0));
    if (!page.more) {
      this.isComplete = true;
      this.#removedAt.clear();
    }
    return taken;
  }

  /** Whether a change is news; those up to the snapshot are in it. */
  apply(publication: PublicationBody): boolean {
    const { key, value, removed } = publication.state ?? {};
    const version = publication.offset ?? 0;
    if (key === undefined || version <= this.#asOf) return false;
    if (!removed) return this.#put(key, value, version);
    if ((this.entries.get(key)?.version ?? 0) >= version) return false;
    this.entries.delete(key);
    if (!this.isComplete) this.#removedAt.set(key, version);
    return true;
  }

  #put(key: string, value: unknown, version: number): boolean {
    if (version <= Math.max(this.entries.get(key)?.version ?? 0, this.#removedAt.get(key) ?? 0)) return false;
    this.entries.set(key, { value, version });
    return true;
  }
}

/** The change that a publication is, for the application. */
export function stateChange(publication: PublicationBody, replayed: boolean): StateChanged {
  const { key = "", value, removed } = publication.state ?? {};
  return {
    channel: publication.channel ?? "",
    ...(removed ? { removed: [key] } : { set: [{ key, value, version: publication.offset ?? 0 }] }),
    ...(publication.from && { from: publication.from }),
    ...(publication.time_ms && { time_ms: publication.time_ms }),
    ...(replayed && { replayed }),
  };
}
