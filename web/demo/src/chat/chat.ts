// The chat room: what the channel chat:lobby says becomes the log, and what the person writes goes to the channel.
//
// The stream has the messages, the presence who is here and who is typing, and the state of seen:lobby who has read how much.

import type { Channel } from "@bellwire/client";
import { find, motionIsReduced, oncePerFrame } from "../dom.js";
import { counted } from "../format.js";
import type { Page } from "../page.js";
import { fields, number, text } from "../payload.js";
import { randomText } from "../random.js";
import { browserStore } from "../storage.js";
import { startComposer } from "./composer.js";
import { ChatLog } from "./log.js";
import { type Here, HereView } from "./here.js";
import { Seen } from "./seen.js";
import { ChatView } from "./view.js";

const historyCount = 100;
const textMax = 2000;
const emptyText = "No messages yet. Say something: everybody on this page has it at once.";

export class Chat {
  /** Also the page's presence: cursors leave with it. */
  readonly channel: Channel;
  readonly #page: Page;
  readonly #seenChannel: Channel;
  readonly #log = new ChatLog();
  readonly #seen = new Seen();
  readonly #view: ChatView;
  readonly #here = new HereView();
  readonly #draw = oncePerFrame(() => this.#drawNow());
  #epoch = "";
  #settleAt: number | null = null;
  #typing = false;
  #seenTold = 0;

  constructor(page: Page) {
    this.#page = page;
    this.channel = page.open("chat:lobby", { rewind: historyCount, presence: "members" });
    this.#seenChannel = page.open("seen:lobby", { state: true });
    this.#view = new ChatView(page.people, { retry: (id) => this.#retry(id), read: () => this.#read() });
    startComposer({ send: (written) => this.#send(written), typing: (is) => this.#setTyping(is) });
    page.identity.watch(() => this.#enter());
    this.#listen();
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.#log.away(this.#log.top);
      else this.#draw();
    });
  }

  #listen(): void {
    this.channel.on("subscribed", (answer) => {
      const offset = answer.offset ?? 0;
      const isFirst = this.#epoch === "";
      if (!isFirst && answer.epoch !== this.#epoch) this.#restart();
      else if (answer.recovered === true) this.#log.away(offset);
      this.#epoch = answer.epoch ?? "";
      if (isFirst) {
        this.#rememberRead();
        this.#settleAt = answer.top ?? 0;
        this.#settle(offset);
      }
      this.#view.setEmpty(emptyText);
      this.#draw();
    });
    this.channel.on("missed", ({ from, to }) => {
      if (to !== undefined) this.#log.miss(`${counted(to - from + 1, "message")} came in between and cannot be had any more`);
      this.#draw();
    });
    this.channel.on("publication", (publication) => {
      const said = fields(publication.data);
      const user = publication.from?.user ?? applicationUser(said["name"]);
      const own = user === this.#page.identity.person.user;
      if (!own) this.#page.people.learn(user, said);
      const offset = publication.offset ?? 0;
      this.#log.receive({ id: publication.id ?? "", user, text: text(said["text"], textMax), timeMs: publication.timeMs ?? Date.now(), offset, own });
      if (!publication.replayed && !own) ringBell();
      this.#title();
      this.#draw();
      this.#settle(offset);
    });
    this.channel.on("presence", () => this.#drawHere());
    this.#seenChannel.on("stateChanged", (change) => {
      if (change.reset) this.#seen.clear();
      for (const { key, value } of change.set) this.#seen.set(key, number(value));
      for (const key of change.removed) this.#seen.remove(key);
      this.#draw();
    });
  }

  #restart(): void {
    this.#log.restart();
    this.#seenTold = 0;
  }

  /** When the history that was held is complete, what follows is news. */
  #settle(offset: number): void {
    if (this.#settleAt === null || offset < this.#settleAt) return;
    this.#settleAt = null;
    requestAnimationFrame(() => this.#view.settle());
  }

  #send(written: string): void {
    const id = randomText(16);
    this.#log.write(id, this.#page.identity.person.user, written, Date.now());
    this.#view.toBottom();
    this.#publish(id, written);
  }

  #retry(id: string): void {
    const waiting = this.#log.find(id);
    if (waiting === undefined) return;
    this.#log.retry(id);
    this.#publish(id, waiting.text);
  }

  /** With the same id it is stored once, however often it is sent (POS-6). */
  #publish(id: string, written: string): void {
    const { name, tone } = this.#page.identity.person;
    this.channel.publish({ text: written, name, color: tone }, { id }).catch(() => {
      this.#log.fail(id);
      this.#draw();
    });
    this.#draw();
  }

  #setTyping(is: boolean): void {
    this.#typing = is;
    this.#enter();
  }

  /** Entering again replaces what the others know of this page (PRE-1). On every new line the client enters by itself. */
  #enter(): void {
    const { user, name, tone } = this.#page.identity.person;
    this.#page.people.learn(user, { name, color: tone });
    this.channel.enter({ name, color: tone, typing: this.#typing }).catch(() => undefined);
    this.#draw();
  }

  #drawHere(): void {
    const here: Here[] = [];
    for (const member of this.channel.members.values()) {
      const { connections = [] } = member;
      const said = connections.map((connection) => fields(connection.data));
      const person = this.#page.people.learn(member.user, said[said.length - 1] ?? member.info);
      here.push({ person, pages: connections.length, typing: said.some((data) => data["typing"] === true) });
    }
    this.#here.draw(here, this.channel.count, this.#page.identity.person.user);
    this.#draw();
  }

  /** The newest message is before the person's eyes: tell the others, and remember it for the next visit. */
  #read(): void {
    const { user } = this.#page.identity.person;
    const top = this.#log.top;
    if (document.hidden || top === 0) return;
    browserStore.set("read", JSON.stringify({ epoch: this.#epoch, offset: top }));
    if (top === this.#seenTold) return;
    this.#seenTold = top;
    // An offset beyond the top is left from another life of the log and must not stand in the way.
    const { update } = this.#seenChannel;
    const told = this.#seen.of(user) > top ? update.set(user, top) : update.setGreater(user, top);
    told.catch(() => undefined);
  }

  /** On entry, what came since the last visit is new. */
  #rememberRead(): void {
    try {
      const { epoch, offset } = fields(JSON.parse(browserStore.get("read") ?? "{}"));
      if (epoch === this.#epoch) this.#log.away(number(offset));
    } catch {
      // Not ours: nothing is remembered.
    }
  }

  #drawNow(): void {
    const rows = this.#log.rows();
    const unread = this.#log.unread();
    this.#view.draw(rows, this.#seen.marks(rows, this.#page.identity.person.user, this.#log.top), unread);
    this.#title();
  }

  /** In a hidden page nothing is drawn, but its title is seen. */
  #title(): void {
    const unread = this.#log.unread();
    document.title = `${document.hidden && unread > 0 ? `(${unread}) ` : ""}Bellwire: everything here is live`;
  }
}

/** The application's own publications are from nobody (POS-8). No user's name has a control character (NAM-5): no two meet. */
function applicationUser(name: unknown): string {
  return `\u0001${text(name, 32)}`;
}

function ringBell(): void {
  if (motionIsReduced()) return;
  const swing = [0, 16, -13, 9, -6, 3, 0].map((degrees) => ({ transform: `rotate(${degrees}deg)` }));
  find("bell", SVGSVGElement).querySelector(".bell-swing")?.animate(swing, { duration: 700, easing: "ease-out" });
}
