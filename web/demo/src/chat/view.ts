// Draws the rows of the chat and keeps its place: at the bottom it follows, above it stays where the person reads.

import { element, find, motionIsReduced, reconcile, setText } from "../dom.js";
import { counted, timeOfDay } from "../format.js";
import { setAvatar, showAvatars } from "../person/avatar.js";
import type { People } from "../person/people.js";
import { follows, isMessage, type Message, type Row } from "./log.js";

const seenMax = 5;
const atBottomPixels = 40;

export interface ChatViewActions {
  retry(id: string): void;
  /** The newest message is before the person's eyes. */
  read(): void;
}

export class ChatView {
  readonly #scroll = find("chat-scroll", HTMLElement);
  readonly #list = find("chat-log", HTMLOListElement);
  readonly #empty = find("chat-empty", HTMLElement);
  readonly #jump = find("chat-jump", HTMLButtonElement);
  readonly #known = new Map<string, HTMLElement>();
  readonly #people: People;
  readonly #actions: ChatViewActions;
  #follow = true;
  #settled = false;

  constructor(people: People, actions: ChatViewActions) {
    this.#people = people;
    this.#actions = actions;
    this.#scroll.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#jump.addEventListener("click", () => this.toBottom());
    new ResizeObserver(() => this.#keepPlace()).observe(this.#scroll);
  }

  get isAtBottom(): boolean {
    return this.#scroll.scrollHeight - this.#scroll.scrollTop - this.#scroll.clientHeight < atBottomPixels;
  }

  /** The history is there: from now on what comes is announced and comes in with a movement. */
  settle(): void {
    this.#settled = true;
    this.#list.setAttribute("aria-live", "polite");
  }

  setEmpty(text: string): void {
    setText(this.#empty, text);
  }

  draw(rows: readonly Row[], seen: ReadonlyMap<string, readonly string[]>, unread: number): void {
    this.#empty.hidden = rows.length > 0;
    const place = new Map(rows.map((row, index) => [row, index]));
    reconcile<Row, HTMLElement>(this.#list, this.#known, rows, (row) => row.key,
      (row) => (isMessage(row) ? this.#makeMessage(row) : makeMarker()),
      (made, row) => {
        if (!isMessage(row)) {
          made.className = `divider divider-${row.divider}`;
          return setText(made, row.text);
        }
        this.#updateMessage(made, row, follows(row, rows[(place.get(row) ?? 0) - 1]), seen.get(row.key) ?? []);
      });
    setText(this.#jump, unread > 0 ? `${counted(unread, "new message")} ↓` : "Latest ↓");
    this.#keepPlace();
  }

  toBottom(): void {
    this.#follow = true;
    this.#keepPlace();
  }

  #keepPlace(): void {
    if (this.#follow) this.#scroll.scrollTop = this.#scroll.scrollHeight;
    this.#jump.hidden = this.isAtBottom;
    if (this.isAtBottom) this.#actions.read();
  }

  #scrolled(): void {
    this.#follow = this.isAtBottom;
    this.#jump.hidden = this.#follow;
    if (this.#follow) this.#actions.read();
  }

  #makeMessage(message: Message): HTMLElement {
    const made = element("li", { class: "message" },
      element("span"),
      element("div", { class: "message-body" },
        element("span", { class: "message-author" }),
        element("p", { class: "message-text", attributes: { dir: "auto" } }, message.text)),
      element("div", { class: "message-side" },
        element("time", { class: "message-time" }),
        element("span", { class: "message-seen" }),
        element("span", { class: "message-status" })));
    if (this.#settled && !motionIsReduced()) {
      made.classList.add("message-new");
      made.addEventListener("animationend", () => made.classList.remove("message-new"), { once: true });
    }
    return made;
  }

  #updateMessage(made: HTMLElement, message: Message, following: boolean, seenBy: readonly string[]): void {
    const person = this.#people.get(message.user);
    made.classList.toggle("message-own", message.own);
    made.classList.toggle("message-follow", following);
    made.classList.toggle("message-pending", message.delivery === "pending");
    made.classList.toggle("message-failed", message.delivery === "failed");
    made.classList.toggle("message-gone", message.gone);
    made.classList.toggle("message-only-emoji", isOnlyEmoji(message.text));
    made.dataset["offset"] = String(message.offset);

    setAvatar(made.querySelector(":scope > .avatar, :scope > span") as HTMLElement, person);
    const author = made.querySelector(".message-author") as HTMLElement;
    author.className = `message-author tone-${person.tone}`;
    setText(author, message.own ? "You" : person.name);
    const time = made.querySelector("time") as HTMLTimeElement;
    time.dateTime = new Date(message.timeMs).toISOString();
    setText(time, message.delivery === "sent" ? timeOfDay(message.timeMs) : "");

    const seen = made.querySelector(".message-seen") as HTMLElement;
    const readers = seenBy.map((user) => this.#people.get(user));
    showAvatars(seen, readers, seenMax, "small");
    if (readers.length === 0) seen.removeAttribute("aria-label");
    else seen.setAttribute("aria-label", `Seen by ${readers.map((reader) => reader.name).join(", ")}`);
    seen.setAttribute("role", "img");
    seen.hidden = readers.length === 0;
    this.#updateStatus(made.querySelector(".message-status") as HTMLElement, message);
  }

  #updateStatus(status: HTMLElement, message: Message): void {
    if (status.dataset["delivery"] === message.delivery) return;
    status.dataset["delivery"] = message.delivery;
    status.hidden = message.delivery === "sent";
    if (message.delivery === "pending") status.replaceChildren("Waiting for the line…");
    if (message.delivery !== "failed") return;
    const retry = element("button", {
      class: "message-retry", attributes: { type: "button" }, on: { click: () => this.#actions.retry(message.id) },
    }, "Try again");
    status.replaceChildren("Not sent.", retry);
  }
}

function makeMarker(): HTMLElement {
  return element("li", { class: "divider" });
}

function isOnlyEmoji(text: string): boolean {
  return text.length <= 24 && /^(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|\ufe0f|\u200d|\s)+$/u.test(text);
}
