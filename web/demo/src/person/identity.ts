// Who this page is: chosen once and remembered. "?as=someone-else" is a person of this tab alone, so that one browser can be two.

import { fields, number, text } from "../payload.js";
import { randomText } from "../random.js";
import { browserStore, tabStore, type Store } from "../storage.js";
import { cleanName, friendlyName, toneOf, tones } from "./name.js";

export interface Person {
  readonly user: string;
  readonly name: string;
  readonly tone: number;
}

const key = "person";

/** A user id says the name it began with and is unique; it stays when the name changes. */
function newPerson(): Person {
  const name = friendlyName();
  return { user: `${name.toLowerCase().replace(" ", "-")}-${randomText(6)}`, name, tone: Math.floor(Math.random() * tones) };
}

function parse(stored: string | null): Person | null {
  if (stored === null) return null;
  try {
    const found = fields(JSON.parse(stored));
    const user = text(found["user"], 100);
    const name = cleanName(text(found["name"], 200));
    if (!/^[a-z0-9-]+$/.test(user) || name === "") return null;
    return { user, name, tone: toneOf(number(found["tone"], -1), user) };
  } catch {
    return null;
  }
}

/** Holds the person of this page and tells who listens when they change their name. */
export class Identity {
  /** True until the person has confirmed or changed the name they were given. */
  readonly isNew: boolean;
  #person: Person;
  readonly #store: Store;
  readonly #listeners = new Set<(person: Person) => void>();

  constructor(query: URLSearchParams) {
    this.#store = query.get("as") === "someone-else" ? tabStore : browserStore;
    const known = parse(this.#store.get(key));
    this.isNew = known === null;
    this.#person = known ?? newPerson();
    this.#store.set(key, JSON.stringify(this.#person));
  }

  get person(): Person {
    return this.#person;
  }

  change(name: string, tone: number): void {
    const cleaned = cleanName(name);
    if (cleaned === "") return;
    this.#person = { user: this.#person.user, name: cleaned, tone };
    this.#store.set(key, JSON.stringify(this.#person));
    for (const listener of this.#listeners) listener(this.#person);
  }

  /** Calls back now and after every change. */
  watch(listener: (person: Person) => void): void {
    this.#listeners.add(listener);
    listener(this.#person);
  }
}
