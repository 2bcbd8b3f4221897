// The figures of the line and the list of its events.

import { disclosure } from "../disclosure.js";
import { element, find, oncePerFrame, reconcile, setText } from "../dom.js";
import { bytes, count, counted, duration, timeOfDayExact } from "../format.js";
import { type LineEvent, LineEvents } from "./event.js";
import type { Headers, Meter } from "./meter.js";
import { Sparkline } from "./sparkline.js";

const eventsKept = 500;
const eventsShown = 120;

export class MonitorView {
  readonly #events = new LineEvents(eventsKept);
  readonly #known = new Map<string, HTMLElement>();
  readonly #list = find("monitor-events", HTMLOListElement);
  readonly #filter = find("monitor-filter", HTMLInputElement);
  readonly #quiet = find("monitor-quiet", HTMLInputElement);
  readonly #pause = find("monitor-pause", HTMLButtonElement);
  readonly #sparkline = new Sparkline();
  readonly #drawEvents = oncePerFrame(() => this.#showEvents());
  #held = 0;

  constructor() {
    this.#filter.addEventListener("input", () => this.#showEvents());
    this.#quiet.addEventListener("change", () => this.#showEvents());
    this.#pause.addEventListener("click", () => {
      this.#pause.setAttribute("aria-pressed", String(!this.#isPaused));
      this.#held = 0;
      this.#showPause();
      if (!this.#isPaused) this.#showEvents();
    });
    disclosure(find("saved-hint", HTMLButtonElement), find("saved-text", HTMLElement));
  }

  get #isPaused(): boolean {
    return this.#pause.getAttribute("aria-pressed") === "true";
  }

  add(event: LineEvent): void {
    this.#events.add(event);
    if (!this.#isPaused) return this.#drawEvents();
    this.#held++;
    this.#showPause();
  }

  roundTrip(milliseconds: number): void {
    setText(find("monitor-rtt", HTMLElement), duration(milliseconds));
    this.#sparkline.add(milliseconds);
  }

  transport(text: string): void {
    setText(find("monitor-transport", HTMLElement), text);
  }

  figures(meter: Meter, headers: Headers, channels: number): void {
    setText(find("monitor-in", HTMLElement), bytes(meter.bytesIn));
    setText(find("monitor-in-count", HTMLElement), counted(meter.messagesIn, "message"));
    setText(find("monitor-out", HTMLElement), bytes(meter.bytesOut));
    setText(find("monitor-out-count", HTMLElement), counted(meter.messagesOut, "message"));
    setText(find("monitor-saved", HTMLElement), bytes(meter.saved(headers)));
    setText(find("monitor-requests", HTMLElement), `${counted(meter.requests, "request")} not made`);
    this.#explain(headers, channels);
  }

  #explain(headers: Headers, channels: number): void {
    const place = find("saved-text", HTMLElement);
    if (place.dataset["channels"] === String(channels)) return;
    place.dataset["channels"] = String(channels);
    const pair = headers.request + headers.response;
    place.replaceChildren(
      element("p", {}, `To be this fresh by polling, the page would ask for each of its ${channels} channels every second. ` +
        `The headers of one such request and its response are ${count(pair)} bytes in this browser, token included, even when there is nothing new.`),
      element("p", {}, element("code", {}, `saved = seconds × ${channels} × ${pair} B − sent − ${pair} B for each time the line was opened`)),
      element("p", {}, "What is received is the same either way. Left out are compression, on both sides, and the requests by which a polling page would send."));
  }

  #showPause(): void {
    setText(this.#pause, this.#isPaused ? `Go on${this.#held > 0 ? ` (${count(this.#held)})` : ""}` : "Pause");
  }

  #showEvents(): void {
    if (this.#isPaused && this.#held > 0) return;
    const shown = this.#events.shown(this.#filter.value, this.#quiet.checked).slice(0, eventsShown);
    reconcile(this.#list, this.#known, shown, (event) => event.key, makeEvent, () => undefined);
    const empty = find("monitor-empty", HTMLElement);
    empty.hidden = shown.length > 0;
    setText(empty, this.#filter.value.trim() === "" ? "Every message on the line is shown here as it comes." : "Nothing on the line matches this filter yet.");
  }
}

function makeEvent(event: LineEvent): HTMLElement {
  const isIn = event.direction === "in";
  return element("li", { class: `event event-${event.direction}`, attributes: { title: event.text } },
    element("span", { class: "event-arrow", attributes: { "aria-label": isIn ? "received" : "sent", role: "img" } }, isIn ? "↓" : "↑"),
    element("span", { class: "event-time" }, timeOfDayExact(event.timeMs)),
    element("span", { class: "event-kind" }, event.channel === "" ? event.kind : `${event.kind} ${event.channel}`),
    element("span", { class: "event-text" }, event.text),
    element("span", { class: "event-size" }, bytes(event.bytes)));
}
