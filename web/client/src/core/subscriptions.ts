import { sizeOf } from "../codec/json.js";
import { errorCodes, retries, unsubscribeCodes } from "../codes.js";
import {
  Json, lean, type ClientMessage, type Command, type Commands, type Position, type PresenceChangeBody, type PublicationBody, type ServerMessage,
  type SubscribedBody, type SubscribeItem, type UnsubscribedBody,
} from "../message.js";
import { fullJitter, type Random } from "./backoff.js";
import type { Emit, Outputs, PresenceChanged } from "./output.js";
import { stateChange } from "./state.js";
import { Subscription, type SubscriptionOptions } from "./subscription.js";
import type { Token } from "./token.js";

/** PROTOCOL.md section 13: channels in one command. */
const channelsMax = 128;

/** Commands that fetch the rest of a snapshot. */
export interface Pages {
  subscription: Subscription;
  commands: Command[];
}

/** What the application wants of channels, brought together with what the server serves on the present line (CLI-10). */
export class Subscriptions {
  /** By channel, in the order in which the application asked. */
  readonly #wanted = new Map<string, Subscription>();
  /** Channels for which a subscribe went out on the present line, and no unsubscribe after it. */
  readonly #served = new Set<string>();
  /** Served, but wanted no more. */
  readonly #leaving = new Set<string>();
  /** How many answers to subscribes of a channel are still to come on the present line. */
  readonly #awaited = new Map<string, number>();
  /** Channels whose token source has been asked. */
  readonly #fetching = new Set<string>();
  readonly #emit: Emit;
  readonly #random: Random;
  readonly #entriesMax: number;

  constructor(emit: Emit, random: Random, entriesMax: number) {
    this.#emit = emit;
    this.#random = random;
    this.#entriesMax = entriesMax;
  }

  get(channel: string): Subscription | undefined {
    return this.#wanted.get(channel);
  }

  positions(): Map<string, Position> {
    const positions = new Map<string, Position>();
    for (const { channel, position } of this.#wanted.values()) if (position) positions.set(channel, position);
    return positions;
  }

  // --- what the application asks ---

  /** False when nothing changes. */
  want(channel: string, options: SubscriptionOptions | undefined): boolean {
    let subscription = this.#wanted.get(channel);
    if (subscription && subscription.status !== "ended" && !options) return false;
    if (!subscription) this.#wanted.set(channel, (subscription = new Subscription(channel)));
    subscription.want(options);
    this.#leaving.delete(channel);
    return true;
  }

  /** False when nothing changes. */
  leave(channel: string): boolean {
    if (this.#served.has(channel)) this.#leaving.add(channel);
    return this.#wanted.delete(channel);
  }

  /** Whether there is a subscription to enter or leave presence with, where the command does that. */
  canEnter({ enter, leave }: Command): boolean {
    const channel = (enter ?? leave)?.channel;
    return channel === undefined || (this.#wanted.get(channel)?.status ?? "ended") !== "ended";
  }

  /** Remembers what the subscription enters presence with, on later lines too. */
  noteEntering({ enter, leave }: Command): void {
    const subscription = this.#wanted.get((enter ?? leave)?.channel ?? "");
    if (subscription) subscription.enter = enter && entering(enter);
  }

  /** What the server refused is not asked again with every line. */
  enterRefused({ enter }: Command): void {
    const subscription = enter && this.#wanted.get(enter.channel);
    if (subscription && subscription.enter?.text === entering(enter)?.text) subscription.enter = undefined;
  }

  // --- tokens ---

  /** Asks for the tokens without which nothing can be sent. */
  askTokens(): void {
    for (const subscription of this.#wanted.values()) if (subscription.isDue && subscription.token.isMissing) this.#ask(subscription.channel);
  }

  #ask(channel: string): void {
    if (this.#fetching.has(channel)) return;
    this.#fetching.add(channel);
    this.#emit("fetch_subscription_token", { channel });
  }

  /** Takes a token; the answer is there when it is for a `refresh`. */
  tokenReady(channel: string, token: string): Token | undefined {
    this.#fetching.delete(channel);
    const subscription = this.#wanted.get(channel);
    if (!subscription) return undefined;
    subscription.token.held = token;
    return subscription.token.renewing ? subscription.token : undefined;
  }

  tokenFailed(channel: string, permanent: boolean, now: number): void {
    this.#fetching.delete(channel);
    const subscription = this.#wanted.get(channel);
    if (!subscription || subscription.status === "ended") return;
    if (permanent) this.#endByClient(subscription, errorCodes.unauthorized);
    else if (subscription.token.renewing) subscription.token.renewalFailed(this.#random, now);
    else if (subscription.token.isMissing) this.#retryLater(subscription, now);
  }

  // --- the line ---

  lineLost(): void {
    this.#served.clear();
    this.#leaving.clear();
    this.#awaited.clear();
    for (const subscription of this.#wanted.values()) subscription.lineLost();
  }

  get deadline(): number | undefined {
    const times: number[] = [];
    for (const { retryAt, token } of this.#wanted.values()) {
      if (retryAt !== undefined) times.push(retryAt);
      if (token.renewAt !== undefined) times.push(token.renewAt);
    }
    return times.length > 0 ? Math.min(...times) : undefined;
  }

  tick(now: number): void {
    for (const subscription of this.#wanted.values()) {
      if (subscription.token.due(now)) this.#ask(subscription.channel);
      if (subscription.retryAt !== undefined && now >= subscription.retryAt) subscription.due();
    }
  }

  // --- what is to be sent ---

  get isLeaving(): boolean {
    return this.#leaving.size > 0;
  }

  /** Whether anything is to be sent that can be sent. */
  get isPending(): boolean {
    for (const subscription of this.#wanted.values()) if (isSendable(subscription)) return true;
    return this.isLeaving;
  }

  /** The channels to leave that fit into one message beside what it has already, at least one. */
  takeLeaving(message: ClientMessage, bytesMax: number): string[] {
    const channels = fitting(message, bytesMax, 1, this.#leaving);
    for (const channel of channels) {
      this.#leaving.delete(channel);
      this.#served.delete(channel);
    }
    return channels;
  }

  /** The due subscriptions that fit into one message beside what it has already, at least one. */
  takeDue(message: ClientMessage, bytesMax: number, atLeast = 1): SubscribeItem[] {
    const items = fitting(message, bytesMax, atLeast, this.#dueItems());
    for (const { channel } of items) {
      this.#wanted.get(channel)?.sent();
      this.#served.add(channel);
      this.#awaited.set(channel, (this.#awaited.get(channel) ?? 0) + 1);
    }
    return items;
  }

  *#dueItems(): Iterable<SubscribeItem> {
    for (const subscription of this.#wanted.values()) if (isSendable(subscription)) yield subscription.item();
  }

  /** CLI-4: what goes with `connect`, and then in further messages. */
  takeForLine(connect: ClientMessage, bytesMax: number): SubscribeItem[][] {
    const groups = [this.takeDue({ ...connect, connect: { ...connect.connect, subscribe: [] } }, bytesMax, 0)];
    while (this.isPending) groups.push(this.takeDue({ id: connect.id ?? 0, subscribe: { channels: [] } }, bytesMax));
    return groups;
  }

  // --- what the server says ---

  /** A `subscribed`: only the answer to the last subscribe counts. */
  subscribed(answer: SubscribedBody, now: number): Pages | undefined {
    const { channel = "" } = answer;
    const awaited = this.#awaited.get(channel) ?? 0;
    if (awaited > 0) this.#awaited.set(channel, awaited - 1);
    const subscription = this.#wanted.get(channel);
    if (awaited !== 1 || !subscription?.isSent) return undefined;
    if (answer.error) {
      this.#stop(subscription, answer.error.code, answer.error.message ?? "", now);
      return undefined;
    }
    const missed = subscription.answered(answer);
    subscription.token.accepted(answer.expires_ms, now);
    const { epoch, offset, top, recovered } = answer;
    this.#emit("subscribed", { ...lean<Outputs["subscribed"]>({ channel, epoch, offset, top }), ...(recovered !== undefined && { recovered }) });
    if (missed) this.#emit("missed", { channel, ...missed });
    return { subscription, commands: [...this.#takeState(subscription, answer), ...this.#takePresence(subscription, answer)] };
  }

  unsubscribed({ channel = "", code = unsubscribeCodes.insufficient, reason = "" }: UnsubscribedBody, now: number): void {
    const subscription = this.#wanted.get(channel);
    if (!subscription?.isSent || this.#awaited.get(channel)) return; // the answer on its way says more
    this.#stop(subscription, code, reason, now);
  }

  publication(publication: PublicationBody): void {
    const { channel = "", pattern } = publication;
    if (pattern) {
      for (const wanted of this.#wanted.values()) if (wanted.matches(channel)) this.#emit("publication", { subscription: wanted.channel, publication });
      return;
    }
    const subscription = this.#wanted.get(channel);
    const verdict = subscription?.judge(publication);
    if (verdict === "deliver") this.#deliver(subscription!, publication);
    else if (verdict === "gap" && !this.#awaited.get(channel) && subscription!.retryAt === undefined) subscription!.due();
  }

  presence(change: PresenceChangeBody): void {
    const subscription = this.#wanted.get(change.channel ?? "");
    if (!subscription?.isLive || !subscription.presence.apply(change)) return;
    this.#tellPresence(subscription, change);
    this.#limit(subscription);
  }

  /** A page of state or presence that completes a snapshot; of an older answer it is void. */
  paged(subscription: Subscription, generation: number, { state, presence }: ServerMessage): Pages | undefined {
    const { channel } = subscription;
    if (!subscription.isLive || subscription.generation !== generation || this.#wanted.get(channel) !== subscription) return undefined;
    const commands: Command[] = [];
    if (state) {
      const set = subscription.state.merge(state);
      if (set.length > 0) this.#emit("state_changed", { channel, set });
      commands.push(...stateRest(channel, state));
    }
    if (presence) {
      this.#tellPresence(subscription, { set: subscription.presence.merge(presence) });
      commands.push(...presenceRest(channel, presence));
    }
    return this.#limit(subscription) ? { subscription, commands } : undefined;
  }

  // --- leaves ---

  #takeState(subscription: Subscription, { state, recovered }: SubscribedBody): Command[] {
    const { channel } = subscription;
    const held = subscription.state;
    if (!subscription.options.state) return [];
    if (state) {
      held.clear(state.as_of);
      const set = held.merge(state);
      this.#emit("state_changed", lean({ channel, set: set.length > 0 ? set : undefined, reset: true }));
      return this.#limit(subscription) ? stateRest(channel, state) : [];
    }
    if (recovered && held.isComplete) return [];
    held.clear();
    this.#emit("state_changed", { channel, reset: true });
    return [{ state: { channel } }];
  }

  #takePresence(subscription: Subscription, { presence }: SubscribedBody): Command[] {
    const { channel } = subscription;
    subscription.presence.clear();
    if (!presence || !subscription.isLive) return [];
    this.#tellPresence(subscription, { set: subscription.presence.begin(presence), reset: true });
    return this.#limit(subscription) ? presenceRest(channel, presence) : [];
  }

  #tellPresence({ channel, presence }: Subscription, { set, left, reset }: Pick<{ [K in keyof PresenceChanged]?: PresenceChanged[K] | undefined }, "set" | "left" | "reset">): void {
    this.#emit("presence", lean({ channel, version: presence.version, count: presence.count, set, left, reset }));
  }

  #deliver(subscription: Subscription, publication: PublicationBody): void {
    const replayed = subscription.isReplayed(publication);
    if (publication.skipped) return;
    if (!publication.state) {
      return this.#emit("publication", lean({ subscription: subscription.channel, publication, replayed }));
    }
    if (subscription.options.state && !subscription.state.apply(publication)) return;
    this.#emit("state_changed", stateChange(publication, replayed));
    this.#limit(subscription);
  }

  /** The server's memory is its own affair; the client's is limited. */
  #limit(subscription: Subscription): boolean {
    const { state, presence } = subscription;
    if (Math.max(state.versions.size, presence.size) <= this.#entriesMax) return true;
    this.#endByClient(subscription, errorCodes.limit_exceeded);
    return false;
  }

  #endByClient(subscription: Subscription, code: number): void {
    if (this.#served.has(subscription.channel)) this.#leaving.add(subscription.channel);
    subscription.interrupt();
    subscription.state.clear();
    subscription.presence.clear();
    this.#emit("unsubscribed", { channel: subscription.channel, code, reason: "" });
  }

  /** CLI-11: the server serves it no more, and the code says what follows. */
  #stop(subscription: Subscription, code: number, reason: string, now: number): void {
    const { channel, token } = subscription;
    this.#served.delete(channel);
    if (token.source && (code === errorCodes.token_expired || code === unsubscribeCodes.subscription_token_expired)) {
      token.held = undefined;
      subscription.interrupt(now);
      if (++subscription.failures === 1) subscription.due();
      else subscription.retryAt = now + fullJitter(this.#random, subscription.failures - 1);
    } else if (retries(code)) {
      this.#retryLater(subscription, now);
      this.#emit("unsubscribed", { channel, code, reason, retry_at_ms: subscription.retryAt! });
    } else {
      subscription.interrupt();
      this.#emit("unsubscribed", { channel, code, reason });
    }
  }

  #retryLater(subscription: Subscription, now: number): void {
    subscription.interrupt(now + fullJitter(this.#random, ++subscription.failures));
  }
}

/** As many items as a message has room for, in their order. */
function fitting<Item>(message: ClientMessage, bytesMax: number, atLeast: number, items: Iterable<Item>): Item[] {
  const taken: Item[] = [];
  let bytes = sizeOf(message);
  for (const item of items) {
    bytes += sizeOf(item);
    if (taken.length === channelsMax || (bytes > bytesMax && taken.length >= atLeast)) break;
    taken.push(item);
  }
  return taken;
}

/** What an enter without payload enters with on later lines is null; bytes have no place in a subscription. */
function entering({ data = new Json(null) }: Commands["enter"]): Json | undefined {
  return data instanceof Json ? data : undefined;
}

function isSendable(subscription: Subscription): boolean {
  return subscription.isDue && !subscription.token.isMissing;
}

/** Asks for the keys after the last of a page that is not the last. */
function stateRest(channel: string, { more, entries = [] }: { more?: boolean; entries?: { key?: string }[] }): Command[] {
  const after = entries[entries.length - 1]?.key;
  return more && after !== undefined ? [{ state: { channel, after } }] : [];
}

/** Asks for the users after the last of a page that is not the last. */
function presenceRest(channel: string, { more, members = [] }: { more?: boolean; members?: { user?: string }[] }): Command[] {
  const after = members[members.length - 1]?.user;
  return more && after !== undefined ? [{ presence: { channel, after } }] : [];
}
