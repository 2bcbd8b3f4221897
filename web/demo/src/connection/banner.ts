// The one place where the page says how its line is. It floats over the page and moves nothing.

import { find, setText } from "../dom.js";

export type BannerKind = "connecting" | "lost" | "back" | "closed";

export interface BannerContent {
  readonly kind: BannerKind;
  readonly text: string;
  /** When the next attempt is: counted down, but not read out every second. */
  readonly untilMs?: number;
  readonly button?: { readonly text: string; readonly press: () => void };
  /** Goes away by itself after this time. */
  readonly forMs?: number;
}

export class Banner {
  readonly #root = find("banner", HTMLElement);
  readonly #body = find("banner-body", HTMLElement);
  readonly #count = find("banner-count", HTMLElement);
  readonly #button = find("banner-button", HTMLButtonElement);
  #press: () => void = () => undefined;
  #countdown: ReturnType<typeof setInterval> | undefined;
  #end: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.#button.addEventListener("click", () => this.#press());
  }

  show(content: BannerContent): void {
    this.#stopTimers();
    this.#root.dataset["kind"] = content.kind;
    setText(find("banner-text", HTMLElement), content.text);
    this.#button.hidden = content.button === undefined;
    setText(this.#button, content.button?.text ?? "");
    this.#press = content.button?.press ?? (() => undefined);
    this.#body.hidden = false;
    this.#countDown(content.untilMs);
    if (content.forMs !== undefined) this.#end = setTimeout(() => this.hide(), content.forMs);
  }

  hide(): void {
    this.#stopTimers();
    this.#root.dataset["kind"] = "none";
    this.#body.hidden = true;
  }

  #countDown(untilMs: number | undefined): void {
    setText(this.#count, "");
    if (untilMs === undefined) return;
    const tell = (): void => {
      const seconds = Math.ceil((untilMs - Date.now()) / 1000);
      setText(this.#count, seconds > 0 ? `Next try in ${seconds} s` : "Trying");
    };
    tell();
    this.#countdown = setInterval(tell, 250);
  }

  #stopTimers(): void {
    clearInterval(this.#countdown);
    clearTimeout(this.#end);
  }
}
