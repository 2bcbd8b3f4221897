// Dark and light: the system's choice until the person makes one. static/theme.js applies it before the first paint.

import { find } from "./dom.js";
import { browserStore } from "./storage.js";

type Theme = "dark" | "light";

const listeners = new Set<() => void>();

function current(): Theme {
  return document.documentElement.dataset["theme"] === "dark" ? "dark" : "light";
}

function apply(theme: Theme): void {
  document.documentElement.dataset["theme"] = theme;
  find("theme-button", HTMLButtonElement).setAttribute("aria-label", theme === "dark" ? "Switch to light" : "Switch to dark");
  for (const listener of listeners) listener();
}

/** Calls back whenever the colours have changed: what is drawn on a canvas must be drawn again. */
export function onTheme(listener: () => void): void {
  listeners.add(listener);
}

/** The present value of one of the colours in tokens.css. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
}

export function startTheme(): void {
  apply(current());
  find("theme-button", HTMLButtonElement).addEventListener("click", () => {
    const chosen = current() === "dark" ? "light" : "dark";
    browserStore.set("theme", chosen);
    apply(chosen);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => {
    if (browserStore.get("theme") === null) apply(event.matches ? "dark" : "light");
  });
}
