// Everybody else's cursors. A frame is asked for only while one of them moves.

import { element, find, motionIsReduced, setText, svg } from "../dom.js";
import type { Person } from "../person/identity.js";
import { approach, pointIn, type Box, type Point, type Spot } from "./motion.js";

interface Cursor {
  readonly root: HTMLElement;
  readonly name: HTMLElement;
  /** Where it is drawn, in pixels of the document; null before the first frame. */
  drawn: Point | null;
  spot: Spot;
  movedAtMs: number;
}

const cursorsMax = 60;
const idleAfterMs = 6000;

export class CursorView {
  readonly #place = find("cursors", HTMLElement);
  readonly #cursors = new Map<string, Cursor>();
  #frame: number | null = null;
  #lastMs = 0;

  constructor() {
    addEventListener("resize", () => this.#wake());
    setInterval(() => this.#fade(), 1000);
  }

  /** The connections whose cursors are shown. */
  get connections(): readonly string[] {
    return [...this.#cursors.keys()];
  }

  move(connection: string, person: Person, spot: Spot): void {
    let cursor = this.#cursors.get(connection);
    if (cursor === undefined) {
      if (this.#cursors.size >= cursorsMax) return;
      cursor = makeCursor(spot);
      cursor.root.dataset["connection"] = connection;
      this.#cursors.set(connection, cursor);
      this.#place.append(cursor.root);
    }
    cursor.root.className = `cursor tone-${person.tone}`;
    setText(cursor.name, person.name);
    cursor.spot = spot;
    cursor.movedAtMs = performance.now();
    this.#wake();
  }

  remove(connection: string): void {
    this.#cursors.get(connection)?.root.remove();
    this.#cursors.delete(connection);
  }

  clear(): void {
    for (const connection of this.connections) this.remove(connection);
  }

  #wake(): void {
    if (this.#frame !== null) return;
    this.#lastMs = performance.now();
    this.#frame = requestAnimationFrame((now) => this.#draw(now));
  }

  #draw(nowMs: number): void {
    const passed = motionIsReduced() ? Number.POSITIVE_INFINITY : nowMs - this.#lastMs;
    this.#lastMs = nowMs;
    let moving = false;
    const boxes = new Map<string, Box>();
    for (const cursor of this.#cursors.values()) {
      const target = pointIn(boxOf(cursor.spot.area, boxes), cursor.spot);
      cursor.drawn ??= { ...target };
      moving = approach(cursor.drawn, target, passed) || moving;
      cursor.root.style.transform = `translate(${cursor.drawn.x.toFixed(1)}px, ${cursor.drawn.y.toFixed(1)}px)`;
    }
    this.#frame = moving ? requestAnimationFrame((now) => this.#draw(now)) : null;
  }

  #fade(): void {
    const now = performance.now();
    for (const cursor of this.#cursors.values()) cursor.root.classList.toggle("cursor-idle", now - cursor.movedAtMs > idleAfterMs);
  }
}

/** The area's box in pixels of the document; the whole page where there is no such area. */
function boxOf(area: string, known: Map<string, Box>): Box {
  let box = known.get(area);
  if (box === undefined) {
    const owner = /^[a-z]{1,20}$/.test(area) ? document.querySelector(`[data-area="${area}"]`) : null;
    const rect = (owner ?? document.body).getBoundingClientRect();
    box = { left: rect.left + scrollX, top: rect.top + scrollY, width: rect.width, height: rect.height };
    known.set(area, box);
  }
  return box;
}

function makeCursor(spot: Spot): Cursor {
  const arrow = svg("svg", { viewBox: "0 0 20 20", class: "cursor-arrow" });
  arrow.append(svg("path", { d: "M2 2l5.6 15 2.5-6.6L17 8z", "stroke-linejoin": "round" }));
  const name = element("span", { class: "cursor-name" });
  const root = element("div", { class: "cursor" });
  root.append(arrow, name);
  return { root, name, drawn: null, spot, movedAtMs: performance.now() };
}
