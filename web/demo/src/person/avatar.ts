import { element } from "../dom.js";
import type { Person } from "./identity.js";
import { initials } from "./name.js";

/** A round sign of a person. The name stands beside it or in its title; screen readers skip the letters. */
export function avatar(person: Person, size: "normal" | "small" = "normal"): HTMLElement {
  const made = element("span", { attributes: { "aria-hidden": "true" } });
  setAvatar(made, person, size);
  return made;
}

export function setAvatar(made: HTMLElement, person: Person, size: "normal" | "small" = "normal"): void {
  made.className = `avatar tone-${person.tone}${size === "small" ? " avatar-small" : ""}`;
  made.textContent = initials(person.name);
  made.title = person.name;
}

/** Makes `place` show the people, at most `most` of them and then how many more. */
export function showAvatars(place: Element, people: readonly Person[], most: number, size: "normal" | "small"): void {
  const sign = people.map((person) => `${person.user}/${person.name}/${person.tone}`).join("\n");
  if (place.getAttribute("data-people") === sign) return;
  place.setAttribute("data-people", sign);
  const shown = people.length > most ? people.slice(0, most - 1) : people;
  const rest = people.length - shown.length;
  place.replaceChildren(...shown.map((person) => avatar(person, size)));
  if (rest > 0) {
    const more = element("span", { class: `avatar avatar-more${size === "small" ? " avatar-small" : ""}` }, `+${rest}`);
    place.append(more);
  }
}
