// Choosing a name and a colour. It opens by itself on the first visit, beside the page and not in front of it.

import { disclosure } from "../disclosure.js";
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

  const panel = disclosure(button, form, () => {
    input.value = identity.person.name;
    const choice = choices[identity.person.tone];
    if (choice !== undefined) choice.checked = true;
  });

  button.addEventListener("click", () => {
    if (panel.isOpen) {
      input.focus();
      input.select();
    }
  });
  find("profile-dice", HTMLButtonElement).addEventListener("click", () => {
    input.value = friendlyName();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    identity.change(input.value, choices.findIndex((choice) => choice.checked));
    panel.close();
    button.focus();
  });

  identity.watch((person) => {
    setAvatar(find("profile-avatar", HTMLElement), person);
    find("profile-name", HTMLElement).textContent = person.name;
  });
  if (identity.isNew) panel.open();
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
