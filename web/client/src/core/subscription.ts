import { lean, type Json, type MissedBody, type Position, type PresenceMode, type PublicationBody, type SubscribedBody, type SubscribeItem } from "../message.js";
import type { SubscriptionState } from "./output.js";
import { Presence } from "./presence.js";
import { State } from "./state.js";
import { Token } from "./token.js";

/** What the application asks of a subscription. */
export interface SubscriptionOptions {
  since?: Position;
  rewind?: number;
  state?: boolean;
  presence?: PresenceMode;
  enter?: Json;
  token?: string;
  tokenSource?: boolean;
}

/** What to do with a publication. */
export type Verdict = "deliver" | "drop" | "gap";

/** One channel or pattern that the application wants, or wanted until the server ended it. */
export class Subscription {
  readonly channel: string;
  readonly isPattern: boolean;
  readonly token = new Token(undefined, false);
  readonly state = new State();
  readonly presence = new Presence();
  options: SubscriptionOptions = {};
  status: SubscriptionState = "subscribing";
  position: Position | undefined;
  enter: Json | undefined;
  /** To be sent as soon as the line and the pace allow. */
  isDue = true;
  /** A subscribe of this subscription has gone out on the present line. */
  isSent = false;
  /** The server has answered on the present line: publications are taken. */
  isLive = false;
  /** When a failed subscription is tried again. */
  retryAt: number | undefined;
  /** Failures in a row. */
  failures = 0;
  /** Grows with each answer, so that pages asked for before it are told apart. */
  generation = 0;
  /** CLI-5: entries are missing, so that nothing is taken until the answer. */
  #hasGap = false;
  #top = 0;

  constructor(channel: string) {
    this.channel = channel;
    this.isPattern = channel.endsWith("*");
  }

  /** The application asks for it, for the first time, with other options, or after it ended. */
  want(options: SubscriptionOptions | undefined): void {
    if (options) {
      this.options = options;
      this.enter = options.enter;
      this.token.source = options.tokenSource ?? false;
      this.token.held = options.token ?? this.token.held;
    }
    this.failures = 0;
    this.due();
  }

  /** It is to be sent, again or for the first time. */
  due(): void {
    this.status = "subscribing";
    this.isDue = true;
    this.retryAt = undefined;
  }

  /** The server serves it no more; `retryAt` says whether and when it is tried again. */
  interrupt(retryAt?: number): void {
    this.status = retryAt === undefined ? "ended" : "subscribing";
    this.isDue = false;
    this.isLive = false;
    this.isSent = false;
    this.retryAt = retryAt;
    this.token.stop();
  }

  /** The line is gone. On the next one all that is wanted is due. */
  lineLost(): void {
    if (this.status === "ended") return;
    this.interrupt();
    this.due();
  }

  /** CLI-4: what stands for it in `connect` and `subscribe`. */
  item(): SubscribeItem {
    const { state, presence, rewind, since } = this.options;
    const from = this.position ?? since;
    return lean({
      channel: this.channel,
      since: from,
      rewind: from ? undefined : rewind,
      state,
      presence: presence === "none" ? undefined : presence,
      enter: this.enter,
      token: this.token.held,
    });
  }

  sent(): void {
    this.isDue = false;
    this.isSent = true;
    this.retryAt = undefined;
  }

  /** SUB-2: takes the position of the answer to the last subscribe. Returns what is missed (SUB-5). */
  answered({ epoch, offset = 0, top = 0, recovered, missed }: SubscribedBody): MissedBody | undefined {
    // Entries may have been handed over while an answer from the same log was on its way: they are neither repeated nor missed.
    const goesOn = (recovered || missed?.to) && this.position?.epoch === epoch;
    const held = goesOn ? (this.position?.offset ?? 0) : 0;
    this.position = epoch === undefined ? undefined : { epoch, offset: Math.max(held, offset) };
    this.#top = top;
    this.#hasGap = false;
    this.failures = 0;
    this.generation++;
    this.isLive = true;
    if (!this.isDue) this.status = "subscribed";
    if (!missed?.to) return missed;
    const from = Math.max(missed.from ?? 0, held + 1);
    return from > missed.to ? undefined : { from, to: missed.to };
  }

  /** CLI-5. "deliver" has moved the position (CLI-6). */
  judge(publication: PublicationBody): Verdict {
    const offset = publication.offset ?? 0;
    if (!this.isLive || this.#hasGap) return "drop";
    if (!this.position || !offset) return "deliver";
    if (offset <= this.position.offset) return "drop";
    this.#hasGap = (publication.prev ?? offset - 1) > this.position.offset;
    if (this.#hasGap) return "gap";
    this.position = { epoch: this.position.epoch, offset };
    return "deliver";
  }

  /** SUB-7: whether the publication was already there when the subscription was answered. */
  isReplayed(publication: PublicationBody): boolean {
    return this.position !== undefined && (publication.offset ?? 0) <= this.#top;
  }

  /** A pattern takes what its prefix fits. */
  matches(channel: string): boolean {
    return this.isPattern && this.isLive && channel.startsWith(this.channel.slice(0, -1));
  }
}
