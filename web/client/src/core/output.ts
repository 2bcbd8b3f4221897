import type {
  ClientMessage, Command, ConnectedBody, EntryBody, ErrorBody, MemberBody, PublicationBody, PublisherBody,
} from "../message.js";

/** What the connection is doing (PROTOCOL.md section 11). */
export type ConnectionState = "idle" | "connecting" | "connected" | "waiting" | "closed";

/** What a subscription is doing (PROTOCOL.md section 11). */
export type SubscriptionState = "unsubscribed" | "subscribing" | "subscribed" | "ended";

/** Why something came to an end: from the server or the socket with a code, or by the client's own decision without one. */
export interface Cause {
  code?: number;
  reason?: string;
}

export interface StateOutput extends Cause {
  state: ConnectionState;
  session?: ConnectedBody;
  retry_at_ms?: number;
}

export interface StateChanged {
  channel: string;
  set?: EntryBody[];
  removed?: string[];
  /** All that was held is replaced. */
  reset?: boolean;
  from?: PublisherBody;
  time_ms?: number;
  replayed?: boolean;
}

export interface PresenceChanged {
  channel: string;
  version?: number;
  count?: number;
  set?: MemberBody[];
  left?: string[];
  /** All that was held is replaced. */
  reset?: boolean;
}

/** What the core asks of its owner, and tells it: spec/vectors/README.md. */
export interface Outputs {
  open: { line: number; url: string };
  send: { line: number; message: ClientMessage };
  close: { line: number; code: number };
  fetch_token: object;
  fetch_subscription_token: { channel: string };
  state: StateOutput;
  subscribed: { channel: string; epoch?: string; offset?: number; top?: number; recovered?: boolean };
  missed: { channel: string; from?: number; to?: number };
  unsubscribed: { channel: string; code: number; reason: string; retry_at_ms?: number };
  publication: { subscription: string; publication: PublicationBody; replayed?: boolean };
  state_changed: StateChanged;
  presence: PresenceChanged;
  reply: { request: number; result: object };
  failed: { request: number; error: ErrorBody };
  error: ErrorBody;
  notice: { window_ms: number };
  round_trip: { ms: number };
}

export type OutputName = keyof Outputs;

/** One output: an object with one member. */
export type Output = { [N in OutputName]: { [M in N]: Outputs[N] } }[OutputName];

/** Takes what a part of the core puts out. */
export type Emit = <N extends OutputName>(name: N, value: Outputs[N]) => void;

/** The command's name and body; a command has one member. */
export function nameOf(command: Command): keyof Command {
  return Object.keys(command)[0] as keyof Command;
}
