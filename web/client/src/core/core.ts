import { errorCodes, disconnectCodes, retries } from "../codes.js";
import {
  lean, type ClientMessage, type Command, type CommandName, type Commands, type ConnectedBody, type DisconnectBody, type ErrorBody, type Position,
  type ServerMessage, type SubscribeItem,
} from "../message.js";
import { Backoff, type Random } from "./backoff.js";
import { Liveness } from "./liveness.js";
import { nameOf, type Cause, type ConnectionState, type Output, type OutputName, type Outputs } from "./output.js";
import { Pace } from "./pace.js";
import { Requests, type Request } from "./requests.js";
import type { Subscription, SubscriptionOptions } from "./subscription.js";
import { Subscriptions, type Pages } from "./subscriptions.js";
import { Token } from "./token.js";

/** A line that lasted no longer than this counts as a failed attempt, so that nothing can spin. */
const stableMs = 5_000;
/** CLI-8: the safety attempt of a client that believes it is offline. */
const offlineRetryMs = 60_000;
const messageBytesDefault = 65_536;
const idMax = 2 ** 32 - 1;

export interface CoreOptions {
  urls: readonly string[];
  client: string;
  token?: string;
  tokenSource?: boolean;
  connectTimeoutMs?: number;
  commandsMax?: number;
  commandsBytesMax?: number;
  commandBurst?: number;
  commandIntervalMs?: number;
  entriesMax?: number;
}

/** A command in flight: what to do with its answer, and whose it is. */
interface Flight {
  answered(message: ServerMessage, now: number): void;
  request: Request | undefined;
}

/**
 * The life of a client (PROTOCOL.md section 11) without a clock, a timer or a socket. Called by one owner: give it an
 * input with the present time in milliseconds, take all outputs with `next`, then ask for the `deadline` and come back
 * with `tick` at that time. The Go client has the same core; spec/vectors/lifecycle holds what both do.
 */
export class Core {
  /** What the connection is doing. */
  state: ConnectionState = "idle";
  /** The number of the present line, or of the last one. */
  line = 0;
  readonly #options: CoreOptions;
  readonly #random: Random;
  readonly #backoff: Backoff;
  readonly #liveness = new Liveness();
  readonly #pace: Pace;
  readonly #token: Token;
  readonly #requests: Requests;
  readonly #subscriptions: Subscriptions;
  readonly #flights = new Map<number, Flight>();
  #outputs: Output[] = [];
  #lastId = 0;
  /** Whether a line exists: being opened or open. */
  #hasLine = false;
  #isOffline = false;
  /** One request for a token at a time, whatever happens meanwhile (CLI-3). */
  #isFetching = false;
  #urlIndex = 0;
  #connectedAt = 0;
  #timeoutAt: number | undefined;
  #retryAt: number | undefined;
  #messageBytes = messageBytesDefault;

  constructor(options: CoreOptions, random: Random) {
    this.#options = options;
    this.#random = random;
    this.#backoff = new Backoff(random, options.connectTimeoutMs ?? 10_000);
    this.#pace = new Pace(options.commandIntervalMs ?? 22, options.commandBurst ?? 50);
    this.#token = new Token(options.token, options.tokenSource ?? false);
    this.#requests = new Requests(options.commandsMax ?? 1_000, options.commandsBytesMax ?? 1 << 20);
    this.#subscriptions = new Subscriptions(this.#emit, random, options.entriesMax ?? 65_536);
  }

  // --- what comes out ---

  /** The next output, oldest first. */
  next(): Output | undefined {
    return this.#outputs.shift();
  }

  /** When `tick` is wanted, or nothing. */
  get deadline(): number | undefined {
    if (this.state === "connecting") return this.#timeoutAt;
    if (this.state === "waiting") return this.#retryAt;
    if (this.state !== "connected") return undefined;
    const times = [this.#liveness.deadline, this.#token.renewAt, this.#subscriptions.deadline];
    if (this.#requests.waiting.length > 0 || this.#subscriptions.isPending) times.push(this.#pace.opensAt);
    return Math.min(...times.filter((time) => time !== undefined));
  }

  /** The subscription to a channel or pattern, when there is one; to read only. */
  subscription(channel: string): Subscription | undefined {
    return this.#subscriptions.get(channel);
  }

  /** The positions held, by channel. */
  positions(): Map<string, Position> {
    return this.#subscriptions.positions();
  }

  // --- what the application asks ---

  connect(now: number): void {
    if (this.state === "connecting" || this.state === "connected") return;
    if (this.state === "closed") this.#backoff.failures = 0;
    this.#attempt(now);
  }

  close(_now: number): void {
    if (this.state !== "closed") this.#end();
  }

  /** Wants a subscription, or wants it with other options. */
  subscribe(channel: string, options: SubscriptionOptions | undefined, now: number): void {
    if (this.#subscriptions.want(channel, options)) this.#flush(now);
  }

  unsubscribe(channel: string, now: number): void {
    if (this.#subscriptions.leave(channel)) this.#flush(now);
  }

  /** Takes a command, which belongs to the core from now on, to be answered with `reply` or `failed` under the number; `wait` false: now or not at all. */
  request(number: number, command: Command, wait: boolean, now: number): void {
    const refusal = this.#refusal(command, wait, now) ?? this.#take(number, command, wait);
    if (refusal) this.#emit("failed", { request: number, error: refusal });
    else this.#flush(now);
  }

  #refusal(command: Command, wait: boolean, now: number): ErrorBody | undefined {
    if (this.state === "closed") return local("unavailable");
    if (!this.#subscriptions.canEnter(command)) return local("not_subscribed"); // PRE-1
    const isOpen = this.state === "connected" && this.#requests.waiting.length === 0 && this.#pace.opensAt <= now;
    return wait || isOpen ? undefined : local("unavailable");
  }

  #take(number: number, command: Command, wait: boolean): ErrorBody | undefined {
    const idempotent = wait ? (command.publish ?? command.update) : undefined;
    if (idempotent) idempotent.id ??= this.#drawId();
    if (!this.#requests.add(number, command, idempotent !== undefined)) return local("limit_exceeded");
    this.#subscriptions.noteEntering(command);
    return undefined;
  }

  #drawId(): string {
    let id = "";
    for (let i = 0; i < 4; i++) id += Math.floor(this.#random() * 2 ** 32).toString(16).padStart(8, "0");
    return id;
  }

  // --- what the token sources answer ---

  /** With a channel: the token of its subscription. */
  tokenReady(channel: string | undefined, token: string, now: number): void {
    if (channel !== undefined) {
      const renewed = this.#subscriptions.tokenReady(channel, token);
      if (renewed && this.state === "connected") this.#refresh(renewed, { token, channel }, now);
      return this.#flush(now);
    }
    this.#isFetching = false;
    this.#token.held = token;
    if (this.state === "connecting" && !this.#hasLine) this.#open(now);
    else if (this.state === "connected" && this.#token.renewing) this.#refresh(this.#token, { token }, now);
  }

  /** `permanent`: there will be no token. */
  tokenFailed(channel: string | undefined, permanent: boolean, now: number): void {
    if (channel !== undefined) {
      this.#subscriptions.tokenFailed(channel, permanent, now);
      return this.#flush(now);
    }
    this.#isFetching = false;
    if (this.state === "idle" || this.state === "closed") return;
    if (permanent) this.#end({ code: disconnectCodes.invalid_token, reason: "" });
    else if (this.state === "connecting" && !this.#hasLine) this.#lost({ reason: "token" }, now);
    else if (this.#token.renewing) this.#token.renewalFailed(this.#random, now);
  }

  // --- what happens around ---

  /** The network of this machine went away or came back. */
  network(online: boolean, now: number): void {
    const wasOffline = this.#isOffline;
    this.#isOffline = !online;
    if (online) this.#hurry(now);
    else if (wasOffline) return;
    else if (this.state === "connecting" || this.state === "connected") this.#giveUp("offline", now);
    else if (this.state === "waiting") this.#wait(now + offlineRetryMs, { reason: "offline" });
  }

  /** The page or the machine was frozen or asleep until now (CLI-9). */
  woke(now: number): void {
    if (this.state === "connected" && this.#liveness.sleptThrough(now)) this.#giveUp("asleep", now);
    else if (!this.#isOffline) this.#hurry(now);
  }

  lineOpened(line: number, now: number): void {
    if (line !== this.line || !this.#hasLine) return this.#emit("close", { line, code: 1000 }); // CLI-2: too late
    if (this.state !== "connecting" || this.#flights.size > 0) return;
    this.#pace.reset();
    this.#sendConnect(now);
  }

  lineClosed(line: number, code: number, reason: string, now: number): void {
    if (line !== this.line || !this.#hasLine) return;
    this.#hasLine = false;
    this.#endedBy({ code, reason }, now);
  }

  received(line: number, message: ServerMessage, now: number): void {
    if (line !== this.line || !this.#hasLine) return;
    this.#liveness.received(now);
    if (message.disconnect) return this.#disconnected(message.disconnect, now);
    if (message.id !== undefined) this.#answered(message.id, message, now);
    else if (this.state === "connected") this.#pushed(message, now);
    this.#flush(now);
  }

  /** The deadline has come. Early and late calls do no harm. */
  tick(now: number): void {
    if (this.state === "connecting" && this.#timeoutAt !== undefined && now >= this.#timeoutAt) {
      this.#closeLine(disconnectCodes.connect_timeout);
      this.#lost({ reason: "timeout" }, now);
    } else if (this.state === "waiting" && this.#retryAt !== undefined && now >= this.#retryAt) {
      this.#attempt(now);
    } else if (this.state === "connected") {
      this.#tickConnected(now);
    }
  }

  #tickConnected(now: number): void {
    const due = this.#liveness.due(now);
    if (due === "lost") {
      this.#closeLine(disconnectCodes.no_pong);
      return this.#lost({ reason: "no_pong" }, now);
    }
    if (this.#token.due(now)) this.#fetchToken();
    this.#subscriptions.tick(now);
    if (due === "ping") this.#send({ ping: {} }, now, (_, then) => this.#emit("round_trip", { ms: then - now }));
    this.#flush(now);
  }

  // --- lines ---

  #attempt(now: number): void {
    this.#retryAt = undefined;
    this.#timeoutAt = undefined;
    if (this.#token.isMissing) this.#fetchToken();
    else this.#open(now);
    this.#become("connecting");
  }

  #fetchToken(): void {
    if (this.#isFetching) return;
    this.#isFetching = true;
    this.#emit("fetch_token", {});
  }

  #open(now: number): void {
    this.#hasLine = true;
    this.line++;
    this.#timeoutAt = now + this.#backoff.timeoutMs;
    this.#emit("open", { line: this.line, url: this.#options.urls[this.#urlIndex % this.#options.urls.length] ?? "" });
  }

  /** CLI-4: all wanted subscriptions go with `connect`; those that do not fit follow at once. */
  #sendConnect(now: number): void {
    const token = this.#token.held;
    const connect = lean<Commands["connect"]>({ token, client: this.#options.client });
    const [first, ...rest] = this.#subscriptions.takeForLine({ id: this.#nextId(), connect }, this.#messageBytes);
    if (first && first.length > 0) connect.subscribe = first;
    this.#send({ connect }, now, ({ error, connect = {} }, then) => (error ? this.#refused(error, then) : this.#connected(connect, then)));
    for (const channels of rest) this.#sendSubscribe(channels, now);
  }

  #connected(session: ConnectedBody, now: number): void {
    this.#timeoutAt = undefined;
    this.#connectedAt = now;
    this.#messageBytes = session.message_bytes ?? messageBytesDefault;
    this.#backoff.hint(session.reconnect?.window_ms);
    this.#liveness.begin(session.ping_ms, session.pong_ms, now);
    this.#token.accepted(session.expires_ms, now);
    this.#become("connected", { session });
  }

  #disconnected({ code = disconnectCodes.server_error, reason = "", reconnect }: DisconnectBody, now: number): void {
    this.#backoff.hint(reconnect?.window_ms);
    if (retries(code)) this.#closeLine(1000);
    this.#endedBy({ code, reason }, now);
  }

  /** The server or the socket ended the line: the code's range says what follows (COD-1). */
  #endedBy(cause: Cause & { code: number }, now: number): void {
    if (cause.code === disconnectCodes.expired && this.#token.source) this.#token.held = undefined;
    if (retries(cause.code)) this.#lost(cause, now);
    else this.#end(cause);
  }

  /** The client gives the line up without waiting, which says nothing of the server. */
  #giveUp(reason: "offline" | "asleep", now: number): void {
    this.#closeLine(disconnectCodes.no_pong);
    this.#lost({ reason }, now, reason);
  }

  /** The line is lost, or the attempt has failed: what was in flight is settled, the next attempt planned. */
  #lost(cause: Cause, now: number, givenUp?: "offline" | "asleep"): void {
    this.#settle();
    if (!givenUp) {
      const lasted = this.state === "connected" && now - this.#connectedAt > stableMs;
      this.#backoff.failures = lasted ? 0 : this.#backoff.failures + 1;
      if (!lasted) this.#urlIndex++;
    }
    let delayMs: number;
    if (this.#isOffline) delayMs = offlineRetryMs;
    else delayMs = givenUp === "asleep" ? this.#backoff.quickMs : this.#backoff.delayMs;
    this.#wait(now + delayMs, cause);
  }

  #wait(retryAt: number, cause: Cause): void {
    this.#retryAt = retryAt;
    this.#become("waiting", { retry_at_ms: retryAt, ...cause });
  }

  /** LIV-3: a quick retry, never later than what was planned. */
  #hurry(now: number): void {
    if (this.state === "waiting") this.#wait(Math.min(this.#retryAt ?? now, now + this.#backoff.quickMs), {});
  }

  #closeLine(code: number): void {
    if (this.#hasLine) this.#emit("close", { line: this.line, code });
    this.#hasLine = false;
  }

  /** CLI-7: what is in flight fails, but for what is sent again. No timer of the line is left. */
  #settle(isFinal = false): void {
    const waiting = this.#requests.waiting.splice(0);
    for (const { request } of this.#flights.values()) {
      if (request?.resend && !isFinal) this.#requests.waiting.push(request);
      else if (request) this.#fail(request, local("timeout"));
    }
    this.#flights.clear();
    if (isFinal) for (const request of waiting) this.#fail(request, local(request.wasSent ? "timeout" : "unavailable"));
    else this.#requests.waiting.push(...waiting);
    this.#timeoutAt = undefined;
    this.#token.stop();
    this.#subscriptions.lineLost();
  }

  /** Leads to `closed`, where nothing runs. */
  #end(cause: Cause = {}): void {
    this.#closeLine(1000);
    this.#retryAt = undefined;
    this.#settle(true);
    this.#become("closed", cause);
  }

  // --- messages ---

  #answered(id: number, message: ServerMessage, now: number): void {
    const flight = this.#flights.get(id);
    this.#flights.delete(id);
    flight?.answered(message, now);
  }

  /** An error reply to `connect`. */
  #refused({ code, message = "" }: ErrorBody, now: number): void {
    this.#closeLine(1000);
    this.#endedBy({ code, reason: message }, now);
  }

  #refreshed(token: Token, { error, refresh }: ServerMessage, now: number): void {
    if (!error) return token.accepted(refresh?.expires_ms, now);
    if (error.code === errorCodes.token_expired) token.held = undefined;
    if (error.code === errorCodes.token_expired || retries(error.code)) token.renewalFailed(this.#random, now);
  }

  #replied(request: Request, sentAt: number, message: ServerMessage, now: number): void {
    const name = nameOf(request.command);
    if (name === "ping") this.#emit("round_trip", { ms: now - sentAt });
    if (message.error) {
      this.#subscriptions.enterRefused(request.command);
      return this.#fail(request, message.error);
    }
    this.#requests.done(request);
    this.#emit("reply", { request: request.number, result: message[name as CommandName] ?? {} });
  }

  #fail(request: Request, error: ErrorBody): void {
    this.#requests.done(request);
    this.#emit("failed", { request: request.number, error });
  }

  #pushed(message: ServerMessage, now: number): void {
    if (message.publication) this.#subscriptions.publication(message.publication);
    else if (message.subscribed) this.#pages(this.#subscriptions.subscribed(message.subscribed, now), now);
    else if (message.presence) this.#subscriptions.presence(message.presence);
    else if (message.unsubscribed) this.#subscriptions.unsubscribed(message.unsubscribed, now);
    else if (message.error) this.#emit("error", message.error);
    else if (message.notice?.reconnect?.window_ms) {
      this.#backoff.hint(message.notice.reconnect.window_ms);
      this.#emit("notice", { window_ms: message.notice.reconnect.window_ms });
    }
  }

  // --- sending ---

  /** Asks for what completes a snapshot. */
  #pages(wanted: Pages | undefined, now: number): void {
    if (!wanted) return;
    const { subscription, commands } = wanted;
    const { generation } = subscription;
    for (const command of commands) {
      this.#send(command, now, (page, then) => this.#pages(this.#subscriptions.paged(subscription, generation, page), then));
    }
  }

  /** Sends what waits, as far as the pace allows: unsubscribe, subscribe, then the application's commands. */
  #flush(now: number): void {
    if (this.state !== "connected") return;
    this.#subscriptions.askTokens();
    while (this.#subscriptions.isLeaving && this.#isOpen(now)) {
      const channels = this.#subscriptions.takeLeaving({ id: this.#nextId(), unsubscribe: { channels: [] } }, this.#messageBytes);
      this.#send({ unsubscribe: { channels } }, now);
    }
    while (this.#subscriptions.isPending && this.#isOpen(now)) {
      this.#sendSubscribe(this.#subscriptions.takeDue({ id: this.#nextId(), subscribe: { channels: [] } }, this.#messageBytes), now);
    }
    while (this.#requests.waiting.length > 0 && this.#isOpen(now)) this.#sendRequest(this.#requests.waiting.shift()!, now);
  }

  #isOpen(now: number): boolean {
    return this.#pace.opensAt <= now;
  }

  #sendRequest(request: Request, now: number): void {
    if (request.bytes > this.#messageBytes) return this.#fail(request, local("too_large")); // CON-8: it would end the line
    request.wasSent = true;
    this.#send(request.command, now, (message, then) => this.#replied(request, now, message, then), request);
  }

  #refresh(token: Token, refresh: { token: string; channel?: string }, now: number): void {
    token.renewing = false;
    this.#send({ refresh }, now, (message, then) => this.#refreshed(token, message, then));
  }

  #sendSubscribe(channels: SubscribeItem[], now: number): void {
    this.#send({ subscribe: { channels } }, now, ({ error }, then) => {
      for (const { channel } of error ? channels : []) this.#subscriptions.subscribed({ channel, error: error! }, then);
    });
  }

  #send(command: Command, now: number, answered: Flight["answered"] = () => {}, request?: Request): void {
    this.#lastId = this.#nextId();
    this.#flights.set(this.#lastId, { answered, request });
    this.#pace.spend(now);
    const message: ClientMessage = { id: this.#lastId, ...command };
    this.#emit("send", { line: this.line, message });
  }

  /** MSG-2: an id that is not in flight. */
  #nextId(): number {
    let id = this.#lastId;
    do id = id === idMax ? 1 : id + 1;
    while (this.#flights.has(id));
    return id;
  }

  #become(state: ConnectionState, more: Omit<Outputs["state"], "state"> = {}): void {
    const isNews = state !== this.state || state === "waiting";
    this.state = state;
    if (isNews) this.#emit("state", { state, ...more });
  }

  readonly #emit = <N extends OutputName>(name: N, value: Outputs[N]): void => {
    this.#outputs.push({ [name]: value } as unknown as Output);
  };
}

/** An error of the client's own. */
function local(name: keyof typeof errorCodes): ErrorBody {
  return { code: errorCodes[name], name };
}
