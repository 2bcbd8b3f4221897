import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { eventually, lineErrors, scenario, Server, type Visitor } from "../harness/index.js";

const tiny = { command: [process.execPath, fileURLToPath(new URL("tiny-server.mjs", import.meta.url))] };

async function shown(visitor: Visitor, id: string): Promise<string> {
  return (await visitor.page.locator(`#${id}`).textContent()) ?? "";
}

async function ticks(visitor: Visitor): Promise<number> {
  return Number(await shown(visitor, "ticks"));
}

/** Waits until the page has got something that was sent after the call. */
async function hears(visitor: Visitor): Promise<void> {
  const before = await ticks(visitor);
  // Two more: the first may have been under way already.
  await eventually(`${visitor.name} hears the server`, async () => (await ticks(visitor)) >= before + 2);
}

scenario("two visitors hear the server on lines of their own", async (stage) => {
  const alice = await stage.visitor("alice");
  const bob = await stage.visitor("bob", { colorScheme: "dark", viewport: { width: 390, height: 844 } });
  await hears(alice);
  await hears(bob);
  assert.notEqual(alice.line.url, bob.line.url);
  assert.equal(await bob.page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches && innerWidth"), 390);
}, { server: tiny });

scenario("a killed server comes back on the same port", async (stage) => {
  const alice = await stage.visitor("alice");
  await hears(alice);
  const [port, life] = [stage.server.port, await shown(alice, "life")];
  alice.expect(lineErrors);
  await stage.server.kill();
  assert.equal(stage.server.running, false);
  await eventually("the page knows", async () => (await shown(alice, "state")) === "waiting");
  await stage.server.start();
  assert.equal(stage.server.port, port);
  await eventually("the new server is heard", async () => (await shown(alice, "state")) === "connected" && (await shown(alice, "life")) !== life);
}, { server: tiny });

scenario("a stopped server drains and its exit code is known", async (stage) => {
  assert.equal(await stage.server.stop(), 0);
  assert.match(stage.server.log, /draining/);
  await assert.rejects(stage.server.stop(), /does not run/);
}, { server: tiny });

scenario("offline reaches one page only, and online brings it back", async (stage) => {
  const alice = await stage.visitor("alice");
  const bob = await stage.visitor("bob");
  await hears(bob);
  await bob.offline();
  await eventually("bob's page knows", async () => (await shown(bob, "state")) === "offline");
  await eventually("bob's lines are gone", () => bob.line.connections === 0);
  await hears(alice);
  await bob.online();
  await hears(bob);
}, { server: tiny });

scenario("a stalled line holds bytes back without breaking", async (stage) => {
  const alice = await stage.visitor("alice");
  await hears(alice);
  alice.line.stall();
  // A request that starts now has no answer until the line is restored.
  let answered = false;
  const answer = fetch(`${alice.line.url}/readyz`).then((response) => {
    answered = true;
    return response.text();
  });
  await eventually("the request waits in the line", () => alice.line.connections === 2);
  const before = await ticks(alice);
  const bob = await stage.visitor("bob");
  await hears(bob); // the server goes on sending meanwhile
  assert.ok((await ticks(alice)) <= before + 1, "bytes went through a stalled line");
  assert.equal(answered, false);
  assert.equal(await shown(alice, "state"), "connected");
  alice.line.restore();
  assert.equal(await answer, "ready\n");
  await hears(alice);
}, { server: tiny });

scenario("errors in a page are problems unless they are expected", async (stage) => {
  const alice = await stage.visitor("alice", { path: "/broken" });
  await eventually("both are noted", () => alice.problems.length === 2);
  assert.match(alice.problems.join("\n"), /console: on purpose[^]*page: Error: also on purpose/);
  assert.throws(() => stage.assertQuiet(), /errors in the browser/);
  await alice.leave();
  (stage.visitors as Visitor[]).length = 0; // or this scenario would fail, as it should
  const bob = await stage.visitor("bob", { path: "/broken", expected: [/on purpose/] });
  await bob.page.waitForLoadState();
  stage.assertQuiet();
}, { server: tiny });

scenario("a screenshot is saved under the visitor's name", async (stage) => {
  const alice = await stage.visitor("alice");
  await hears(alice);
  const path = await alice.screenshot("harness test");
  assert.match(path, /screenshots-out\/harness-test-alice\.png$/);
  assert.ok(statSync(path).size > 0);
}, { server: tiny });

test("a server that ends while starting is reported with its log", async () => {
  const command = [process.execPath, "-e", "console.log('no such flag'); process.exit(3)", "--"];
  await assert.rejects(Server.start({ command }), /ended while starting:\nno such flag/);
});

test("close removes the server's directory", async () => {
  const server = await Server.start(tiny);
  assert.ok(existsSync(server.directory));
  await server.close();
  assert.equal(existsSync(server.directory), false);
});

test("eventually gives up with what it waited for", async () => {
  await assert.rejects(eventually("the impossible", () => false, 30), /not within 30 ms: the impossible/);
});
