import { lean, type PublicationBody, type Position } from "./message.js";

/** Who published; absent when the application's backend did (POS-8). */
export interface Publisher {
  readonly user?: string;
  readonly connection?: string;
}

/** One thing that happened in a channel. */
export interface Publication<Data = unknown> {
  readonly channel: string;
  /** What was published: any JSON value, or a Uint8Array where bytes were published. */
  readonly data: Data;
  /** Where it stands in the channel's log; absent on a channel without log, and for patterns. To be kept by who wants to resume after it. */
  readonly position?: Position;
  /** The offset of the position. */
  readonly offset?: number;
  /** The idempotency id it was published with. */
  readonly id?: string;
  /** The server's clock when it was published, in milliseconds since 1970. */
  readonly timeMs?: number;
  readonly from?: Publisher;
  /** Only for patterns, where state changes come as publications too: then `data` is undefined. */
  readonly state?: { readonly key?: string; readonly value?: unknown; readonly removed?: boolean };
  /** It was in the log already when the subscription was answered: history, or what was missed while away. */
  readonly replayed: boolean;
}

export function publicationOf<Data>(body: PublicationBody, epoch: string | undefined, replayed: boolean): Publication<Data> {
  const { channel = "", data, offset, id, time_ms: timeMs, from, state } = body;
  const position = epoch && offset ? { epoch, offset } : undefined;
  return { channel, data: data as Data, replayed, ...lean<Partial<Publication<Data>>>({ position, offset, id, timeMs, from, state }) };
}
