import type { Decoded } from "./codec/codec.js";
import type { Platform } from "./platform.js";

/** How long messages are handled before the page gets a turn: a long replay must not freeze it. */
const sliceMs = 12;
/** What may wait to be handled; a line that brings more is given up, to be resumed. */
const bytesMax = 64 << 20;

interface Arrival {
  readonly line: number;
  readonly bytes: number;
  /** Handles a part; true when there may be more. */
  handle(): boolean | void;
}

/** Where arrivals go, in their order. */
export interface InboxTarget {
  isPresent(line: number): boolean;
  message(line: number, decoded: Decoded): void;
  unreadable(line: number, error: unknown): void;
}

/** What has come over the line and waits to be handled, in slices. */
export class Inbox {
  readonly #platform: Platform;
  readonly #target: InboxTarget;
  #arrivals: Arrival[] = [];
  #bytes = 0;
  #isRunning = false;

  constructor(platform: Platform, target: InboxTarget) {
    this.#platform = platform;
    this.#target = target;
  }

  /** Messages of a line, decoded one by one when it is their turn. */
  messages(line: number, bytes: number, decode: () => Iterator<Decoded>): void {
    const target = this.#target;
    if (this.#bytes + bytes > bytesMax) return this.add(line, () => target.unreadable(line, new RangeError("bellwire: too much at once")));
    let messages: Iterator<Decoded> | undefined;
    const handle = (): boolean => {
      let next: IteratorResult<Decoded>;
      try {
        next = (messages ??= decode()).next();
      } catch (error) {
        target.unreadable(line, error);
        return false;
      }
      if (!next.done) target.message(line, next.value);
      return !next.done;
    };
    this.add(line, handle, bytes);
  }

  /** Anything else that happened to a line, after what came before it. */
  add(line: number, handle: () => boolean | void, bytes = 0): void {
    this.#arrivals.push({ line, bytes, handle });
    this.#bytes += bytes;
    if (!this.#isRunning) this.#run();
  }

  clear(): void {
    this.#arrivals = [];
    this.#bytes = 0;
  }

  #run(): void {
    this.#isRunning = true;
    const until = this.#platform.now() + sliceMs;
    for (let arrival = this.#arrivals[0]; arrival; arrival = this.#arrivals[0]) {
      const isDone = !this.#target.isPresent(arrival.line) || !arrival.handle();
      if (isDone && this.#arrivals[0] === arrival) { // a listener may have closed the client
        this.#arrivals.shift();
        this.#bytes -= arrival.bytes;
      }
      if (this.#platform.now() >= until && this.#arrivals.length > 0) return this.#platform.yield(() => this.#run());
    }
    this.#isRunning = false;
  }
}
