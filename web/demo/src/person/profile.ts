// Choosing a name and a colour. It opens by itself on the first visit, beside the page and not in front of it.

import { element, find } from "../dom.js";
import { setAvatar } from "./avatar.js";
import type { Identity } from "./identity.js";
import { friendlyName, tones } from "./name.js";

const toneNames = [
  "Red", "Orange", "Yellow", "Lime", "Green", "Teal", "Cyan", "Blue", "Indigo", "Violet", "Pink", "Rose",
];

export function startProfile(identity: Identity): void {
  const button = find("profile-button", HTMLButtonElement);
  const form = find("profile", HTMLFormElement);
  const input = find("profile-input", HTMLInputElement);
  const choices = toneChoices(find("profile-tones", HTMLFieldSetElement));

  const open = (moveFocus: boolean): void => {
    input.value = identity.person.name;
    const choice = choices[identity.person.tone];
    if (choice !== undefined) choice.checked = true;
    form.hidden = false;
    button.setAttribute("aria-expanded", "true");
    if (moveFocus) {
      input.focus();
      input.select();
    }
  };
  const close = (moveFocus: boolean): void => {
    form.hidden = true;
    button.setAttribute("aria-expanded", "false");
    if (moveFocus) button.focus();
  };

  button.addEventListener("click", () => (form.hidden ? open(true) : close(false)));
  find("profile-dice", HTMLButtonElement).addEventListener("click", () => {
    input.value = friendlyName();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    identity.change(input.value, choices.findIndex((choice) => choice.checked));
    close(true);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !form.hidden) close(form.contains(document.activeElement));
  });
  document.addEventListener("pointerdown", (event) => {
    const outside = event.target instanceof Node && !form.contains(event.target) && !button.contains(event.target);
    if (!form.hidden && outside) close(false);
  });

  identity.watch((person) => {
    setAvatar(find("profile-avatar", HTMLElement), person);
    find("profile-name", HTMLElement).textContent = person.name;
  });
  if (identity.isNew) open(false);
}

function toneChoices(place: HTMLFieldSetElement): HTMLInputElement[] {
  const choices: HTMLInputElement[] = [];
  for (let tone = 0; tone < tones; tone++) {
    const choice = element("input", {
      attributes: { type: "radio", name: "tone", value: String(tone), "aria-label": toneNames[tone] ?? "" },
    });
    place.append(element("label", { class: `tone tone-${tone}` }, choice, element("span", { class: "tone-swatch" })));
    choices.push(choice);
  }
  return choices;
}
