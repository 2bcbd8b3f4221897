import { errorCodes } from "./codes.js";
import { BellwireError } from "./error.js";

const itemsMax = 10_000;

/** What was pushed, to be pulled with `for await`. Ends when its source ends, and throws what ended it. */
export class Stream<Item extends object> implements AsyncIterableIterator<Item> {
  #items: Item[] = [];
  #waiting: ((result: IteratorResult<Item> | PromiseLike<IteratorResult<Item>>) => void)[] = [];
  #isDone = false;
  #error: unknown;
  readonly #release: () => void;

  /** `release` is called once, when nothing is wanted any more. */
  constructor(release: () => void) {
    this.#release = release;
  }

  push(item: Item): void {
    if (this.#isDone) return;
    const waiting = this.#waiting.shift();
    if (waiting) waiting({ value: item, done: false });
    else if (this.#items.length < itemsMax) this.#items.push(item);
    else this.end(new BellwireError(errorCodes.limit_exceeded, "too many publications were not taken"));
  }

  /** Ends the stream after what it has, with an error or without. */
  end(error?: unknown): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#error = error;
    this.#release();
    for (const waiting of this.#waiting.splice(0)) waiting(this.#last());
  }

  next(): Promise<IteratorResult<Item>> {
    const value = this.#items.shift();
    if (value) return Promise.resolve({ value, done: false });
    if (this.#isDone) return this.#last();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  return(): Promise<IteratorResult<Item>> {
    this.#items = [];
    this.end();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The error is thrown once; then the stream is just over. */
  #last(): Promise<IteratorResult<Item>> {
    const error = this.#error;
    this.#error = undefined;
    return error === undefined ? Promise.resolve({ value: undefined, done: true }) : Promise.reject(error);
  }
}
