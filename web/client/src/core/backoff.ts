/** A number from 0 to below 1. */
export type Random = () => number;

export const delayMaxMs = 30_000;
const delayBaseMs = 1_000;
const quickMaxMs = 200;
const windowDefaultMs = 1_000;
const windowMaxMs = 600_000;
const timeoutMaxMs = 30_000;

/** Full jitter: uniformly from 0 to a cap that doubles with each failure in a row, at least the floor (LIV-3). */
export function fullJitter(random: Random, failures: number, floorMs = 0): number {
  return Math.floor(random() * Math.max(floorMs, Math.min(delayMaxMs, delayBaseMs * 2 ** (failures - 1))));
}

/** When to try to connect again, and how long an attempt may take. */
export class Backoff {
  /** Failed attempts in a row; a line that lasted forgets them. */
  failures = 0;
  #windowMs = windowDefaultMs;
  readonly #random: Random;
  readonly #timeoutMs: number;

  constructor(random: Random, timeoutMs: number) {
    this.#random = random;
    this.#timeoutMs = timeoutMs;
  }

  /** The server's hint; absent and 0 say nothing. Limited, so that a wrong one cannot keep a client away for days. */
  hint(windowMs: number | undefined): void {
    if (windowMs) this.#windowMs = Math.min(windowMs, windowMaxMs);
  }

  /** CLI-2: the timeout of an attempt grows by half with each failed one. */
  get timeoutMs(): number {
    return Math.min(timeoutMaxMs, Math.floor(this.#timeoutMs * 1.5 ** this.failures));
  }

  /** LIV-3: the first retry comes from the window alone. */
  get delayMs(): number {
    return this.failures === 0 ? Math.floor(this.#random() * this.#windowMs) : fullJitter(this.#random, this.failures, this.#windowMs);
  }

  /** LIV-3: the client's own network came back, or its page was thawed. */
  get quickMs(): number {
    return Math.floor(this.#random() * quickMaxMs);
  }
}
