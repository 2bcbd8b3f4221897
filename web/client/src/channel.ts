import { errorCodes } from "./codes.js";
import type { SubscriptionState, Outputs } from "./core/output.js";
import type { Subscription, SubscriptionOptions } from "./core/subscription.js";
import { Emitter, type Listener } from "./emitter.js";
import { BellwireError } from "./error.js";
import {
  Json, lean, outgoing, type Command, type Commands, type HistoryBody, type Position, type PresenceBody, type PresenceMode, type PublishedBody, type StateBody,
} from "./message.js";
import { publicationOf, type Publication, type Publisher } from "./publication.js";
import { Updater, type Entry } from "./state.js";
import { Stream } from "./stream.js";

/** Gives a token; null says that there will be none. Asked again when one has expired. */
export type TokenSource = () => string | null | Promise<string | null>;

/** What a subscription asks for. */
export interface ChannelOptions {
  /** Resume from here, as kept by the application: everything after it comes, or `missed` says what is gone. */
  since?: Position | undefined;
  /** The first time: begin this many publications before now, as far as the log holds them. */
  rewind?: number;
  /** Hold the channel's state in `state` and tell its changes. Default false. */
  state?: boolean;
  /** Hold the channel's presence: only the `count`, or the `members` too. Default `"none"`. */
  presence?: PresenceMode;
  /** Be a member of the channel's presence, with this. */
  enter?: unknown;
  /** A subscription token (AUT-4), where the namespace asks for one, or what gives it. */
  token?: string | TokenSource;
}

/** The answer to a subscription: nothing published after this place is missed (SUB-2). */
export interface SubscribedEvent {
  /** Absent, like all the others, on a channel without log. */
  readonly epoch?: string;
  readonly offset?: number;
  /** The newest entry when the answer was made: up to it publications are `replayed`. */
  readonly top?: number;
  /** After a resume: whether everything since is there. */
  readonly recovered?: boolean;
}

/** What cannot be had any more: the offsets `from` to `to`, or without `to` an unknown number from `from` on. */
export interface MissedEvent {
  readonly from: number;
  readonly to?: number;
}

/** The server ended the subscription. */
export interface UnsubscribedEvent {
  readonly error: BellwireError;
  /** The client subscribes again by itself; nothing is to be done. */
  readonly resumes: boolean;
}

/** A change of the state, or with `reset` all of it anew. */
export interface StateChangedEvent<Value = unknown> {
  readonly set: readonly Entry<Value>[];
  readonly removed: readonly string[];
  readonly reset: boolean;
  readonly from?: Publisher;
  readonly timeMs?: number;
  readonly replayed: boolean;
}

/** One connection of a member, and what it entered with. */
export interface MemberConnection {
  readonly connection: string;
  readonly data?: unknown;
}

/** A user who is there, with all connections (PRE-1). */
export interface Member {
  readonly user: string;
  /** From the user's token. */
  readonly info?: unknown;
  readonly connections?: readonly MemberConnection[];
}

/** A change of the presence, or with `reset` all of it anew. */
export interface PresenceEvent {
  readonly count: number;
  /** New or changed, whole. */
  readonly set: readonly Member[];
  /** The users who are gone. */
  readonly left: readonly string[];
  readonly reset: boolean;
}

export interface ChannelEvents<Data = unknown, Value = unknown> {
  publication: Publication<Data>;
  subscribed: SubscribedEvent;
  unsubscribed: UnsubscribedEvent;
  missed: MissedEvent;
  stateChanged: StateChangedEvent<Value>;
  presence: PresenceEvent;
}

export interface PublishOptions {
  /** Makes it idempotent beyond this page's life: the same id is stored once (POS-6). Without it the client draws one. */
  id?: string;
  /** False: not back to this connection. Default true. */
  echo?: boolean;
  /** False: now or not at all. It fails at once while the line is down, and is not sent again. For cursors and the like. Default true. */
  wait?: boolean;
}

export interface Published {
  /** Where it is stored; absent on a channel without log. */
  readonly position?: Position;
  /** It had been stored before, under the same id. */
  readonly duplicate: boolean;
}

export interface HistoryOptions {
  since?: Position | undefined;
  /** 1 to 1,000; the server's default is 100. */
  limit?: number;
  /** Newest first. */
  reverse?: boolean;
}

export interface HistoryPage<Data = unknown> {
  readonly epoch: string;
  /** The offset of the newest entry. */
  readonly top: number;
  readonly publications: readonly Publication<Data>[];
  /** There is more in this direction. */
  readonly more: boolean;
  readonly missed?: MissedEvent;
}

export interface StatePage<Value = unknown> {
  readonly epoch: string;
  readonly asOf: number;
  readonly entries: readonly Entry<Value>[];
  readonly more: boolean;
}

export interface PresencePage {
  readonly version: number;
  readonly count: number;
  readonly members: readonly Member[];
  readonly more: boolean;
}

/** What a channel needs of its client. */
export interface ChannelHost {
  subscription(channel: string): Subscription | undefined;
  subscribe(channel: string, options: SubscriptionOptions | undefined): void;
  unsubscribe(channel: string): void;
  request(command: Command, wait?: boolean): Promise<object>;
  /** Takes what a listener has thrown. */
  report(error: unknown): void;
}

/** What the client tells a channel. */
export interface ChannelReceiver {
  subscribed(answer: Outputs["subscribed"]): void;
  missed(missed: Outputs["missed"]): void;
  unsubscribed(ended: Outputs["unsubscribed"]): void;
  publication(publication: Outputs["publication"]): void;
  state_changed(change: Outputs["state_changed"]): void;
  presence(change: Outputs["presence"]): void;
  /** The client has closed: with an error when the server wanted it so. */
  closed(error: BellwireError | undefined): void;
  /** Where subscription tokens come from. */
  tokenSource(): TokenSource | undefined;
}

/**
 * A channel as this client sees it: subscribe to it, publish into it, read it, hold its state and presence. Made by
 * `Bellwire.channel`; the same name is always the same object. A name that ends with `*` is a pattern: it can only be
 * subscribed to.
 */
export class Channel<Data = unknown, Value = unknown> {
  readonly name: string;
  /** Changes the channel's state. */
  readonly update: Updater<Value>;
  readonly #host: ChannelHost;
  readonly #events: Emitter<ChannelEvents>;
  #options: ChannelOptions;
  #optionsAreNew = true;
  #waiting: { resolve(answer: SubscribedEvent): void; reject(error: unknown): void }[] = [];
  #last: SubscribedEvent = {};
  readonly #streams = new Set<Stream<Publication<Data>>>();

  /** For `Bellwire.channel` only, which is given the receiver. */
  constructor(name: string, host: ChannelHost, options: ChannelOptions, attach: (receiver: ChannelReceiver) => void) {
    this.name = name;
    this.#host = host;
    this.#events = new Emitter((error) => host.report(error));
    this.#options = options;
    attach(this.#receiver());
    this.update = new Updater(name, (command) => host.request(command));
  }

  get #held(): Subscription | undefined {
    return this.#host.subscription(this.name);
  }

  /** What the subscription is doing. */
  get status(): SubscriptionState {
    return this.#held?.status ?? "unsubscribed";
  }

  /** The place after which everything comes: all up to it was handed to the application. */
  get position(): Position | undefined {
    return this.#held?.position;
  }

  /** The state as it is held now, by key; empty unless subscribed with `state: true`. It changes while one looks at it. */
  get state(): ReadonlyMap<string, Value> {
    return (this.#held?.state.values ?? new Map()) as ReadonlyMap<string, Value>;
  }

  /** The version of a key in `state`, 0 when it is absent: what `update.setIf` asks for. */
  version(key: string): number {
    return this.#held?.state.versions.get(key) ?? 0;
  }

  /** How many users are there; 0 unless subscribed with `presence`. */
  get count(): number {
    return this.#held?.presence.count ?? 0;
  }

  /** Who is there, by user; empty unless subscribed with `presence: "members"`. */
  get members(): ReadonlyMap<string, Member> {
    return (this.#held?.presence.members ?? new Map()) as ReadonlyMap<string, Member>;
  }

  /** Adds a listener; the returned function removes it. */
  on<N extends keyof ChannelEvents>(name: N, listener: Listener<ChannelEvents<Data, Value>[N]>): () => void {
    return this.#events.on(name, listener as Listener<ChannelEvents[N]>);
  }

  /** Other options from the next `subscribe` on. */
  configure(options: ChannelOptions): void {
    this.#options = options;
    this.#optionsAreNew = true;
  }

  /**
   * Wants the channel from now on, over every loss of the line. The promise is for who wants to know: it is kept when
   * the server has answered, and broken when the subscription ended for good before.
   */
  subscribe(): Promise<SubscribedEvent> {
    const options = this.#optionsAreNew ? optionsOf(this.#options) : undefined;
    this.#optionsAreNew = false;
    this.#host.subscribe(this.name, options);
    if (this.status === "subscribed") return Promise.resolve(this.#last);
    return handled(new Promise((resolve, reject) => this.#waiting.push({ resolve, reject })));
  }

  /** Wants the channel no more, and forgets its position, state and presence. */
  unsubscribe(): void {
    this.#optionsAreNew = true;
    this.#host.unsubscribe(this.name);
    this.#end(new BellwireError(errorCodes.not_subscribed, "unsubscribed by the application"));
  }

  /**
   * The publications from now on, for `for await`. Subscribes when nobody has. Leaving the loop stops listening but does
   * not unsubscribe. Ends with `unsubscribe` and `close`, throws when the server ends the subscription for good or when
   * more than 10,000 were not taken.
   */
  publications(): AsyncIterableIterator<Publication<Data>> {
    const stream: Stream<Publication<Data>> = new Stream(() => {
      off();
      this.#streams.delete(stream);
    });
    const off = this.on("publication", (publication) => stream.push(publication));
    this.#streams.add(stream);
    if (this.status === "unsubscribed" || this.status === "ended") void this.subscribe();
    return stream;
  }

  /** Publishes a JSON value, or bytes as a Uint8Array. Kept when the server has stored it; while the line is down it waits. */
  publish(data: Data, options: PublishOptions = {}): Promise<Published> {
    const answer = this.#publish(data, options);
    return options.wait === false ? handled(answer) : answer;
  }

  async #publish(data: Data, { id, echo, wait }: PublishOptions): Promise<Published> {
    const publish = { channel: this.name, data: outgoing(data), ...lean<{ id?: string }>({ id }), ...(echo === false && { echo }) };
    return published((await this.#host.request({ publish }, wait)) as PublishedBody);
  }

  /** Reads the log, without being subscribed. */
  async history({ since, limit, reverse }: HistoryOptions = {}): Promise<HistoryPage<Data>> {
    const history = lean<Commands["history"]>({ channel: this.name, since, limit, reverse });
    const { epoch = "", top = 0, publications = [], more = false, missed } = (await this.#host.request({ history })) as HistoryBody;
    return { epoch, top, publications: publications.map((one) => publicationOf<Data>(one, epoch, true)), more, ...(missed && { missed: missedOf(missed) }) };
  }

  /** Reads the state, without being subscribed: one `key`, or a page `after` a key. */
  async readState(page: { key?: string; after?: string; limit?: number } = {}): Promise<StatePage<Value>> {
    const body = (await this.#host.request({ state: { channel: this.name, ...page } })) as StateBody;
    const { epoch = "", as_of: asOf = 0, entries = [], more = false } = body;
    return { epoch, asOf, entries: entries as Entry<Value>[], more };
  }

  /** Reads the presence, without being subscribed: a page of members `after` a user, or only the count. */
  async readPresence({ countOnly, ...page }: { countOnly?: boolean; after?: string; limit?: number } = {}): Promise<PresencePage> {
    const body = (await this.#host.request({ presence: lean({ channel: this.name, count_only: countOnly, ...page }) })) as PresenceBody;
    const { version = 0, count = 0, members = [], more = false } = body;
    return { version, count, members: members as Member[], more };
  }

  /** Becomes a member of the channel's presence, or changes what this connection shows there. Holds over losses of the line. Needs a subscription. */
  enter(data: unknown = {}): Promise<void> {
    return handled(this.#host.request({ enter: { channel: this.name, data: new Json(data) } }).then(() => {}));
  }

  /** Is a member no more. */
  leave(): Promise<void> {
    return handled(this.#host.request({ leave: { channel: this.name } }).then(() => {}));
  }

  #receiver(): ChannelReceiver {
    const events = this.#events;
    return {
      subscribed: ({ channel: _, ...answer }) => {
        this.#last = answer.epoch === undefined ? answer : { offset: 0, top: 0, ...answer };
        for (const { resolve } of this.#waiting.splice(0)) resolve(this.#last);
        events.emit("subscribed", this.#last);
      },
      missed: (missed) => events.emit("missed", missedOf(missed)),
      unsubscribed: ({ code, reason, retry_at_ms: retryAt }) => {
        const error = new BellwireError(code, reason);
        if (retryAt === undefined) this.#end(error, error);
        events.emit("unsubscribed", { error, resumes: retryAt !== undefined });
      },
      publication: ({ publication, replayed = false }) => events.emit("publication", publicationOf(publication, this.position?.epoch, replayed)),
      state_changed: ({ set = [], removed = [], reset = false, from, time_ms: timeMs, replayed = false }) => {
        events.emit("stateChanged", { set: set as Entry[], removed, reset, replayed, ...lean<Partial<StateChangedEvent>>({ from, timeMs }) });
      },
      presence: ({ count = 0, set = [], left = [], reset = false }) => events.emit("presence", { count, set: set as Member[], left, reset }),
      closed: (error) => this.#end(error ?? new BellwireError(errorCodes.unavailable, "the client was closed"), error),
      tokenSource: () => (typeof this.#options.token === "function" ? this.#options.token : undefined),
    };
  }

  /** Nothing more will come: promises are broken, loops end, with an error or without. */
  #end(broken: BellwireError, error?: BellwireError): void {
    for (const { reject } of this.#waiting.splice(0)) reject(broken);
    for (const stream of [...this.#streams]) stream.end(error);
  }
}

/** Whoever does not wait for the promise does not want to hear of its failure either. */
export function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

export function published({ epoch, offset = 0, duplicate = false }: PublishedBody): Published {
  return { ...(epoch !== undefined && { position: { epoch, offset } }), duplicate };
}

function missedOf({ from = 0, to }: { from?: number; to?: number }): MissedEvent {
  return { from, ...lean<{ to?: number }>({ to }) };
}

function optionsOf({ since, rewind, state, presence, enter, token }: ChannelOptions): SubscriptionOptions {
  const isSource = typeof token === "function";
  return lean({
    since, rewind, state, presence, enter: enter === undefined ? undefined : new Json(enter), token: isSource ? undefined : token, tokenSource: isSource,
  });
}
