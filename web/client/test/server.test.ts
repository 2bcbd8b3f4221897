// The client against the real server, in both framings, over real sockets.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Bellwire, type BellwireOptions, type Channel, type Codec, type Publication, type WebSocketConstructor } from "@bellwire/client";
import { protobuf } from "@bellwire/client/protobuf";
import { eventually } from "../../e2e/harness/eventually.js";
import { Server } from "../../e2e/harness/server.js";

const Native = (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;

// Node 20 has its WebSocket behind a flag.
if (!Native) {
  test("with the WebSocket of this Node", () => {
    const flags = ["--experimental-websocket", "--no-warnings", "--conditions=@bellwire/source", "--import", "tsx", "--test"];
    const { status, stdout } = spawnSync(process.execPath, [...flags, fileURLToPath(import.meta.url)], { encoding: "utf8", env: { ...process.env, NODE_TEST_CONTEXT: "" } });
    assert.equal(status, 0, stdout);
  });
} else {
  describe("bellwire.v1.json", () => conversations(Native));
  describe("bellwire.v1.proto", () => conversations(Native, protobuf));
}

function conversations(WebSocket: WebSocketConstructor, codec?: Codec): void {
  let server: Server;
  const clients: Bellwire[] = [];
  const sockets: { close(): void }[] = [];

  /** Keeps its sockets, so that a test can break the line. */
  const Kept = class extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      sockets.push(this);
    }
  };

  before(async () => {
    server = await Server.start({ extra: ["--no-demo"] });
  });
  after(async () => {
    for (const client of clients) client.close();
    await server.close();
  });

  function client(options: BellwireOptions = {}): Bellwire {
    const bellwire = new Bellwire(`${server.url}/ws`, { ...(codec && { codec }), webSocket: Kept, ...options });
    bellwire.on("error", (error) => assert.fail(String(error)));
    clients.push(bellwire);
    return bellwire;
  }

  async function user(name: string): Promise<string> {
    const response = await fetch(`${server.url}/dev/token`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ user: name, info: { name } }) });
    return ((await response.json()) as { token: string }).token;
  }

  async function api(method: string, body: object): Promise<void> {
    const headers = { "Authorization": "Bearer dev", "Content-Type": "application/json" };
    const response = await fetch(`${server.url}/api/v1/${method}`, { method: "POST", headers, body: JSON.stringify(body) });
    assert.equal(response.status, 200, await response.text());
  }

  /** The newest line of any client is broken without a word. */
  function breakLine(): void {
    sockets.at(-1)!.close();
  }

  function collect(channel: Channel): Publication[] {
    const got: Publication[] = [];
    channel.on("publication", (publication) => got.push(publication));
    return got;
  }

  test("connect, subscribe, publish JSON and bytes, with their places (CNT-2, SUB-1, PUB-1, MSG-8)", async () => {
    const alice = client({ token: () => user("alice") });
    const session = await alice.connect();
    assert.equal(session.user, "alice");
    assert.match(session.server, /^bellwire\//);
    const bob = client();
    await bob.connect();
    assert.match(bob.session!.user, /^~/);
    const chat = bob.channel("chat:one");
    const got = collect(chat);
    await chat.subscribe();
    const first = await alice.publish("chat:one", { text: "hé", list: [1, null] });
    const second = await alice.publish("chat:one", new Uint8Array([0, 255, 7]));
    await eventually("both came", () => got.length === 2);
    assert.deepEqual(got[0]!.data, { text: "hé", list: [1, null] });
    assert.deepEqual(got[1]!.data, new Uint8Array([0, 255, 7]));
    assert.deepEqual(got.map(({ position }) => position), [first.position, second.position]);
    assert.equal(got[0]!.from?.user, "alice");
    assert.equal(second.position!.offset, first.position!.offset + 1);
  });

  test("a publication with an id is stored once (POS-6)", async () => {
    const alice = client();
    void alice.connect();
    const first = await alice.publish("chat:once", 1, { id: "b6Jx" });
    const again = await alice.publish("chat:once", 1, { id: "b6Jx" });
    assert.deepEqual(again, { position: first.position, duplicate: true });
    await assert.rejects(alice.publish("chat:once", 2, { id: "b6Jx" }), { name: "conflict" });
  });

  test("what happened while the line was broken comes once and in order (SUB-4, CLI-4, CLI-5)", async () => {
    const alice = client();
    const chat = alice.channel<number>("chat:resume");
    const got = collect(chat as Channel);
    const answers: (boolean | undefined)[] = [];
    chat.on("subscribed", ({ recovered }) => answers.push(recovered));
    await alice.connect();
    await chat.subscribe();
    for (let n = 0; n < 5; n++) await chat.publish(n);
    for (let round = 1; round <= 3; round++) {
      alice.on("state", ({ state }) => state === "waiting" && void alice.connect());
      breakLine();
      for (let n = 0; n < 20; n++) await api("publish", { channel: "chat:resume", data: round * 100 + n });
      await eventually("all came", () => got.length === 5 + 20 * round);
    }
    assert.deepEqual(got.map(({ offset }) => offset), got.map((_, index) => got[0]!.offset! + index));
    assert.deepEqual(answers, [undefined, true, true, true]);
  });

  test("with echo false the position goes on without the publication (PUB-2)", async () => {
    const alice = client();
    const chat = alice.channel("chat:silent");
    const got = collect(chat);
    await alice.connect();
    await chat.subscribe();
    const { position } = await chat.publish("unheard", { echo: false });
    await chat.publish("heard");
    await eventually("one came", () => got.length === 1);
    assert.equal(got[0]!.data, "heard");
    assert.deepEqual(chat.position, { epoch: position!.epoch, offset: position!.offset + 1 });
  });

  test("state: snapshot and changes are the truth for everybody (SUB-8, STA-2, STA-3)", async () => {
    const alice = client();
    const bob = client();
    void alice.connect();
    void bob.connect();
    const mine = alice.channel<unknown, number>("reaction:state");
    assert.equal((await mine.update.increment("🎉")).value, 1);
    assert.deepEqual((await mine.update.setIf("once", 5, 0)).applied, true);
    assert.deepEqual((await mine.update.setIf("once", 6, 0)).applied, false);
    const theirs = bob.channel<unknown, number>("reaction:state", { state: true });
    await theirs.subscribe();
    assert.deepEqual([...theirs.state].sort(), [["once", 5], ["🎉", 1]]);
    await Promise.all(Array.from({ length: 20 }, () => mine.update.increment("🎉", 2)));
    await mine.update.remove("once");
    await eventually("the changes came", () => theirs.state.get("🎉") === 41 && !theirs.state.has("once"));
    assert.equal(theirs.version("🎉"), (await mine.readState({ key: "🎉" })).entries[0]!.version);
    await assert.rejects(bob.channel("reaction:state").update.setGreater("text", Number.NaN), { name: "bad_request" });
  });

  test("presence: who is there, and who has gone (PRE-1, PRE-2, SRV-4)", async () => {
    const alice = client({ token: () => user("alice") });
    const bob = client({ token: () => user("bob") });
    const watching = alice.channel("chat:people", { presence: "members" });
    const counting = client().channel("chat:people", { presence: "count" });
    void clients.at(-1)!.connect();
    await Promise.all([alice.connect(), bob.connect(), watching.subscribe(), counting.subscribe()]);
    const there = bob.channel("chat:people", { enter: { typing: false } });
    await there.subscribe();
    await there.enter({ typing: true });
    await eventually("bob is there", () => (watching.members.get("bob")?.connections?.[0]?.data as { typing?: boolean } | undefined)?.typing === true);
    assert.deepEqual(watching.members.get("bob")!.info, { name: "bob" });
    await eventually("and counted", () => counting.count === 1);
    assert.equal(counting.members.size, 0);
    assert.equal((await watching.readPresence()).members[0]!.user, "bob");
    bob.close();
    await eventually("bob is gone", () => watching.count === 0 && watching.members.size === 0 && counting.count === 0);
  });

  test("history in pages, both ways (HIS-1)", async () => {
    const alice = client();
    void alice.connect();
    const chat = alice.channel<number>("chat:history");
    for (let n = 1; n <= 7; n++) await chat.publish(n);
    const newest = await chat.history({ reverse: true, limit: 3 });
    assert.deepEqual([newest.publications.map(({ data }) => data), newest.more, newest.top], [[7, 6, 5], true, 7]);
    const older = await chat.history({ reverse: true, since: newest.publications.at(-1)!.position });
    assert.deepEqual([older.publications.map(({ data }) => data), older.more], [[4, 3, 2, 1], false]);
    const rest = await chat.history({ since: { epoch: newest.epoch, offset: 5 } });
    assert.deepEqual(rest.publications.map(({ data }) => data), [6, 7]);
  });

  test("a pattern and a channel it matches each have their copy (SUB-10)", async () => {
    const alice = client();
    await alice.connect();
    const names = ["cursor:*", "cursor:page", "chat:pat*", "chat:pat"];
    const got = names.map((name) => collect(alice.channel(name)));
    await Promise.all(names.map((name) => alice.channel(name).subscribe()));
    for (let n = 0; n < 3; n++) await api("broadcast", { channels: ["cursor:page", "cursor:other", "chat:pat"], data: n });
    await eventually("all came", () => got.map(({ length }) => length).join() === "6,3,3,3");
    assert.deepEqual(got[1]!.map(({ data }) => data), [0, 1, 2]);
    assert.deepEqual(got[2]!.map(({ channel, offset }) => [channel, offset]), Array.from({ length: 3 }, () => ["chat:pat", undefined]));
    assert.ok(got[3]!.every(({ offset }) => offset !== undefined));
  });

  test("errors have their names, and the line lives (SRV-8, CON-6)", async () => {
    const alice = client();
    await alice.connect();
    await assert.rejects(alice.publish("no channel!", 1), { name: "bad_channel", retry: false });
    await assert.rejects(alice.call("nobody.knows"), { name: "permission_denied" });
    await assert.rejects(alice.channel("cursor:page").history(), { name: "not_available" });
    await assert.rejects(alice.channel("poll:lunch").update.set("somebody else", 1), { name: "permission_denied" });
    await assert.rejects(alice.channel("cursor:page", { state: true }).subscribe(), { name: "not_available" });
    assert.ok((await alice.ping()) >= 0);
    assert.equal(alice.state, "connected");
  });

  test("commands given before connect and in a hurry all come through (CLI-7)", async () => {
    const alice = client();
    const chat = alice.channel<number>("chat:hurry");
    const got = collect(chat as Channel);
    void chat.subscribe();
    const published = Array.from({ length: 120 }, (_, n) => chat.publish(n));
    void alice.connect();
    await Promise.all(published);
    await eventually("all came", () => got.length === 120);
    assert.deepEqual(got.map(({ data }) => data), Array.from({ length: 120 }, (_, n) => n));
  });

  test("hundreds of channels come back with one line (CLI-4)", async () => {
    const alice = client();
    await alice.connect();
    const channels = Array.from({ length: 128 }, (_, n) => alice.channel(`chat:many-${n}-${"x".repeat(200)}`));
    await Promise.all(channels.map((channel) => channel.subscribe()));
    breakLine();
    await eventually("the line is lost", () => alice.state !== "connected");
    void alice.connect();
    await eventually("all are back", () => channels.every(({ status }) => status === "subscribed"));
  });

  test("a restart of the memory backend is told, and what is true now is shown (SUB-6)", async () => {
    const alice = client();
    await alice.connect();
    const chat = alice.channel("chat:restart", { state: true });
    const told: unknown[] = [];
    chat.on("missed", (missed) => told.push(missed));
    await chat.subscribe();
    const { position } = await chat.publish("before");
    await chat.update.set("k", 1);
    await eventually("the state came", () => chat.state.size === 1);
    await server.restart("kill");
    void alice.connect();
    await eventually("it is subscribed again", () => chat.status === "subscribed");
    assert.notEqual(chat.position!.epoch, position!.epoch);
    assert.deepEqual(told, [{ from: position!.offset + 2 }]);
    assert.equal(chat.state.size, 0);
  });

  test("a server that stops says so, and clients wait for the next (LIV-5, SRV-7)", async () => {
    const alice = client();
    await alice.connect();
    const causes: (number | undefined)[] = [];
    alice.on("state", ({ state, code }) => state === "waiting" && causes.push(code));
    await server.stop();
    await eventually("told", () => causes.length > 0);
    assert.equal(causes[0], 4500);
    await server.start();
    void alice.connect();
    await eventually("back", () => alice.state === "connected");
  });
}
