// How the line is, in words: while it is lost, and when it is back what the break meant.

import { find, setText } from "../dom.js";
import { duration } from "../format.js";
import type { Page } from "../page.js";
import { Banner } from "./banner.js";
import { Outcome } from "./outcome.js";

const slowStartMs = 1200;
const backForMs = 9000;

export class Connection {
  readonly #page: Page;
  readonly #banner = new Banner();
  readonly #chip = find("line-chip", HTMLElement);
  /** Channels whose answer on this line is still awaited after a break. */
  readonly #awaited = new Set<string>();
  #outcome: Outcome | null = null;
  #lostAtMs: number | null = null;
  #wasConnected = false;
  #slowStart: ReturnType<typeof setTimeout> | undefined;

  constructor(page: Page) {
    this.#page = page;
    page.bellwire.on("state", (event) => {
      this.#chip.dataset["state"] = event.state;
      clearTimeout(this.#slowStart);
      switch (event.state) {
        case "connecting": return this.#connecting();
        case "connected": return this.#connected();
        case "waiting": return this.#waiting(event.retryAtMs, event.reason);
        case "closed": return this.#closed(event.code, event.reason);
        default: return undefined;
      }
    });
    // A failure that the banner tells of anyway, or a mistake of this page: for whoever looks into the console.
    page.bellwire.on("error", (error) => console.warn("bellwire:", error));
  }

  /** Listens to the channels of all parts: their answers say what a break meant. */
  watch(): void {
    for (const channel of this.#page.channels) {
      channel.on("subscribed", (answer) => {
        this.#outcome?.answered({ offset: answer.offset ?? 0, top: answer.top ?? 0, ...(answer.recovered === undefined ? {} : { recovered: answer.recovered }) });
        this.#answered(channel.name);
      });
      channel.on("missed", (missed) => this.#outcome?.missed(missed));
      channel.on("unsubscribed", () => this.#answered(channel.name));
    }
  }

  /** The last round trip, beside the state. */
  roundTrip(milliseconds: number): void {
    if (this.#page.bellwire.state === "connected") setText(find("line-chip-text", HTMLElement), `Live · ${duration(milliseconds)}`);
  }

  #connecting(): void {
    this.#say("Connecting");
    if (this.#lostAtMs !== null) {
      this.#banner.show({ kind: "lost", text: "The line is lost. Trying to reach the server…" });
      return;
    }
    this.#slowStart = setTimeout(() => this.#banner.show({ kind: "connecting", text: "Ringing the server…" }), slowStartMs);
  }

  #connected(): void {
    this.#say("Live");
    const isFirst = !this.#wasConnected;
    this.#wasConnected = true;
    if (isFirst) this.#lostAtMs = null; // nothing was held that could have been missed
    if (this.#lostAtMs === null) return this.#banner.hide();
    this.#outcome = new Outcome();
    for (const channel of this.#page.channels) this.#awaited.add(channel.name);
  }

  #waiting(retryAtMs: number | undefined, reason: string | undefined): void {
    this.#outcome = null;
    this.#awaited.clear();
    this.#lostAtMs ??= Date.now();
    if (!navigator.onLine || reason === "offline") {
      this.#say("Offline");
      this.#banner.show({ kind: "lost", text: "You are offline. What you do is kept, and the page goes on by itself when the network is back." });
      return;
    }
    this.#say("Line lost");
    this.#banner.show({
      kind: "lost", text: reason === "token" ? "The server gives this page no token yet." : "The line is lost. What you do is kept.",
      ...(retryAtMs === undefined ? {} : { untilMs: retryAtMs }),
      button: { text: "Try now", press: () => void this.#page.bellwire.connect() },
    });
  }

  #closed(code: number | undefined, reason: string | undefined): void {
    this.#say("Closed");
    const why = [code, reason].filter((part) => part !== undefined && part !== "").join(" ");
    this.#banner.show({
      kind: "closed", text: `The server has ended this connection${why === "" ? "" : ` (${why})`}.`,
      button: { text: "Connect again", press: () => void this.#page.bellwire.connect() },
    });
  }

  /** When every channel has its answer, it is known what the break meant. */
  #answered(channel: string): void {
    if (!this.#awaited.delete(channel) || this.#awaited.size > 0) return;
    const outcome = this.#outcome;
    this.#outcome = null;
    // What was missed is told after the answer it belongs to.
    queueMicrotask(() => {
      if (outcome === null || this.#lostAtMs === null) return;
      this.#banner.show({ kind: "back", text: outcome.text(Date.now() - this.#lostAtMs), forMs: backForMs });
      this.#lostAtMs = null;
    });
  }

  #say(text: string): void {
    setText(find("line-chip-text", HTMLElement), text);
  }
}
