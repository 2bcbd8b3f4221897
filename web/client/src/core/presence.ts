import type { MemberBody, PresenceBody, PresenceChangeBody } from "../message.js";

/** The presence of one channel as the client holds it: the number of users, and the users where asked for (SUB-11). */
export class Presence {
  readonly members = new Map<string, MemberBody>();
  count = 0;
  version = 0;
  /** No page is missing. */
  #isComplete = false;
  /** While pages are on their way: the versions at which users changed or left, so that no older page undoes it. */
  readonly #changedAt = new Map<string, number>();

  /** How many users are remembered. */
  get size(): number {
    return this.members.size + this.#changedAt.size;
  }

  clear(): void {
    this.members.clear();
    this.#changedAt.clear();
    this.count = 0;
    this.version = 0;
    this.#isComplete = false;
  }

  /** Takes what a subscription was answered with, after `clear`. */
  begin(page: PresenceBody): MemberBody[] | undefined {
    this.version = page.version ?? 0;
    this.count = page.count ?? 0;
    return this.merge(page);
  }

  /** Takes the members of a page that are not older than what is held; returns them, if any. Version and count stay those of the changes. */
  merge({ members = [], version = 0, more }: PresenceBody): MemberBody[] | undefined {
    const taken = members.filter(({ user = "" }) => (this.#changedAt.get(user) ?? 0) <= version);
    for (const member of taken) this.members.set(member.user ?? "", member);
    this.#isComplete = !more;
    if (!more) this.#changedAt.clear();
    return taken.length > 0 ? taken : undefined;
  }

  /** PRE-4: a change counts only when it is newer than what is held. */
  apply({ version = 0, count = 0, set = [], left = [] }: PresenceChangeBody): boolean {
    if (version <= this.version) return false;
    this.version = version;
    this.count = count;
    for (const member of set) this.members.set(member.user ?? "", member);
    for (const user of left) this.members.delete(user);
    if (!this.#isComplete) for (const user of [...set.map((member) => member.user ?? ""), ...left]) this.#changedAt.set(user, version);
    return true;
  }
}
