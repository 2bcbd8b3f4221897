import assert from "node:assert/strict";
import { test } from "node:test";
import { ChatLog, follows, isMessage, type Received } from "../src/chat/log.js";
import { Seen } from "../src/chat/seen.js";

function from(user: string, offset: number, more: Partial<Received> = {}): Received {
  return { id: "", user, text: `${user} ${offset}`, timeMs: offset * 1000, offset, own: false, ...more };
}

/** The rows as short words: a message by its text, a divider by its kind. */
function shown(log: ChatLog): string[] {
  return log.rows().map((row) => (isMessage(row) ? row.text + (row.gone ? " gone" : "") + (row.delivery === "sent" ? "" : ` ${row.delivery}`) : `-- ${row.divider}`));
}

test("messages stand in the order of the log", () => {
  const log = new ChatLog();
  log.receive(from("bob", 1));
  log.receive(from("cy", 2));
  assert.deepEqual(shown(log), ["bob 1", "cy 2"]);
  assert.equal(log.top, 2);
});

test("a pending message becomes the sent one and keeps its key", () => {
  const log = new ChatLog();
  log.write("id1", "me", "hello", 5000);
  const key = log.rows()[0]?.key;
  log.receive(from("bob", 1));
  assert.deepEqual(shown(log), ["bob 1", "hello pending"]);
  log.receive(from("me", 2, { id: "id1", text: "hello", own: true }));
  assert.deepEqual(shown(log), ["bob 1", "hello"]);
  assert.equal(log.rows()[1]?.key, key);
});

test("somebody else's message with the id of a pending one does not take its place", () => {
  const log = new ChatLog();
  log.write("id1", "me", "hello", 5000);
  log.receive(from("bob", 1, { id: "id1" }));
  assert.deepEqual(shown(log), ["bob 1", "hello pending"]);
});

test("a failed message can be tried again under the same id", () => {
  const log = new ChatLog();
  log.write("id1", "me", "hello", 5000);
  log.fail("id1");
  assert.deepEqual(shown(log), ["hello failed"]);
  log.retry("id1");
  assert.deepEqual(shown(log), ["hello pending"]);
  assert.equal(log.find("id1")?.text, "hello");
});

test("what others wrote during an absence stands below a divider", () => {
  const log = new ChatLog();
  log.receive(from("bob", 1));
  log.away(1);
  assert.deepEqual(shown(log), ["bob 1"], "nothing came: nothing is marked");
  log.receive(from("me", 2, { own: true }));
  log.receive(from("bob", 3));
  log.receive(from("cy", 4));
  assert.deepEqual(shown(log), ["bob 1", "me 2", "-- new", "bob 3", "cy 4"]);
  assert.equal(log.unread(), 2);
});

test("a second absence leaves the mark of the first, and writing takes it away", () => {
  const log = new ChatLog();
  log.away(0);
  log.receive(from("bob", 1));
  log.away(1);
  log.receive(from("bob", 2));
  assert.deepEqual(shown(log), ["-- new", "bob 1", "bob 2"]);
  log.write("id1", "me", "hello", 9000);
  assert.deepEqual(shown(log), ["bob 1", "bob 2", "hello pending"]);
});

test("a restart says that what is above is gone, and begins a new order", () => {
  const log = new ChatLog();
  log.receive(from("bob", 41));
  log.restart();
  log.receive(from("bob", 1));
  assert.deepEqual(shown(log), ["bob 41 gone", "-- restart", "bob 1"]);
  assert.equal(log.top, 1);
});

test("a restart of an empty chat says nothing", () => {
  const log = new ChatLog();
  log.restart();
  assert.deepEqual(shown(log), []);
});

test("a second restart marks only what came between", () => {
  const log = new ChatLog();
  log.receive(from("bob", 1));
  log.restart();
  log.restart();
  assert.deepEqual(shown(log), ["bob 1 gone", "-- restart"]);
});

test("a gap is a divider", () => {
  const log = new ChatLog();
  log.receive(from("bob", 1));
  log.miss("58 messages");
  log.receive(from("bob", 60));
  assert.deepEqual(shown(log), ["bob 1", "-- missed", "bob 60"]);
});

test("the log is bounded and drops the oldest", () => {
  const log = new ChatLog();
  for (let offset = 1; offset <= 1000; offset++) log.receive(from("bob", offset));
  const rows = shown(log);
  assert.equal(rows.length, 400);
  assert.equal(rows[399], "bob 1000");
});

test("a message follows one of the same person within minutes", () => {
  const log = new ChatLog();
  log.receive(from("bob", 1, { timeMs: 0 }));
  log.receive(from("bob", 2, { timeMs: 60_000 }));
  log.receive(from("bob", 3, { timeMs: 600_000 }));
  log.receive(from("cy", 4, { timeMs: 600_001 }));
  const rows = log.rows();
  assert.deepEqual(rows.map((row, index) => isMessage(row) && follows(row, rows[index - 1])), [false, true, false, false]);
});

test("seen marks stand at the last message that each has read", () => {
  const log = new ChatLog();
  log.receive(from("me", 1, { own: true }));
  log.receive(from("bob", 2));
  log.receive(from("me", 3, { own: true }));
  const [first, , third] = log.rows();
  const seen = new Seen();
  for (const [user, offset] of [["bob", 3], ["cy", 1], ["dan", 2], ["me", 3], ["eve", 99]] as const) seen.set(user, offset);
  const marks = seen.marks(log.rows(), "me", log.top);
  assert.deepEqual(marks.get(third?.key ?? ""), ["bob"], "own marks and offsets beyond the top are left out");
  assert.deepEqual(marks.get(first?.key ?? ""), ["cy"]);
  assert.equal(marks.size, 2 + 1, "dan stands beside bob's message");
});

test("nobody is named beside their own message", () => {
  const log = new ChatLog();
  log.receive(from("bob", 1));
  const seen = new Seen();
  seen.set("bob", 1);
  assert.equal(seen.marks(log.rows(), "me", 1).size, 0);
});
