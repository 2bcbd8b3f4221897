import { fullJitter, type Random } from "./backoff.js";

const renewBeforeMs = 10_000;

/** The token of the connection or of one subscription: held, asked for, renewed in time (CLI-3). */
export class Token {
  held: string | undefined;
  /** Whether there is somebody to ask. */
  source: boolean;
  /** When to ask for the next one, while the present one serves. */
  renewAt: number | undefined;
  /** The next token is for `refresh`. */
  renewing = false;
  #failures = 0;

  constructor(held: string | undefined, source: boolean) {
    this.held = held;
    this.source = source;
  }

  get isMissing(): boolean {
    return this.source && this.held === undefined;
  }

  /** The server has taken the token, and says how long it is good for. */
  accepted(expiresMs: number | undefined, now: number): void {
    this.#failures = 0;
    this.renewing = false;
    this.renewAt = expiresMs && this.source ? now + Math.max(expiresMs - renewBeforeMs, Math.floor(expiresMs / 2)) : undefined;
  }

  /** No new token came, or it was refused for now: again later, the old one still serves. */
  renewalFailed(random: Random, now: number): void {
    this.renewing = false;
    this.renewAt = now + fullJitter(random, ++this.#failures);
  }

  /** Nothing is renewed without a line. */
  stop(): void {
    this.renewing = false;
    this.renewAt = undefined;
  }

  /** Whether it is time to ask. The answer true counts as asked. */
  due(now: number): boolean {
    if (this.renewAt === undefined || now < this.renewAt) return false;
    this.renewAt = undefined;
    this.renewing = true;
    return true;
  }
}
