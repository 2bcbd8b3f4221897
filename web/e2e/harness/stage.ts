import assert from "node:assert/strict";
import { test } from "node:test";
import { browser } from "./browser.js";
import { Server, type ServerOptions } from "./server.js";
import { Visitor, type VisitorOptions } from "./visitor.js";

export interface ScenarioOptions {
  readonly server?: ServerOptions;
  /** A limit for a scenario that hangs. */
  readonly limitMs?: number;
}

/** What a scenario plays on: one server, and visitors as they come. */
export class Stage {
  readonly server: Server;
  readonly #visitors: Visitor[] = [];

  constructor(server: Server) {
    this.server = server;
  }

  get visitors(): readonly Visitor[] {
    return this.#visitors;
  }

  /** Opens the page for somebody new, in a profile of its own. */
  async visitor(name: string, options: VisitorOptions = {}): Promise<Visitor> {
    const visitor = await Visitor.arrive(await browser(), this.server, name, options);
    this.#visitors.push(visitor);
    return visitor;
  }

  /** Fails when a page has met an error that the scenario did not expect. */
  assertQuiet(): void {
    const problems = this.#visitors.flatMap((visitor) => visitor.problems.map((problem) => `${visitor.name}: ${problem}`));
    assert.deepEqual(problems, [], "errors in the browser");
  }

  async close(): Promise<void> {
    for (const visitor of this.#visitors) await visitor.leave();
    await this.server.close();
  }
}

/**
 * Plays one scenario against a server of its own and then asserts that no page met an error. When it fails, what
 * each page shows is saved, and the server's log is printed.
 */
export function scenario(name: string, play: (stage: Stage) => Promise<void>, options: ScenarioOptions = {}): void {
  test(name, { timeout: options.limitMs ?? 120_000 }, async (context) => {
    const stage = new Stage(await Server.start(options.server));
    try {
      await play(stage);
      stage.assertQuiet();
    } catch (error) {
      for (const visitor of stage.visitors) {
        const saved = await visitor.screenshot(`failed-${name}`).catch((reason: unknown) => `no screenshot: ${String(reason)}`);
        context.diagnostic(`${visitor.name}: ${saved}`);
      }
      context.diagnostic(`the server's log:\n${stage.server.log}`);
      throw error;
    } finally {
      await stage.close();
    }
  });
}
