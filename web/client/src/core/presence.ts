import type { MemberBody, PresenceBody, PresenceChangeBody } from "../message.js";

/** The presence of one channel as the client holds it: the number of users, and the users where asked for (SUB-11). */
export class Presence {
  readonly members = new Map<string, MemberBody>();
  count = 0;
  version = 0;

  clear(): void {
    this.members.clear();
    this.count = 0;
    this.version = 0;
  }

  /** Takes what a subscription was answered with, or a further page of it. */
  merge(page: PresenceBody): void {
    this.#add(page.members);
    if ((page.version ?? 0) < this.version) return;
    this.version = page.version ?? 0;
    this.count = page.count ?? 0;
  }

  /** PRE-4: a change counts only when it is newer than what is held. */
  apply(change: PresenceChangeBody): boolean {
    if ((change.version ?? 0) <= this.version) return false;
    this.version = change.version ?? 0;
    this.count = change.count ?? 0;
    this.#add(change.set);
    for (const user of change.left ?? []) this.members.delete(user);
    return true;
  }

  #add(members: MemberBody[] | undefined): void {
    for (const member of members ?? []) if (member.user !== undefined) this.members.set(member.user, member);
  }
}
