import assert from "node:assert/strict";
import { test } from "node:test";
import { Outcome } from "../src/connection/outcome.js";
import { describe, type LineEvent, LineEvents } from "../src/monitor/event.js";
import { frameBytes, Meter, pollingHeaders } from "../src/monitor/meter.js";
import { sparklinePath } from "../src/monitor/sparkline.js";

test("a return without news says that nothing was missed", () => {
  const outcome = new Outcome();
  outcome.answered({ offset: 41, top: 41, recovered: true });
  assert.equal(outcome.text(4000), "Back after 4 s. Nothing happened meanwhile, nothing was missed.");
});

test("a return counts what was replayed on all channels", () => {
  const outcome = new Outcome();
  outcome.answered({ offset: 41, top: 44, recovered: true });
  outcome.answered({ offset: 7, top: 16, recovered: true });
  outcome.answered({ offset: 0, top: 0 });
  assert.equal(outcome.text(900), "Back after a moment. 12 events replayed, nothing was missed.");
});

test("a return outside the window says how much is gone (SUB-5)", () => {
  const outcome = new Outcome();
  outcome.answered({ offset: 2999, top: 3999, recovered: false });
  outcome.missed({ from: 42, to: 2999 });
  assert.match(outcome.text(3_600_000), /^Back after 60 min\. .*2,958 events had already been forgotten/);
});

test("a return to another life of the log says that the history is gone (SUB-6)", () => {
  const outcome = new Outcome();
  outcome.answered({ offset: 0, top: 2, recovered: false });
  outcome.missed({ from: 42 });
  assert.match(outcome.text(2000), /restarted and its history of before is gone/);
});

test("frames cost what RFC 6455 5.2 says", () => {
  assert.deepEqual([0, 125, 126, 65_535, 65_536].map((size) => frameBytes(size, false)), [2, 2, 4, 4, 10]);
  assert.equal(frameBytes(5, true), 6);
});

test("what is saved is polling's headers less what the line sent and its opening", () => {
  const meter = new Meter();
  const headers = { request: 300, response: 100 };
  meter.opened();
  meter.received(998);
  meter.sent(94);
  meter.passed(10, 6);
  assert.equal(meter.bytesIn, 1002);
  assert.equal(meter.bytesOut, 100);
  assert.equal(meter.requests, 60);
  assert.equal(meter.saved(headers), 60 * 400 - 100 - 400);
});

test("a page that was just opened has saved nothing yet", () => {
  const meter = new Meter();
  meter.opened();
  assert.equal(meter.saved({ request: 300, response: 100 }), -400);
});

test("the headers of a poll are a whole request and response", () => {
  const short = pollingHeaders("a", "b", 0);
  const long = pollingHeaders("a", "b".repeat(101), 50);
  assert.equal(long.request - short.request, 150);
  assert.ok(short.request > 200 && short.response > 80);
});

test("an event shows its kind and channel, and never a token", () => {
  const connect = describe({ id: 1, connect: { token: "secret", client: "js", subscribe: [{ channel: "a", token: "secret" }, { channel: "b" }] } });
  assert.equal(connect.kind, "connect");
  assert.equal(connect.channel, "a b");
  assert.doesNotMatch(connect.text, /secret/);
  assert.deepEqual(describe({ publication: { channel: "chat:lobby", offset: 3, data: { text: "hi" } } }),
    { kind: "publication", channel: "chat:lobby", text: '{"text":"hi"}', quiet: false });
  assert.equal(describe({ publication: { channel: "poll:lunch", state: { key: "ann", value: { choice: "pizza" } } } }).text, 'ann = {"choice":"pizza"}');
  assert.equal(describe({ publication: { channel: "poll:lunch", state: { key: "ann", removed: true } } }).text, "ann removed");
  assert.equal(describe({ id: 7, update: { channel: "poll:lunch", op: "remove", key: "ann" } }).text, '#7 {"op":"remove","key":"ann"}');
});

test("a payload on its way out is shown as what it says", () => {
  class Held {
    readonly text = '{"choice":"pizza"}';
  }
  assert.equal(describe({ id: 7, publish: { channel: "chat:lobby", data: new Held() } }).text, '#7 {"choice":"pizza"}');
  assert.equal(describe({ id: 8, update: { op: "set", value: new Held() } }).text, '#8 {"op":"set","value":{"choice":"pizza"}}');
  assert.equal(describe({ publication: { data: { text: "{not JSON" } } }).text, '{"text":"{not JSON"}');
});

test("pings, empty replies and cursors are quiet", () => {
  for (const message of [{ id: 2, ping: {} }, { id: 3, ping: { time_ms: 5 } }, { id: 4, subscribe: {} }, { publication: { channel: "cursor:page", data: {} } }]) {
    assert.equal(describe(message).quiet, true, JSON.stringify(message));
  }
});

test("whatever comes can be described", () => {
  for (const message of [null, 7, "x", [], {}, { id: "x" }, { connect: null }, { subscribe: { channels: [null, 3, "a"] } }]) describe(message);
});

test("the list of events is bounded, newest first, and filtered", () => {
  const events = new LineEvents(3);
  const event = (key: string, more: Partial<LineEvent> = {}): LineEvent =>
    ({ key, timeMs: 0, direction: "in", kind: "publication", channel: "chat:lobby", text: key, bytes: 1, quiet: false, ...more });
  for (const key of ["1", "2", "3", "4"]) events.add(event(key, { quiet: key === "3" }));
  assert.deepEqual(events.shown("", false).map(({ key }) => key), ["4", "3", "2"]);
  assert.deepEqual(events.shown("", true).map(({ key }) => key), ["4", "2"]);
  assert.deepEqual(events.shown(" CHAT: ", false).length, 3);
  assert.deepEqual(events.shown("poll", false), []);
});

test("a sparkline goes from left to right and stays in its box", () => {
  assert.equal(sparklinePath([]), "");
  const points = [...sparklinePath([0, 5, 10]).matchAll(/[ML]([\d.]+) ([\d.]+)/g)].map((match) => [Number(match[1]), Number(match[2])]);
  assert.equal(points.length, 3);
  assert.equal(points[2]?.[0], 120);
  assert.ok(points.every(([, y]) => y !== undefined && y >= 0 && y <= 32));
});
