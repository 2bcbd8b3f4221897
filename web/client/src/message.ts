/**
 * The messages of the protocol as the client holds them: as in the JSON framing (spec/PROTOCOL.md), but payloads are
 * values and bytes are Uint8Array, and a member that has its default is absent (MSG-7).
 */

/** A payload on its way out: serialised once, when the application gave it, so that later changes do not reach it. */
export class Json {
  readonly text: string;

  constructor(value: unknown) {
    const text = JSON.stringify(value) as string | undefined;
    if (text === undefined) throw new TypeError("bellwire: this value has no JSON form");
    this.text = text;
  }
}

/** What the application sends: JSON or bytes. */
export type Outgoing = Json | Uint8Array;

/** Serialises now, so that a mistake is thrown at who made it and later changes of the value do no harm. */
export function outgoing(data: unknown): Outgoing {
  return data instanceof Uint8Array ? data.slice() : new Json(data);
}

/** MSG-7: absent and default are the same. Leaves out the members that are undefined, 0, false or empty text. */
export function lean<T extends object>(members: { [K in keyof T]?: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value)) as T;
}

/** A place in the log of a channel (POS-1): positions compare only within one epoch. */
export interface Position {
  readonly epoch: string;
  readonly offset: number;
}

/** How much of a channel's presence a subscription receives (SUB-11). */
export type PresenceMode = "none" | "count" | "members";

export interface SubscribeItem {
  channel: string;
  since?: Position;
  rewind?: number;
  state?: boolean;
  presence?: PresenceMode;
  enter?: Json;
  token?: string;
}

/** The operations of `update` (STA-2). */
export type UpdateOp = "set" | "remove" | "increment" | "set_if" | "set_greater";

/** The commands that an application gives, and those that the client gives by itself. */
export interface Commands {
  connect: { token?: string; client?: string; subscribe?: SubscribeItem[] };
  subscribe: { channels: SubscribeItem[] };
  unsubscribe: { channels: string[] };
  publish: { channel: string; data: Outgoing; id?: string; echo?: boolean };
  history: { channel: string; since?: Position; limit?: number; reverse?: boolean };
  state: { channel: string; key?: string; after?: string; limit?: number };
  update: { channel: string; op: UpdateOp; key: string; value?: Outgoing; by?: number; version?: number; id?: string };
  presence: { channel: string; count_only?: boolean; after?: string; limit?: number };
  enter: { channel: string; data?: Outgoing };
  leave: { channel: string };
  call: { method: string; data?: Outgoing };
  refresh: { token: string; channel?: string };
  ping: object;
}

export type CommandName = keyof Commands;

/** One member named like the command. */
export type Command = Partial<Commands>;

export type ClientMessage = Command & { id?: number };

export interface ErrorBody {
  code: number;
  name?: string;
  message?: string;
  command?: string;
}

export interface ReconnectBody {
  window_ms?: number;
}

export interface ConnectedBody {
  connection?: string;
  user?: string;
  server?: string;
  node?: string;
  ping_ms?: number;
  pong_ms?: number;
  expires_ms?: number;
  reconnect?: ReconnectBody;
  time_ms?: number;
  message_bytes?: number;
}

export interface PublishedBody {
  epoch?: string;
  offset?: number;
  duplicate?: boolean;
}

export interface MissedBody {
  from?: number;
  to?: number;
}

export interface PublisherBody {
  user?: string;
  connection?: string;
}

export interface StateChangeBody {
  key?: string;
  value?: unknown;
  removed?: boolean;
}

export interface PublicationBody {
  channel?: string;
  offset?: number;
  prev?: number;
  data?: unknown;
  id?: string;
  time_ms?: number;
  from?: PublisherBody;
  state?: StateChangeBody;
  skipped?: boolean;
  /** For the patterns that match, not for the subscription to the channel (SUB-10). */
  pattern?: boolean;
}

export interface HistoryBody {
  epoch?: string;
  top?: number;
  publications?: PublicationBody[];
  more?: boolean;
  missed?: MissedBody;
}

export interface EntryBody {
  key?: string;
  value?: unknown;
  version?: number;
}

export interface StateBody {
  epoch?: string;
  as_of?: number;
  entries?: EntryBody[];
  more?: boolean;
}

export interface UpdatedBody {
  applied?: boolean;
  value?: unknown;
  version?: number;
  epoch?: string;
  offset?: number;
  duplicate?: boolean;
}

export interface MemberConnectionBody {
  connection?: string;
  data?: unknown;
}

export interface MemberBody {
  user?: string;
  info?: unknown;
  connections?: MemberConnectionBody[];
}

export interface PresenceBody {
  version?: number;
  count?: number;
  members?: MemberBody[];
  more?: boolean;
}

export interface SubscribedBody {
  channel?: string;
  epoch?: string;
  offset?: number;
  top?: number;
  recovered?: boolean;
  missed?: MissedBody;
  state?: StateBody;
  presence?: PresenceBody;
  expires_ms?: number;
  error?: ErrorBody;
}

export interface PresenceChangeBody {
  channel?: string;
  version?: number;
  count?: number;
  set?: MemberBody[];
  left?: string[];
}

export interface UnsubscribedBody {
  channel?: string;
  code?: number;
  reason?: string;
}

export interface DisconnectBody {
  code?: number;
  reason?: string;
  reconnect?: ReconnectBody;
}

/** The bodies of replies, by the name of their command. */
export interface Replies {
  connect: ConnectedBody;
  subscribe: object;
  unsubscribe: object;
  publish: PublishedBody;
  history: HistoryBody;
  state: StateBody;
  update: UpdatedBody;
  presence: PresenceBody;
  enter: object;
  leave: object;
  call: { data?: unknown };
  refresh: { expires_ms?: number };
  ping: { time_ms?: number };
}

export interface Pushes {
  subscribed: SubscribedBody;
  publication: PublicationBody;
  /** A change without an id; a page (Replies) with one. */
  presence: PresenceChangeBody & PresenceBody;
  unsubscribed: UnsubscribedBody;
  notice: { reconnect?: ReconnectBody };
  disconnect: DisconnectBody;
  error: ErrorBody;
}

export type ServerMessage = Partial<Omit<Replies, "presence"> & Pushes> & { id?: number };
