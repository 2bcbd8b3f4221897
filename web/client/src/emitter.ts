/** Takes one event. What it throws disturbs nobody else (CLI-12); it is given to the client's `error` event. */
export type Listener<E> = (event: E) => void;

/** Listeners by the name of their event. */
export class Emitter<Events> {
  readonly #listeners = new Map<keyof Events, Set<Listener<never>>>();
  readonly #report: (error: unknown) => void;

  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

  /** Adds a listener and returns what removes it. */
  on<N extends keyof Events>(name: N, listener: Listener<Events[N]>): () => void {
    const own: Listener<Events[N]> = (event) => listener(event); // the same function may be added twice, and removed once
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(own));
    return () => void listeners.delete(own);
  }

  has(name: keyof Events): boolean {
    return (this.#listeners.get(name)?.size ?? 0) > 0;
  }

  emit<N extends keyof Events>(name: N, event: Events[N]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])] as Listener<Events[N]>[]) {
      try {
        listener(event);
      } catch (error) {
        this.#report(error);
      }
    }
  }
}
