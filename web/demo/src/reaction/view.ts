import { element, find, setText } from "../dom.js";
import { count } from "../format.js";
import { reactions, type ReactionCounts } from "./counts.js";

interface Button {
  readonly button: HTMLButtonElement;
  readonly count: HTMLElement;
}

const rungMs = 500;

export class ReactionView {
  readonly #buttons = new Map<string, Button>();
  readonly #lights = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(ring: (emoji: string) => void) {
    for (const { emoji, name } of reactions) {
      const number = element("span", { class: "reaction-count" }, "0");
      const button = element("button", {
        class: "reaction-button", attributes: { type: "button", "data-emoji": emoji }, on: { click: () => ring(emoji) },
      },
      element("span", { class: "reaction-emoji", attributes: { "aria-hidden": "true" } }, emoji),
      element("span", { class: "visually-hidden" }, name), number);
      this.#buttons.set(emoji, { button, count: number });
      find("reaction-buttons", HTMLElement).append(button);
    }
  }

  draw(counts: ReactionCounts): void {
    for (const [emoji, button] of this.#buttons) setText(button.count, count(counts.of(emoji)));
    setText(find("reaction-total", HTMLElement), count(counts.total));
  }

  /** Lights the button up for a moment: also for those who asked for less motion. */
  rung(emoji: string): void {
    const button = this.#buttons.get(emoji)?.button;
    if (button === undefined) return;
    button.classList.add("reaction-rung");
    clearTimeout(this.#lights.get(emoji));
    this.#lights.set(emoji, setTimeout(() => button.classList.remove("reaction-rung"), rungMs));
  }
}
