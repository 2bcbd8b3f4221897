import { mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { Line } from "./line.js";
import type { Server } from "./server.js";

const screenshots = resolve(dirname(fileURLToPath(import.meta.url)), "../screenshots-out");

/** What Chromium itself writes to the console when a request or a WebSocket meets a dead line. */
export const lineErrors = /net::ERR_|WebSocket connection to .* failed|Failed to load resource/;

export interface VisitorOptions extends BrowserContextOptions {
  /** The path that is opened; "/" when absent. */
  readonly path?: string;
  /** Console and page errors that the scenario provokes. */
  readonly expected?: readonly RegExp[];
}

/** One person at one browser: a profile and a page of its own, and a line of its own to the server. */
export class Visitor {
  readonly name: string;
  readonly page: Page;
  readonly line: Line;
  readonly #context: BrowserContext;
  readonly #expected: RegExp[];
  readonly #problems: string[] = [];

  private constructor(name: string, line: Line, context: BrowserContext, page: Page, expected: readonly RegExp[]) {
    this.name = name;
    this.line = line;
    this.page = page;
    this.#context = context;
    this.#expected = [...expected];
    page.on("console", (message) => {
      if (message.type() === "error") this.#note(`console: ${message.text()} (${message.location().url})`);
    });
    page.on("pageerror", (error) => this.#note(`page: ${error.stack ?? error.message}`));
  }

  static async arrive(browser: Browser, server: Server, name: string, options: VisitorOptions = {}): Promise<Visitor> {
    const { path = "/", expected = [], ...contextOptions } = options;
    const line = await Line.open(server.port);
    const context = await browser.newContext({ ignoreHTTPSErrors: server.secure, ...contextOptions });
    const visitor = new Visitor(name, line, context, await context.newPage(), expected);
    try {
      await visitor.page.goto((server.secure ? line.url.replace("http:", "https:") : line.url) + path);
    } catch (error) {
      await visitor.leave();
      throw error;
    }
    return visitor;
  }

  /** Errors so far that nobody expected. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  /** From now on errors that match are not problems. */
  expect(...patterns: RegExp[]): void {
    this.#expected.push(...patterns);
  }

  /** The network goes away: the page's connections break, new ones fail, and the browser says so to the page. */
  async offline(): Promise<void> {
    this.expect(lineErrors);
    this.line.cut();
    await this.#context.setOffline(true);
  }

  async online(): Promise<void> {
    this.line.restore();
    await this.#context.setOffline(false);
  }

  /** Saves what the page shows as e2e/screenshots-out/<label>-<name>.png. */
  async screenshot(label: string, options: { readonly fullPage?: boolean } = {}): Promise<string> {
    mkdirSync(screenshots, { recursive: true });
    const path = join(screenshots, `${label}-${this.name}`.replace(/[^A-Za-z0-9_-]+/g, "-") + ".png");
    await this.page.screenshot({ ...options, path });
    return path;
  }

  async leave(): Promise<void> {
    await this.#context.close();
    await this.line.close();
  }

  #note(problem: string): void {
    if (!this.#expected.some((pattern) => pattern.test(problem))) this.#problems.push(problem);
  }
}
