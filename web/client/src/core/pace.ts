/**
 * Keeps a client below the server's command rate (PROTOCOL.md section 13), where too many commands become errors and
 * too many errors end the connection for good. A bucket as one number: the time at which it would be full again.
 */
export class Pace {
  readonly #intervalMs: number;
  readonly #burstMs: number;
  #due = 0;

  constructor(intervalMs: number, burst: number) {
    this.#intervalMs = intervalMs;
    this.#burstMs = (burst - 1) * intervalMs;
  }

  /** A new line has a full bucket at the server too. */
  reset(): void {
    this.#due = 0;
  }

  spend(now: number): void {
    this.#due = Math.max(this.#due, now) + this.#intervalMs;
  }

  /** The first moment at which something more may be sent. */
  get opensAt(): number {
    return this.#due - this.#burstMs;
  }
}
