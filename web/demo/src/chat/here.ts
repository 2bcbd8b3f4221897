// Who is here and who is typing, from the members of the channel's presence.

import { disclosure } from "../disclosure.js";
import { element, find, setText } from "../dom.js";
import { counted, listed } from "../format.js";
import { avatar, showAvatars } from "../person/avatar.js";
import type { Person } from "../person/identity.js";

export interface Here {
  readonly person: Person;
  readonly pages: number;
  readonly typing: boolean;
}

const avatarsMax = 5;

/** "Amber Otter is typing", for the line above the composer; empty when nobody is. */
export function typingText(here: readonly Here[], self: string): string {
  const names = here.filter((member) => member.typing && member.person.user !== self).map((member) => member.person.name);
  if (names.length === 0) return "";
  if (names.length > 3) return `${names.length} people are typing`;
  return `${listed(names)} ${names.length === 1 ? "is" : "are"} typing`;
}

export class HereView {
  readonly #list = find("here-list", HTMLElement);

  constructor() {
    disclosure(find("here-button", HTMLButtonElement), this.#list);
  }

  draw(here: readonly Here[], total: number, self: string): void {
    setText(find("here-count", HTMLElement), String(total));
    showAvatars(find("here-avatars", HTMLElement), here.map((member) => member.person), avatarsMax, "normal");
    this.#list.replaceChildren(...here.map((member) => element("li", { class: "here-person" },
      avatar(member.person),
      element("span", { class: "here-person-name" }, member.person.name),
      element("span", { class: "here-person-note" }, note(member, self)))));
    setText(find("chat-typing", HTMLElement), typingText(here, self));
  }
}

function note(member: Here, self: string): string {
  const pages = member.pages > 1 ? counted(member.pages, "page") : "";
  return [member.person.user === self ? "you" : "", pages].filter((part) => part !== "").join(", ");
}
