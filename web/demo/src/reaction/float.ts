// Emojis that float up over everybody's page, with the name of who sent them. Decoration: hidden from screen readers.

import { element, find, motionIsReduced } from "../dom.js";
import type { Person } from "../person/identity.js";

const floatsMax = 40;

export function floatUp(emoji: string, person: Person): void {
  const place = find("floats", HTMLElement);
  if (motionIsReduced() || document.hidden || place.childElementCount >= floatsMax) return;
  const made = element("div", { class: `float tone-${person.tone}` },
    element("span", { class: "float-emoji" }, emoji),
    element("span", { class: "float-name" }, person.name));
  made.style.left = `${6 + Math.random() * 84}%`;
  place.append(made);

  const rise = innerHeight * (0.55 + Math.random() * 0.4);
  const sway = (Math.random() - 0.5) * 120;
  const animation = made.animate([
    { transform: "translate(0, 0) scale(0.6)", opacity: 0 },
    { transform: `translate(${sway * 0.4}px, ${-rise * 0.18}px) scale(1.15)`, opacity: 1, offset: 0.15 },
    { transform: `translate(${-sway * 0.5}px, ${-rise * 0.6}px) scale(1)`, opacity: 1, offset: 0.65 },
    { transform: `translate(${sway}px, ${-rise}px) scale(0.9)`, opacity: 0 },
  ], { duration: 2600 + Math.random() * 1200, easing: "cubic-bezier(0.25, 0.6, 0.4, 1)" });
  const remove = (): void => made.remove();
  animation.finished.then(remove, remove);
}
