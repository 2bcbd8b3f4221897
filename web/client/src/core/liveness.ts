const pingDefaultMs = 25_000;
const pongDefaultMs = 8_000;
const shortestMs = 1_000;

/** LIV-2: whether the line is still there, by what is received on it. */
export class Liveness {
  #pingMs = pingDefaultMs;
  #pongMs = pongDefaultMs;
  #receivedAt = 0;
  #pingedAt: number | undefined;

  /** The connect reply says how long silence may last; a very short time would make the client flood. */
  begin(pingMs: number | undefined, pongMs: number | undefined, now: number): void {
    this.#pingMs = Math.max(pingMs || pingDefaultMs, shortestMs);
    this.#pongMs = Math.max(pongMs || pongDefaultMs, shortestMs);
    this.received(now);
  }

  received(now: number): void {
    this.#receivedAt = now;
    this.#pingedAt = undefined;
  }

  get deadline(): number {
    return this.#pingedAt === undefined ? this.#receivedAt + this.#pingMs : this.#pingedAt + this.#pongMs;
  }

  /** What is due: a ping, or the end of the line. The answer "ping" counts as sent. */
  due(now: number): "ping" | "lost" | undefined {
    if (now < this.deadline) return undefined;
    if (this.#pingedAt !== undefined) return "lost";
    this.#pingedAt = now;
    return "ping";
  }

  /** CLI-9: nothing came for so long that the line would have been given up, had anybody been awake. */
  sleptThrough(now: number): boolean {
    return now - this.#receivedAt > this.#pingMs + this.#pongMs;
  }
}
