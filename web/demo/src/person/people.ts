// What this page knows of everybody: the name and tone under which each user was last seen.

import { fields, text } from "../payload.js";
import type { Person } from "./identity.js";
import { cleanName, toneOf } from "./name.js";

const peopleMax = 2000;

export class People {
  readonly #known = new Map<string, Person>();

  /** Remembers what a payload says about its user. Whom it is from, the server says; the name is the person's own. */
  learn(user: string, payload: unknown): Person {
    const said = fields(payload);
    const name = cleanName(text(said["name"], 200));
    const person = { user, name: name === "" ? fallbackName(user) : name, tone: toneOf(said["color"], user) };
    if (name === "" && this.#known.has(user)) return this.get(user);
    this.#known.delete(user);
    this.#known.set(user, person);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= peopleMax) break;
      this.#known.delete(oldest);
    }
    return person;
  }

  knows(user: string): boolean {
    return this.#known.has(user);
  }

  get(user: string): Person {
    return this.#known.get(user) ?? { user, name: fallbackName(user), tone: toneOf(undefined, user) };
  }
}

/**
 * Users that begin with "~" are anonymous connections (NAM-5); one without any visible character is the application.
 * This page's own user ids say the name with which they began.
 */
function fallbackName(user: string): string {
  if (user.startsWith("~")) return "Guest";
  const [, words] = /^([a-z]+(?:-[a-z]+)*)-[a-z0-9]{6}$/.exec(user) ?? [];
  if (words !== undefined) return words.split("-").map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join(" ");
  const name = cleanName(user);
  return name === "" ? "Server" : name;
}
