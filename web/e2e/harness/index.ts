/**
 * Browser tests: a real server, real Chromium pages, and a line between them that a test can break.
 *
 * A scenario is a file web/e2e/<name>.test.ts:
 *
 *     scenario("two people chat", async (stage) => {
 *       const alice = await stage.visitor("alice");
 *       const bob = await stage.visitor("bob");
 *       ...
 *       await bob.offline();
 *       ...
 *       await stage.server.restart("kill");
 *     });
 */
export { eventually } from "./eventually.js";
export { Line } from "./line.js";
export { Server, type ServerOptions } from "./server.js";
export { type ScenarioOptions, scenario, Stage } from "./stage.js";
export { lineErrors, Visitor, type VisitorOptions } from "./visitor.js";
