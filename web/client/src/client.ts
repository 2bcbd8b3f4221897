import { Channel, handled, type ChannelHost, type ChannelOptions, type ChannelReceiver, type Published, type PublishOptions, type TokenSource } from "./channel.js";
import type { Codec } from "./codec/codec.js";
import { json } from "./codec/json.js";
import { disconnectCodes, errorCodes } from "./codes.js";
import { Core, type CoreOptions } from "./core/core.js";
import type { ConnectionState, OutputName, Outputs, StateOutput } from "./core/output.js";
import { Emitter, type Listener } from "./emitter.js";
import { BellwireError, errorOf } from "./error.js";
import { Inbox } from "./inbox.js";
import { lean, outgoing, type ClientMessage, type Command, type ConnectedBody, type Position, type ServerMessage } from "./message.js";
import { platform as realPlatform, type Platform } from "./platform.js";
import type { Line, Transport } from "./transport/transport.js";
import { webSocketTransport, type WebSocketConstructor } from "./transport/websocket.js";

/** The version of this package. */
export const version = "0.1.0";

/** A timer that comes later than this means that the page or the machine was asleep. */
const lateMs = 1_000;

/** All are optional. */
export interface BellwireOptions {
  /** A connection token, or what gives one: asked before connecting and again before it expires. Without it the connection is anonymous. */
  token?: string | TokenSource;
  /** Positions of an earlier page, from `positions()`: its channels resume there. */
  positions?: Readonly<Record<string, Position>>;
  /** How the messages look on the line. Default JSON; `protobuf` is in `@bellwire/client/protobuf`. */
  codec?: Codec;
  /** The WebSocket to use where there is none, or another one. */
  webSocket?: WebSocketConstructor;
  /** How long the first attempt to connect may take, in milliseconds. Default 10,000; later ones may take up to 30,000. */
  connectTimeoutMs?: number;
  /** How many commands may have no answer before further ones fail. Default 1,000. */
  commandsMax?: number;
  /** How many bytes of commands may have no answer before further ones fail. Default 1 MiB. */
  commandsBytesMax?: number;
  /**
   * Pace of commands: so many at once, and then one in each interval of milliseconds. Default 50 and 22, which stays
   * below what a server allows by default; a server that allows more can be given more.
   */
  commandBurst?: number;
  commandIntervalMs?: number;
  /** Clock, timers and events of the surroundings, for tests and unusual hosts. */
  platform?: Platform;
}

/** What the server told when the connection was made (CNT-2). */
export interface Session {
  readonly connection: string;
  readonly user: string;
  readonly server: string;
  readonly node: string;
  /** The server's clock then, in milliseconds since 1970. */
  readonly timeMs: number;
}

export interface StateEvent {
  readonly state: ConnectionState;
  /** With `connected`. */
  readonly session?: Session;
  /** With `waiting`: when the next attempt begins, as `Date.now()` counts. */
  readonly retryAtMs?: number;
  /** Why the line was lost or the client closed: a code of the server or of the socket, absent when the client decided. */
  readonly code?: number;
  /** In words; the client's own are `timeout`, `no_pong`, `offline`, `asleep` and `token`. */
  readonly reason?: string;
}

/** One message on the line, for who watches it. */
export interface LineEvent {
  readonly direction: "in" | "out";
  /** The number of the line: each attempt to connect has one of its own. */
  readonly line: number;
  /** The size of the message without the framing around it. */
  readonly bytes: number;
  /** As the schema names it, whatever the framing. To be read only. */
  readonly message: ClientMessage | ServerMessage;
}

export interface BellwireEvents {
  state: StateEvent;
  /** Something failed that nobody waits for: a listener threw, a token source failed, the server complained without an id. */
  error: unknown;
  /** The time a `ping` took. */
  roundTrip: { readonly ms: number };
  /** The server changed how long clients spread their return over (LIV-4). */
  notice: { readonly windowMs: number };
  line: LineEvent;
}

/** Counted since the client was made. */
export interface Traffic {
  bytesIn: number;
  bytesOut: number;
  messagesIn: number;
  messagesOut: number;
  /** Attempts to connect. */
  lines: number;
}

/** The methods of the core that take an input, and what each takes beside the time. */
type InputName = { [N in keyof Core]: Core[N] extends (...input: infer A) => void ? (A extends [...unknown[], now: number] ? N : never) : never }[keyof Core];
type Input<N extends InputName> = Parameters<Core[N]> extends [...infer A, now: number] ? A : never;

/**
 * One live line to a Bellwire server: connects, comes back by itself after every loss, and resumes all channels exactly
 * where they were.
 */
export class Bellwire {
  /** What went over the line so far. */
  readonly traffic: Readonly<Traffic> = { bytesIn: 0, bytesOut: 0, messagesIn: 0, messagesOut: 0, lines: 0 };
  readonly #core: Core;
  readonly #codec: Codec;
  readonly #transport: Transport;
  readonly #platform: Platform;
  readonly #token: string | TokenSource | undefined;
  readonly #positions: ReadonlyMap<string, Position>;
  readonly #events = new Emitter<BellwireEvents>((error) => this.#report(error));
  readonly #channels = new Map<string, { channel: Channel; receiver: ChannelReceiver }>();
  readonly #requests = new Map<number, { resolve(result: object): void; reject(error: unknown): void }>();
  readonly #inbox: Inbox;
  readonly #host: ChannelHost;
  #lastRequest = 0;
  #connecting: { resolve(session: Session): void; reject(error: unknown): void }[] = [];
  #session: Session | undefined;
  #retryAtMs: number | undefined;
  #roundTrip: number | undefined;
  #line: Line | undefined;
  #isDraining = false;
  #timer: { at: number; cancel: () => void } | undefined;
  #unwatch: (() => void) | undefined;

  /** `url` is where the server takes lines, such as `wss://example.org/ws`; in a page also relative. Several are tried in turn. */
  constructor(url: string | URL | readonly (string | URL)[], options: BellwireOptions = {}) {
    const isSource = typeof options.token === "function";
    const urls = (Array.isArray(url) ? url : [url]).map(lineUrl);
    if (urls.length === 0) throw new TypeError("bellwire: no URL");
    this.#platform = options.platform ?? realPlatform;
    this.#codec = options.codec ?? json;
    this.#transport = webSocketTransport(options.webSocket);
    this.#token = options.token;
    this.#positions = new Map(Object.entries(options.positions ?? {}));
    this.#core = new Core(
      {
        ...lean<CoreOptions>({ ...options, token: isSource ? undefined : (options.token as string) }),
        urls,
        client: `bellwire-js/${version}`,
        tokenSource: isSource,
      },
      () => this.#platform.random(),
    );
    this.#inbox = new Inbox(this.#platform, {
      isPresent: (line) => line === this.#core.line,
      message: (line, { message, bytes }) => this.#received(line, message, bytes),
      unreadable: (line, error) => this.#unreadable(line, error),
    });
    this.#host = {
      subscription: (channel) => this.#core.subscription(channel),
      subscribe: (channel, wanted) => this.#give("subscribe", channel, wanted),
      unsubscribe: (channel) => this.#give("unsubscribe", channel),
      request: (command, wait) => this.#request(command, wait),
      report: (error) => this.#report(error),
    };
  }

  // --- the connection ---

  /** `idle`, `connecting`, `connected`, `waiting` for the next attempt, or `closed`. */
  get state(): ConnectionState {
    return this.#core.state;
  }

  /** What the server told of the present connection. */
  get session(): Session | undefined {
    return this.state === "connected" ? this.#session : undefined;
  }

  /** In `waiting`: when the next attempt begins, as `Date.now()` counts. */
  get retryAtMs(): number | undefined {
    return this.state === "waiting" ? this.#retryAtMs : undefined;
  }

  /** The time the last `ping` took, in milliseconds. */
  get roundTrip(): number | undefined {
    return this.#roundTrip;
  }

  /**
   * Connects, and from then on comes back by itself until `close`. While waiting it tries at once. The promise is kept
   * with the first connection, and broken when there will be none: it need not be awaited.
   */
  connect(): Promise<Session> {
    if (this.session) return Promise.resolve(this.session);
    this.#unwatch ??= this.#platform.watch({
      network: (online) => this.#give("network", online),
      woke: () => this.#give("woke"),
      seen: () => this.#give("tick"),
    });
    const connected = new Promise<Session>((resolve, reject) => this.#connecting.push({ resolve, reject }));
    this.#give("connect");
    return handled(connected);
  }

  /** Closes the line. Channels stay wanted: `connect` brings them back. Commands without an answer fail. */
  close(): void {
    this.#give("close");
  }

  /** Adds a listener; the returned function removes it. */
  on<N extends keyof BellwireEvents>(name: N, listener: Listener<BellwireEvents[N]>): () => void {
    return this.#events.on(name, listener);
  }

  // --- channels ---

  /** The channel of this name, or with `*` at its end the pattern; always the same object. Options are for its next `subscribe`. */
  channel<Data = unknown, Value = unknown>(name: string, options?: ChannelOptions): Channel<Data, Value> {
    const known = this.#channels.get(name)?.channel;
    if (known && options) known.configure(options);
    return (known ?? this.#addChannel(name, options)) as Channel<Data, Value>;
  }

  #addChannel(name: string, options: ChannelOptions = {}): Channel {
    const since = options.since ?? this.#positions.get(name);
    let receiver!: ChannelReceiver;
    const channel: Channel = new Channel(name, this.#host, { ...options, since }, (its) => (receiver = its));
    this.#channels.set(name, { channel, receiver });
    return channel;
  }

  /** Where each channel stands, to be kept and given to the next client as `positions`. */
  positions(): Record<string, Position> {
    return Object.fromEntries(this.#core.positions());
  }

  // --- commands ---

  /** Publishes into a channel without having it as an object. */
  async publish(channel: string, data: unknown, options?: PublishOptions): Promise<Published> {
    return this.channel(channel).publish(data, options);
  }

  /** Calls a method of the application behind the server (CAL-1). */
  async call<Result = unknown>(method: string, data?: unknown): Promise<Result> {
    const reply = await this.#request({ call: { method, ...(data !== undefined && { data: outgoing(data) }) } });
    return (reply as { data?: unknown }).data as Result;
  }

  /** Asks the server for a sign of life, and answers with the time it took in milliseconds. */
  ping(): Promise<number> {
    return handled(this.#request({ ping: {} }).then(() => this.#roundTrip ?? 0));
  }

  #request(command: Command, wait = true): Promise<object> {
    const number = ++this.#lastRequest;
    const answered = new Promise<object>((resolve, reject) => this.#requests.set(number, { resolve, reject }));
    this.#give("request", number, command, wait);
    return answered;
  }

  // --- the driver: gives the core its inputs and does what it puts out ---

  #give<N extends InputName>(name: N, ...input: Input<N>): void {
    (this.#core[name] as (...input: unknown[]) => void)(...input, this.#platform.now());
    if (this.#isDraining) return; // a listener did this: whoever drains now goes on
    this.#isDraining = true;
    for (let output = this.#core.next(); output; output = this.#core.next()) {
      for (const [name, value] of Object.entries(output) as [OutputName, never][]) this.#take(name, value);
    }
    this.#isDraining = false;
    this.#setTimer();
  }

  #setTimer(): void {
    const at = this.#core.deadline;
    if (at === this.#timer?.at) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (at !== undefined) this.#timer = { at, cancel: this.#platform.timer(() => this.#timeUp(at), Math.max(0, at - this.#platform.now())) };
  }

  #timeUp(at: number): void {
    this.#timer = undefined;
    const isLate = this.#platform.now() > at + lateMs;
    if (!isLate) return this.#give("tick");
    // What came over the line meanwhile goes first; where timers come in time, being late means having been asleep.
    this.#platform.yield(() => {
      if (this.#platform.isPrompt()) this.#give("woke");
      this.#give("tick");
    });
  }

  /** Does what an output asks; what is about a channel goes there. */
  #take<N extends OutputName>(name: N, value: Outputs[N]): void {
    const { channel = "", subscription = channel } = value as { channel?: string; subscription?: string };
    const takers = this.#outputs as { [M in OutputName]?: (value: Outputs[M]) => void };
    const receivers = this.#channels.get(subscription)?.receiver as typeof takers | undefined;
    (takers[name] ?? receivers?.[name])?.(value);
  }

  readonly #outputs: { readonly [N in Exclude<OutputName, keyof ChannelReceiver>]: (value: Outputs[N]) => void } = {
    open: ({ line, url }) => this.#open(line, url),
    send: ({ line, message }) => this.#send(line, message),
    close: ({ code }) => {
      this.#line?.close(code);
      this.#line = undefined;
    },
    fetch_token: () => this.#fetch(this.#token),
    fetch_subscription_token: ({ channel }) => this.#fetch(this.#channels.get(channel)?.receiver.tokenSource(), channel),
    state: (state) => this.#became(state),
    reply: ({ request, result }) => {
      this.#requests.get(request)?.resolve(result);
      this.#requests.delete(request);
    },
    failed: ({ request, error }) => {
      this.#requests.get(request)?.reject(errorOf(error));
      this.#requests.delete(request);
    },
    error: (error) => this.#events.emit("error", errorOf(error)),
    notice: ({ window_ms: windowMs }) => this.#events.emit("notice", { windowMs }),
    round_trip: ({ ms }) => {
      this.#roundTrip = ms;
      this.#events.emit("roundTrip", { ms });
    },
  };

  #open(line: number, url: string): void {
    (this.traffic as Traffic).lines++;
    this.#line = this.#transport(url, this.#codec.subprotocol, {
      opened: () => this.#inbox.add(line, () => this.#give("lineOpened", line)),
      received: (data) => this.#inbox.messages(line, data.length, () => this.#codec.decode(data)),
      closed: (code, reason) => this.#inbox.add(line, () => this.#give("lineClosed", line, code, reason)),
    });
  }

  #send(line: number, message: ClientMessage): void {
    const data = this.#codec.encode(message);
    const bytes = this.#codec.sizeOf(data);
    const traffic: Traffic = this.traffic;
    traffic.bytesOut += bytes;
    traffic.messagesOut++;
    try {
      this.#line?.send(data);
    } catch {
      // The socket is closing and will say so: the core sends again what must be sent.
    }
    this.#events.emit("line", { direction: "out", line, bytes, message });
  }

  #received(line: number, message: ServerMessage, bytes: number): void {
    const traffic: Traffic = this.traffic;
    traffic.bytesIn += bytes;
    traffic.messagesIn++;
    this.#events.emit("line", { direction: "in", line, bytes, message });
    this.#give("received", line, message);
  }

  /** The server broke the protocol, or something between us and it: not a line to go on with. */
  #unreadable(line: number, error: unknown): void {
    this.#report(error);
    this.#line?.close(disconnectCodes.bad_protocol);
    this.#line = undefined;
    this.#give("lineClosed", line, 1006, "unreadable message");
  }

  #fetch(source: string | TokenSource | undefined, channel?: string): void {
    const answer = typeof source === "function" ? Promise.resolve().then(source) : Promise.resolve(null);
    answer.then(
      (token) => (token ? this.#give("tokenReady", channel, token) : this.#give("tokenFailed", channel, true)),
      (error: unknown) => {
        this.#report(error);
        this.#give("tokenFailed", channel, error instanceof BellwireError && !error.retry);
      },
    );
  }

  #became({ state, session, retry_at_ms: retryAt, code, reason }: StateOutput): void {
    this.#session = session && sessionOf(session);
    this.#retryAtMs = retryAt === undefined ? undefined : Date.now() + Math.max(0, retryAt - this.#platform.now());
    if (this.#session) for (const { resolve } of this.#connecting.splice(0)) resolve(this.#session);
    if (state === "closed") this.#closed(code === undefined ? undefined : new BellwireError(code, reason));
    this.#events.emit("state", lean({ state, session: this.#session, retryAtMs: this.#retryAtMs, code, reason }));
  }

  #closed(error: BellwireError | undefined): void {
    this.#line = undefined;
    this.#inbox.clear();
    this.#unwatch?.();
    this.#unwatch = undefined;
    const broken = error ?? new BellwireError(errorCodes.unavailable, "the client was closed");
    for (const { reject } of this.#connecting.splice(0)) reject(broken);
    for (const { receiver } of this.#channels.values()) receiver.closed(error);
  }

  /** CLI-12: nothing that goes wrong in the application disturbs the client, and nothing is hidden either. */
  #report(error: unknown): void {
    if (!this.#events.has("error") || this.#isReporting) return console.error("bellwire:", error);
    this.#isReporting = true;
    this.#events.emit("error", error);
    this.#isReporting = false;
  }

  #isReporting = false;
}

function sessionOf({ connection = "", user = "", server = "", node = "", time_ms: timeMs = 0 }: ConnectedBody): Session {
  return { connection, user, server, node, timeMs };
}

/** A WebSocket URL from what people write: http means ws, and a page's own address completes a relative one. */
function lineUrl(url: string | URL): string {
  const base = (globalThis as { location?: { href?: string } }).location?.href;
  const absolute = new URL(url, base);
  absolute.protocol = absolute.protocol.replace("http", "ws");
  if (!absolute.protocol.startsWith("ws")) throw new TypeError("bellwire: not the URL of a WebSocket");
  return absolute.href;
}
