/** What the surroundings tell of themselves. */
export interface PlatformEvents {
  /** The network came back or went away. */
  network(online: boolean): void;
  /** The page was frozen until now. */
  woke(): void;
  /** The page is seen again: timers may have been held back while it was not. */
  seen(): void;
}

/** Clock, timers, chance and events of the surroundings: real ones by default, others in tests and unusual hosts. */
export interface Platform {
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** Calls back once after a time, and returns what cancels it. */
  timer(callback: () => void, afterMs: number): () => void;
  /** Calls back as soon as other work has had its turn. */
  yield(callback: () => void): void;
  /** A number from 0 to below 1 from a source that nobody can foresee. */
  random(): number;
  /** Tells what happens around, until the returned function is called. */
  watch(events: PlatformEvents): () => void;
  /** Whether timers can be trusted to come in time: a page that is not seen has them held back. */
  isPrompt(): boolean;
}

const timerMaxMs = 2 ** 31 - 1;

/** A browser's page or worker, or Node. */
export const platform: Platform = {
  now: () => Math.floor(performance.now()),
  timer(callback, afterMs) {
    // A longer time would fire at once; coming too early does no harm.
    const timer = setTimeout(callback, Math.min(afterMs, timerMaxMs));
    return () => clearTimeout(timer);
  },
  yield(callback) {
    // Not a timer: those are held back in pages that are not seen.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      callback();
    };
    port2.postMessage(0);
  },
  random: () => crypto.getRandomValues(new Uint32Array(1))[0]! / 2 ** 32,
  watch(events) {
    const page = typeof document === "undefined" ? {} : document;
    const undo = [
      listen(globalThis, "online", () => events.network(true)),
      listen(globalThis, "offline", () => events.network(false)),
      listen(globalThis, "pageshow", (event) => (event as PageTransitionEvent).persisted && events.woke()),
      listen(page, "resume", () => events.woke()),
      listen(page, "visibilitychange", () => platform.isPrompt() && events.seen()),
    ];
    return () => undo.forEach((one) => one());
  },
  isPrompt: () => typeof document === "undefined" || document.visibilityState === "visible",
};

/** Listens where one can: Node has no such events. */
function listen(target: Partial<EventTarget>, name: string, listener: (event: Event) => unknown): () => void {
  target.addEventListener?.(name, listener);
  return () => target.removeEventListener?.(name, listener);
}
