import assert from "node:assert/strict";
import { Guest } from "./guest.js";
import { lineErrors, scenario, type Stage } from "./harness/index.js";

const streamed = /a line on a stream of HTTP\/2/g;

/** How many lines the server has taken on streams of HTTP/2, by its own word. */
function streams(stage: Stage): number {
  return stage.server.log.match(streamed)?.length ?? 0;
}

async function talk(stage: Stage): Promise<Guest> {
  const alice = await Guest.arrive(stage, "Alice");
  const bob = await Guest.arrive(stage, "Bob");
  await alice.say("over TLS");
  await bob.reads("over TLS");
  await bob.say("and back");
  await alice.reads("and back");
  return bob;
}

scenario("over TLS a page's line is a stream of its connection of HTTP/2, where that is offered", async (stage) => {
  const bob = await talk(stage);
  assert.equal(streams(stage), 2);
  bob.visitor.expect(lineErrors);
  bob.visitor.line.cut();
  await bob.isTold(/The line is lost/);
  bob.visitor.line.restore();
  await bob.isTold(/nothing was missed/);
  await bob.say("after the cut");
  await bob.reads("after the cut");
}, { server: { secure: true, extra: ["--http2-websocket", "--log-level", "debug"] } });

scenario("over TLS a page's line is a connection of HTTP/1.1, where nothing else is offered", async (stage) => {
  await talk(stage);
  assert.equal(streams(stage), 0);
  assert.match(stage.server.log, /listening/);
}, { server: { secure: true, extra: ["--log-level", "debug"] } });
