// What a person does on the demo page and sees there, for all scenarios of it.

import assert from "node:assert/strict";
import type { Locator, Page } from "playwright-core";
import { eventually, type Stage, type Visitor, type VisitorOptions } from "./harness/index.js";

/** Calls the HTTP API with the key of development. */
export function callApi(stage: Stage, method: string, body: object): Promise<Response> {
  const headers = { Authorization: "Bearer dev", "Content-Type": "application/json" };
  return fetch(`${stage.server.url}/api/v1/${method}`, { method: "POST", headers, body: JSON.stringify(body) });
}

export class Guest {
  readonly visitor: Visitor;
  readonly page: Page;
  readonly name: string;

  private constructor(visitor: Visitor, name: string) {
    this.visitor = visitor;
    this.page = visitor.page;
    this.name = name;
  }

  /** Opens the page, takes the name and waits until the page is live. */
  static async arrive(stage: Stage, name: string, options: VisitorOptions = {}): Promise<Guest> {
    const guest = new Guest(await stage.visitor(name, options), name);
    await guest.rename(name);
    await guest.isLive();
    return guest;
  }

  by(id: string): Locator {
    return this.page.locator(`#${id}`);
  }

  async text(id: string): Promise<string> {
    return ((await this.by(id).textContent()) ?? "").trim();
  }

  async number(id: string): Promise<number> {
    return Number((await this.text(id)).replaceAll(",", ""));
  }

  async rename(name: string): Promise<void> {
    if (await this.by("profile").isHidden()) await this.by("profile-button").click();
    await this.by("profile-input").fill(name);
    await this.by("profile").getByRole("button", { name: "That is me" }).click();
  }

  async isLive(): Promise<void> {
    await eventually(`${this.name} is live`, async () => (await this.by("line-chip").getAttribute("data-state")) === "connected", 30_000);
  }

  /** Waits until the banner says it. */
  async isTold(what: RegExp): Promise<void> {
    let said = "";
    await eventually(`${this.name} is told ${what}`, async () => {
      said = (await this.by("banner-body").isVisible()) ? await this.text("banner-text") : "";
      return what.test(said);
    }, 40_000).catch((error: unknown) => assert.fail(`${String(error)}; the banner says "${said}"`));
  }

  async say(text: string): Promise<void> {
    await this.by("chat-input").fill(text);
    await this.by("chat-input").press("Enter");
  }

  /** Writes so many messages at once, as fast as the page takes them. */
  async sayMany(texts: readonly string[]): Promise<void> {
    await this.page.evaluate((all) => {
      const input = document.querySelector<HTMLTextAreaElement>("#chat-input");
      for (const text of all) {
        if (input === null) return;
        input.value = text;
        input.form?.requestSubmit();
      }
    }, texts);
  }

  /** The messages shown, in order: those in the log, or also those that wait. */
  async messages(which: "sent" | "all" = "sent"): Promise<string[]> {
    const rows = which === "all" ? ".message" : ".message:not(.message-pending):not(.message-failed)";
    return this.page.locator(`#chat-log ${rows} .message-text`).allTextContents();
  }

  /** Messages and dividers in their order, as "text" or "-- divider". */
  async rows(): Promise<string[]> {
    return this.page.locator("#chat-log > li").evaluateAll((rows) => rows.map((row) =>
      row.classList.contains("divider") ? `-- ${row.textContent}` : (row.querySelector(".message-text")?.textContent ?? "")));
  }

  async reads(text: string): Promise<void> {
    await eventually(`${this.name} reads "${text}"`, async () => (await this.messages()).includes(text));
  }

  async sees(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    await eventually(`${this.name} sees ${what}`, condition);
  }

  /** Waits until the element's text is this. */
  async seesText(id: string, wanted: string | RegExp): Promise<void> {
    let found = "";
    await eventually(`${this.name} sees ${wanted} in #${id}`, async () => {
      found = await this.text(id);
      return typeof wanted === "string" ? found === wanted : wanted.test(found);
    }).catch((error: unknown) => assert.fail(`${String(error)}; found "${found}"`));
  }

  /** The user under which the page is known to the server. */
  async user(): Promise<string> {
    return this.page.evaluate(() => (JSON.parse(localStorage.getItem("bellwire.person") ?? "{}") as { user?: string }).user ?? "");
  }

  async react(emoji: string): Promise<void> {
    await this.page.locator(`[data-emoji="${emoji}"]`).click();
  }

  async reactions(emoji: string): Promise<number> {
    return Number(await this.page.locator(`[data-emoji="${emoji}"] .reaction-count`).textContent());
  }

  async vote(choice: string): Promise<void> {
    await this.page.locator(`[data-choice="${choice}"]`).click();
  }

  /** Votes and per cent of an option, and how much of its bar is filled. */
  async option(choice: string): Promise<{ votes: string; share: string; filled: number }> {
    const option = this.page.locator(`[data-choice="${choice}"]`);
    return {
      votes: (await option.locator(".poll-count").textContent()) ?? "",
      share: (await option.locator(".poll-share").textContent()) ?? "",
      filled: await option.locator(".poll-bar").evaluate((bar) => new DOMMatrix(getComputedStyle(bar).transform).a),
    };
  }

  /** The cursors shown, by the name at each. */
  async cursors(): Promise<string[]> {
    return this.page.locator("#cursors .cursor-name").allTextContents();
  }
}
