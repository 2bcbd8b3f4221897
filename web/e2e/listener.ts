// A page that listens with a plain EventSource, for all scenarios of it: no library, and nothing around it but what notes
// what the page is told.

import assert from "node:assert/strict";
import type { ServerMessage } from "@bellwire/client";
import type { JSHandle, Request } from "playwright-core";
import { eventually, type Stage, type Visitor, type VisitorOptions } from "./harness/index.js";

/** Opened as a page this is a text, of the demo's origin and under its policy: whatever comes to it was asked for here. */
export const quietPage = "/theme.js";

/** Chromium looks for an icon of a page that names none. */
export const iconMissing = /favicon\.ico/;

/** One event as the page got it. */
export interface Heard {
  readonly message: ServerMessage;
  /** What the browser would come back with. */
  readonly lastId: string;
}

/** An error as the page got it: whether the browser comes again (0, CONNECTING) or not (2, CLOSED), and when. */
export interface Loss {
  readonly readyState: number;
  readonly atMs: number;
}

interface Ear {
  readonly source: EventSource;
  readonly heard: { readonly data: string; readonly lastId: string }[];
  readonly losses: Loss[];
}

interface Requests {
  asked: number;
  readonly answered: Request[];
}

export class Listener {
  readonly visitor: Visitor;
  readonly #ear: JSHandle<Ear>;
  readonly #requests: Requests;

  private constructor(visitor: Visitor, ear: JSHandle<Ear>, requests: Requests) {
    this.visitor = visitor;
    this.#ear = ear;
    this.#requests = requests;
  }

  /** Somebody new opens a page, in which an EventSource listens. */
  static async arrive(stage: Stage, name: string, address: string, options: VisitorOptions = {}): Promise<Listener> {
    const expected = [iconMissing, ...(options.expected ?? [])];
    return Listener.in(await stage.visitor(name, { path: quietPage, ...options, expected }), address);
  }

  /** An EventSource in a page that is open. The address may be relative to it. */
  static async in(visitor: Visitor, address: string): Promise<Listener> {
    const { page } = visitor;
    const wanted = new URL(address, page.url()).href;
    const requests: Requests = { asked: 0, answered: [] };
    page.on("request", (request) => {
      if (request.url() === wanted) requests.asked++;
    });
    page.on("response", (response) => {
      if (response.url() === wanted) requests.answered.push(response.request());
    });
    const ear = await page.evaluateHandle((url) => {
      const ear: Ear = { source: new EventSource(url), heard: [], losses: [] };
      ear.source.addEventListener("message", ({ data, lastEventId }) => ear.heard.push({ data: String(data), lastId: lastEventId }));
      ear.source.addEventListener("error", () => ear.losses.push({ readyState: ear.source.readyState, atMs: performance.now() }));
      return ear;
    }, wanted);
    return new Listener(visitor, ear, requests);
  }

  /** How often the browser has asked for the line. */
  get asked(): number {
    return this.#requests.asked;
  }

  /** The Last-Event-ID of each request that was answered; "": there was none. */
  async cameWith(): Promise<string[]> {
    const headers = await Promise.all(this.#requests.answered.map((request) => request.allHeaders()));
    return headers.map((header) => header["last-event-id"] ?? "");
  }

  async heard(): Promise<Heard[]> {
    const heard = await this.#ear.evaluate((ear) => ear.heard);
    return heard.map(({ data, lastId }) => ({ message: JSON.parse(data) as ServerMessage, lastId }));
  }

  async losses(): Promise<Loss[]> {
    return this.#ear.evaluate((ear) => ear.losses);
  }

  async readyState(): Promise<number> {
    return this.#ear.evaluate((ear) => ear.source.readyState);
  }

  /** Everything of one kind, in order. */
  async all<Kind extends keyof ServerMessage>(kind: Kind): Promise<NonNullable<ServerMessage[Kind]>[]> {
    return (await this.heard()).flatMap(({ message }) => message[kind] ?? []) as NonNullable<ServerMessage[Kind]>[];
  }

  /** What was published in a channel, as the page got it: offset and data. */
  async publications(channel: string): Promise<{ offset: number | undefined; data: unknown }[]> {
    const all = await this.all("publication");
    return all.filter((one) => one.channel === channel).map(({ offset, data }) => ({ offset, data }));
  }

  async hears(what: string, condition: (heard: Heard[]) => boolean): Promise<void> {
    await eventually(`${this.visitor.name} hears ${what}`, async () => condition(await this.heard()), 30_000).catch(async (error: unknown) => {
      const last = (await this.heard()).slice(-5).map(({ message }) => JSON.stringify(message));
      assert.fail(`${String(error)}; the last it has heard is\n${last.join("\n")}\nit came with ${JSON.stringify(await this.cameWith())}`);
    });
  }

  /** Waits until the line of the channels is there, for the so manieth time. */
  async isSubscribed(count: number): Promise<void> {
    await this.hears(`"subscribed" ${count} times`, (heard) => heard.filter(({ message }) => message.subscribed).length >= count);
  }
}
