// A small line of the last values, drawn as one SVG path.

import { find, svg } from "../dom.js";
import { duration } from "../format.js";

const width = 120;
const height = 32;
const valuesMax = 45;

/** The path of the values from left to right; the greatest is at the top and zero at the bottom. */
export function sparklinePath(values: readonly number[]): string {
  const top = Math.max(...values, 1) * 1.1;
  const step = width / (valuesMax - 1);
  const first = valuesMax - values.length;
  return values.map((value, index) => {
    const x = ((first + index) * step).toFixed(1);
    const y = (height - 1 - (value / top) * (height - 2)).toFixed(1);
    return `${index === 0 ? "M" : "L"}${x} ${y}`;
  }).join("");
}

export class Sparkline {
  readonly #place = find("monitor-sparkline", SVGSVGElement);
  readonly #path = svg("path", { d: "" });
  readonly #values: number[] = [];

  constructor() {
    this.#place.append(this.#path);
  }

  add(value: number): void {
    this.#values.push(value);
    if (this.#values.length > valuesMax) this.#values.shift();
    this.#path.setAttribute("d", sparklinePath(this.#values));
    this.#place.dataset["points"] = String(this.#values.length);
    this.#place.setAttribute("aria-label", `Round trip of the last ${this.#values.length} pings, now ${duration(value)}`);
  }
}
