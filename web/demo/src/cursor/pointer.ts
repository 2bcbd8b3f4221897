// This page's own pointer: where it is, at most 25 times a second, and when it has gone.

import { type Spot, spotIn, Throttle } from "./motion.js";

const intervalMs = 40;
const touchLingersMs = 1500;

/** Calls back with the spot of the pointer, or null when it has left the page. */
export function watchPointer(moved: (spot: Spot | null) => void): void {
  const throttle = new Throttle(intervalMs);
  let newest: (() => Spot | null) | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let linger: ReturnType<typeof setTimeout> | undefined;

  const flush = (): void => {
    timer = undefined;
    if (newest === null) return;
    const wait = throttle.wait(performance.now());
    if (wait > 0) {
      timer = setTimeout(flush, wait);
      return;
    }
    const spot = newest();
    newest = null;
    moved(spot);
  };
  const offer = (spot: () => Spot | null): void => {
    newest = spot;
    if (timer === undefined) flush();
  };

  const point = (event: PointerEvent): void => {
    clearTimeout(linger);
    const at = { x: event.clientX, y: event.clientY };
    offer(() => spotUnder(at, event.target));
  };
  document.addEventListener("pointermove", point, { passive: true });
  document.addEventListener("pointerdown", point, { passive: true });
  document.addEventListener("pointerup", (event) => {
    if (event.pointerType === "mouse") return;
    clearTimeout(linger);
    linger = setTimeout(() => offer(() => null), touchLingersMs);
  }, { passive: true });
  document.documentElement.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "mouse") offer(() => null);
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) offer(() => null);
  });
}

function spotUnder(at: { x: number; y: number }, target: EventTarget | null): Spot {
  const area = target instanceof Element ? target.closest<HTMLElement>("[data-area]") : null;
  if (area !== null) return spotIn(area.dataset["area"] ?? "page", area.getBoundingClientRect(), at);
  return spotIn("page", document.body.getBoundingClientRect(), at);
}
