// A cursor's way over the page, as values. A position is a fraction of an area, so that it means the same thing in every window.

export interface Spot {
  /** The area it is over: "chat", "poll" and so on, or "page". */
  readonly area: string;
  readonly x: number;
  readonly y: number;
}

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface Point {
  x: number;
  y: number;
}

/** How fast the drawn cursor follows: after this time two thirds of the way are done. */
const followMs = 55;
const closePixels = 0.3;

export function spotIn(area: string, box: Box, point: Point): Spot {
  const part = (value: number, size: number): number => Math.round(10_000 * Math.min(1, Math.max(0, size > 0 ? value / size : 0))) / 10_000;
  return { area, x: part(point.x - box.left, box.width), y: part(point.y - box.top, box.height) };
}

export function pointIn(box: Box, spot: Spot): Point {
  return { x: box.left + spot.x * box.width, y: box.top + spot.y * box.height };
}

/** Moves the point towards its target for the time passed; says whether it is still on its way. */
export function approach(point: Point, target: Point, passedMs: number): boolean {
  const part = 1 - Math.exp(-Math.max(0, passedMs) / followMs);
  point.x += (target.x - point.x) * part;
  point.y += (target.y - point.y) * part;
  if (Math.abs(target.x - point.x) > closePixels || Math.abs(target.y - point.y) > closePixels) return true;
  point.x = target.x;
  point.y = target.y;
  return false;
}

/** Lets at most one through in each interval, and keeps the newest for the interval's end. */
export class Throttle {
  readonly #intervalMs: number;
  #nextMs = 0;

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** 0: now. Otherwise so long to wait. */
  wait(nowMs: number): number {
    const wait = this.#nextMs - nowMs;
    if (wait > 0) return wait;
    this.#nextMs = nowMs + this.#intervalMs;
    return 0;
  }
}
