// The driver: what an application sees, over a network and a clock that the test owns.

import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { Bellwire, BellwireError, type BellwireOptions, type LineEvent, type Publication } from "@bellwire/client";
import type { Loose } from "./document.js";
import { FakePlatform, FakeSocket, FakeWebSocket, settled, socket, welcome } from "./fake.js";

let platform: FakePlatform;

beforeEach(() => {
  platform = new FakePlatform();
  FakeSocket.all = [];
});

function client(options: BellwireOptions = {}): Bellwire {
  return new Bellwire("ws://a/ws", { webSocket: FakeWebSocket, platform, ...options });
}

function connected(options: BellwireOptions = {}): Bellwire {
  const bellwire = client(options);
  void bellwire.connect();
  welcome();
  return bellwire;
}

function subscribed(channel: string, more: Loose = { epoch: "e1", offset: 1, top: 1 }): void {
  socket().receive({ subscribed: { channel, ...more } });
}

describe("the connection", () => {
  test("connect is kept with the session, and state, session and events tell the same (CLI-1)", async () => {
    const bellwire = client();
    const states: string[] = [];
    bellwire.on("state", ({ state }) => states.push(state));
    const session = bellwire.connect();
    assert.equal(bellwire.state, "connecting");
    assert.deepEqual(socket().protocols, ["bellwire.v1.json"]);
    assert.equal(socket().binaryType, "arraybuffer");
    assert.match(String(welcome()["client"]), /^bellwire-js\//);
    assert.deepEqual(await session, { connection: "c1", user: "alice", server: "bellwire/0.1.0", node: "n1", timeMs: 7 });
    assert.equal(bellwire.session?.user, "alice");
    assert.equal(await bellwire.connect(), bellwire.session);
    bellwire.close();
    assert.deepEqual(states, ["connecting", "connected", "closed"]);
    assert.equal(bellwire.session, undefined);
    assert.equal(socket().closedWith, 1000);
  });

  test("in closed no timer runs and nobody is watched (CLI-1)", () => {
    const bellwire = connected();
    void bellwire.channel("chat:a").subscribe();
    bellwire.close();
    assert.equal(platform.timers, 0);
    assert.equal(platform.events, undefined);
    platform.pass(1e9);
    assert.equal(FakeSocket.all.length, 1);
  });

  test("connect is broken when the server says never, or the application closes", async () => {
    const bellwire = client();
    const refused = bellwire.connect();
    socket().open();
    socket().receive({ disconnect: { code: 4403, reason: "no" } });
    await assert.rejects(refused, (error: BellwireError) => error.code === 4403 && error.name === "forbidden" && !error.retry);
    const closed = bellwire.connect();
    bellwire.close();
    await assert.rejects(closed, { name: "unavailable" });
  });

  test("nobody who does not wait hears of an unhandled rejection (CC-10)", async (t) => {
    const unhandled = t.mock.fn();
    process.on("unhandledRejection", unhandled);
    const bellwire = client();
    void bellwire.connect();
    void bellwire.channel("chat:a").subscribe();
    void bellwire.channel("chat:a").enter();
    void bellwire.channel("chat:a").publish(1, { wait: false });
    bellwire.close();
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", unhandled);
    assert.equal(unhandled.mock.callCount(), 0);
  });

  test("waiting tells when the next attempt begins, by the clock on the wall (LIV-3)", () => {
    const bellwire = connected();
    platform.pass(6000);
    const before = Date.now();
    socket().drop();
    assert.equal(bellwire.state, "waiting");
    assert.ok(bellwire.retryAtMs! >= before + 500 && bellwire.retryAtMs! <= Date.now() + 500);
    platform.pass(499);
    assert.equal(FakeSocket.all.length, 1);
    platform.pass(1);
    assert.equal(FakeSocket.all.length, 2);
    assert.equal(bellwire.retryAtMs, undefined);
  });

  test("connect while waiting tries at once", () => {
    const bellwire = connected();
    platform.pass(6000);
    socket().drop();
    void bellwire.connect();
    assert.equal(FakeSocket.all.length, 2);
    assert.equal(platform.watched, 1);
  });

  test("a WebSocket that cannot be made is a failed attempt", async () => {
    const Broken = class {
      constructor() {
        throw new SyntaxError("no");
      }
    };
    const bellwire = client({ webSocket: Broken as never });
    void bellwire.connect();
    await settled();
    assert.equal(bellwire.state, "waiting");
    bellwire.close();
  });

  test("a WebSocket that only says error, as some do when a line cannot be opened, is a failed attempt", () => {
    const bellwire = client();
    void bellwire.connect();
    socket().onerror?.({} as never);
    assert.equal(bellwire.state, "waiting");
    platform.pass(1000);
    welcome();
    socket().onerror?.({} as never);
    assert.equal(bellwire.state, "connected", "an open line says with its close event what was wrong");
    socket().onclose?.({ code: 4410, reason: "bye" } as never);
    assert.equal(bellwire.state, "closed");
  });

  test("URLs: http is ws, several are tried in turn, others are refused at once", () => {
    const bellwire = new Bellwire(["http://a:8000/ws", new URL("wss://b/ws")], { webSocket: FakeWebSocket, platform });
    void bellwire.connect();
    socket().drop();
    platform.pass(1000);
    assert.deepEqual(FakeSocket.all.map(({ url }) => url), ["ws://a:8000/ws", "wss://b/ws"]);
    assert.throws(() => new Bellwire("ftp://a/ws", { webSocket: FakeWebSocket }), TypeError);
    assert.throws(() => new Bellwire([], { webSocket: FakeWebSocket }), TypeError);
    assert.throws(() => new Bellwire("/ws", { webSocket: FakeWebSocket }), TypeError);
  });

  test("a line that opens after its timeout was closed, and is not listened to (CLI-2, CC-05)", () => {
    const bellwire = client();
    void bellwire.connect();
    const late = socket();
    platform.pass(10_000);
    assert.equal(late.closedWith, 4408);
    late.open();
    late.receive({ id: 1, connect: {} });
    assert.equal(bellwire.state, "waiting");
    assert.deepEqual(late.sent, []);
    bellwire.close();
  });
});

describe("the surroundings", () => {
  test("offline ends the line at once, online brings it back within 200 ms (CLI-8)", () => {
    const bellwire = connected();
    platform.events!.network(false);
    assert.equal(bellwire.state, "waiting");
    platform.pass(30_000);
    assert.equal(FakeSocket.all.length, 1);
    platform.events!.network(true);
    platform.pass(200);
    assert.equal(FakeSocket.all.length, 2);
  });

  test("a page that was frozen too long begins a new line when it wakes (CLI-9)", () => {
    const bellwire = connected();
    platform.time += 60_000;
    platform.events!.woke();
    assert.equal(bellwire.state, "waiting");
    platform.pass(200);
    assert.equal(FakeSocket.all.length, 2);
  });

  test("a timer that comes far too late where timers are prompt means the machine slept (CLI-9)", () => {
    const bellwire = connected();
    platform.pass(3_600_000, { late: true });
    assert.equal(bellwire.state, "connected", "what came over the line meanwhile has its turn first");
    platform.turn();
    assert.equal(bellwire.state, "waiting");
  });

  test("a timer held back in a page that is not seen drops nothing (CC-12)", () => {
    const bellwire = connected();
    platform.prompt = false;
    for (let minute = 0; minute < 10; minute++) {
      platform.pass(60_000, { late: true });
      platform.turn();
      const [ping] = socket().taken();
      assert.ok(ping?.["ping"], `a ping in minute ${minute}`);
      socket().receive({ id: ping["id"], ping: {} });
    }
    assert.equal(bellwire.state, "connected");
    assert.equal(FakeSocket.all.length, 1);
  });

  test("seen again, a page that held its timers back looks after the line at once", () => {
    connected();
    platform.time += 30_000;
    platform.events!.seen();
    assert.ok(socket().taken()[0]?.["ping"]);
  });

  test("a listener that blocks longer than pong_ms does not cost the line (CC-10)", () => {
    const bellwire = connected();
    bellwire.channel("chat:a").on("publication", () => (platform.time += 10_000));
    void bellwire.channel("chat:a").subscribe();
    subscribed("chat:a");
    platform.pass(25_000);
    const ping = socket().taken().at(-1)!;
    socket().receive({ publication: { channel: "chat:a", offset: 2, data: 1 } }, { id: ping["id"], ping: {} });
    platform.pass(0, { late: true });
    platform.turn();
    assert.equal(bellwire.state, "connected");
  });
});

describe("tokens", () => {
  test("a source is asked, and asked again for refresh before the token expires (CLI-3)", async () => {
    let count = 0;
    const bellwire = client({ token: async () => `t${++count}` });
    void bellwire.connect();
    assert.equal(FakeSocket.all.length, 0);
    await settled();
    assert.equal(welcome({ expires_ms: 60_000 })["token"], "t1");
    platform.time += 50_000;
    socket().receive({ notice: {} });
    platform.pass(0);
    await settled();
    assert.deepEqual(socket().taken().map(({ refresh }) => refresh), [{ token: "t2" }]);
    bellwire.close();
  });

  test("a source that throws is told and tried again; one that gives null closes (CC-06)", async () => {
    const answers: (() => string | null)[] = [() => { throw new Error("down"); }, () => null];
    const bellwire = client({ token: () => answers.shift()!() });
    const errors: unknown[] = [];
    bellwire.on("error", (error) => errors.push(error));
    void bellwire.connect();
    await settled();
    assert.equal(bellwire.state, "waiting");
    assert.match(String(errors), /down/);
    platform.pass(1000);
    await settled();
    assert.equal(bellwire.state, "closed");
  });

  test("a subscription's own source gives its token (CLI-11)", async () => {
    const bellwire = connected();
    void bellwire.channel("vip:a", { token: () => "s1" }).subscribe();
    await settled();
    assert.deepEqual(socket().taken().map(({ subscribe }) => subscribe), [{ channels: [{ channel: "vip:a", token: "s1" }] }]);
  });
});

describe("channels", () => {
  test("the same name is the same object; options are for the next subscribe", () => {
    const bellwire = connected();
    const chat = bellwire.channel("chat:a", { rewind: 5 });
    assert.equal(bellwire.channel("chat:a"), chat);
    assert.equal(chat.status, "unsubscribed");
    void chat.subscribe();
    assert.equal(chat.status, "subscribing");
    bellwire.channel("chat:a", { presence: "count" });
    void chat.subscribe();
    assert.deepEqual(socket().taken().map(({ subscribe }) => (subscribe as Loose)["channels"]), [[{ channel: "chat:a", rewind: 5 }], [{ channel: "chat:a", presence: "count" }]]);
  });

  test("subscribe is kept with the answer, broken when the server ends it", async () => {
    const bellwire = connected();
    const chat = bellwire.channel("chat:a");
    const answer = chat.subscribe();
    subscribed("chat:a", { epoch: "e1", offset: 3, top: 5 });
    assert.deepEqual(await answer, { epoch: "e1", offset: 3, top: 5 });
    assert.deepEqual(await chat.subscribe(), { epoch: "e1", offset: 3, top: 5 });
    const refused = bellwire.channel("secret:a").subscribe();
    subscribed("secret:a", { error: { code: 103, name: "permission_denied", message: "no" } });
    await assert.rejects(refused, { name: "permission_denied", code: 103, message: "no", retry: false });
    assert.equal(bellwire.channel("secret:a").status, "ended");
  });

  test("publications have their data, place and author; a resume goes on where they ended (CLI-4, CLI-6)", () => {
    const bellwire = connected();
    const chat = bellwire.channel<{ text: string }>("chat:a");
    const got: Publication<{ text: string }>[] = [];
    chat.on("publication", (publication) => {
      got.push(publication);
      assert.deepEqual(bellwire.positions()["chat:a"], publication.position, "what was handed over is held");
    });
    void chat.subscribe();
    subscribed("chat:a", { epoch: "e1", offset: 3, top: 4 });
    socket().receive(
      { publication: { channel: "chat:a", offset: 4, data: { text: "a" }, id: "x", time_ms: 9, from: { user: "bob", connection: "c9" } } },
      { publication: { channel: "chat:a", offset: 5, data: { text: "b" } } },
    );
    assert.deepEqual(got, [
      { channel: "chat:a", data: { text: "a" }, offset: 4, position: { epoch: "e1", offset: 4 }, id: "x", timeMs: 9, from: { user: "bob", connection: "c9" }, replayed: true },
      { channel: "chat:a", data: { text: "b" }, offset: 5, position: { epoch: "e1", offset: 5 }, replayed: false },
    ]);
    platform.pass(6000);
    socket().drop();
    platform.pass(1000);
    assert.deepEqual(welcome()["subscribe"], [{ channel: "chat:a", since: { epoch: "e1", offset: 5 } }]);
  });

  test("positions of an earlier page are taken up, for channels by name alone (CC-16)", () => {
    const bellwire = client({ positions: { "chat:a": { epoch: "e1", offset: 7 } } });
    void bellwire.channel("chat:a").subscribe();
    void bellwire.channel("constructor").subscribe();
    void bellwire.channel("__proto__").subscribe();
    void bellwire.connect();
    assert.deepEqual(welcome()["subscribe"], [{ channel: "chat:a", since: { epoch: "e1", offset: 7 } }, { channel: "constructor" }, { channel: "__proto__" }]);
    socket().receive({ subscribed: { channel: "__proto__", epoch: "e1", offset: 2 } });
    assert.deepEqual(Object.getOwnPropertyDescriptor(bellwire.positions(), "__proto__")?.value, { epoch: "e1", offset: 2 });
    assert.equal(({} as Loose)["epoch"], undefined);
  });

  test("missed and unsubscribed are told; what resumes by itself says so", () => {
    const bellwire = connected();
    const chat = bellwire.channel("chat:a");
    const told: unknown[] = [];
    chat.on("missed", (missed) => told.push(missed));
    chat.on("unsubscribed", ({ error, resumes }) => told.push([error.name, resumes]));
    void chat.subscribe();
    subscribed("chat:a", { epoch: "e1", offset: 9, top: 9, recovered: false, missed: { from: 4, to: 9 } });
    socket().receive({ unsubscribed: { channel: "chat:a", code: 351, reason: "" } });
    platform.pass(1000);
    subscribed("chat:a", { epoch: "e1", offset: 9, top: 9, recovered: true });
    socket().receive({ unsubscribed: { channel: "chat:a", code: 301, reason: "" } });
    assert.deepEqual(told, [{ from: 4, to: 9 }, ["slow_subscription", true], ["permission_revoked", false]]);
  });

  test("a listener that throws disturbs neither others nor the client, and is told (CLI-12, CC-10)", () => {
    const bellwire = connected();
    const errors: unknown[] = [];
    const got: unknown[] = [];
    bellwire.on("error", (error) => errors.push(error));
    bellwire.on("error", () => {
      throw new Error("and in the error listener");
    });
    const chat = bellwire.channel("chat:a");
    chat.on("publication", () => {
      throw new Error("mine");
    });
    chat.on("publication", ({ data }) => got.push(data));
    void chat.subscribe();
    subscribed("chat:a");
    const { error } = console;
    console.error = () => {};
    socket().receive({ publication: { channel: "chat:a", offset: 2, data: 1 } }, { publication: { channel: "chat:a", offset: 3, data: 2 } });
    console.error = error;
    assert.deepEqual(got, [1, 2]);
    assert.equal(errors.length, 2);
    assert.equal(bellwire.state, "connected");
  });

  test("what a listener does comes after what it was told of", () => {
    const bellwire = connected();
    const chat = bellwire.channel("chat:a");
    const order: string[] = [];
    chat.on("subscribed", () => {
      order.push("subscribed");
      chat.unsubscribe();
      bellwire.close();
    });
    chat.on("missed", () => order.push("missed"));
    bellwire.on("state", ({ state }) => order.push(state));
    void chat.subscribe();
    subscribed("chat:a", { epoch: "e1", offset: 9, top: 9, recovered: false, missed: { from: 4 } });
    assert.deepEqual(order, ["subscribed", "missed", "closed"]);
  });

  test("a listener can be removed, and added twice", () => {
    const bellwire = connected();
    let count = 0;
    const listener = (): void => void count++;
    const off = bellwire.on("roundTrip", listener);
    bellwire.on("roundTrip", listener);
    off();
    off();
    void bellwire.ping();
    socket().receive({ id: socket().taken()[0]!["id"], ping: {} });
    assert.equal(count, 1);
  });

  test("for await has what comes until unsubscribe, and throws what ended it", async () => {
    const bellwire = connected();
    const chat = bellwire.channel<number>("chat:a");
    const stream = chat.publications();
    assert.equal(chat.status, "subscribing", "it subscribes when nobody has");
    subscribed("chat:a");
    socket().receive({ publication: { channel: "chat:a", offset: 2, data: 1 } }, { publication: { channel: "chat:a", offset: 3, data: 2 } });
    const first = await stream.next();
    assert.equal((first.value as Publication<number>).data, 1);
    const got: number[] = [];
    const loop = (async () => {
      for await (const { data } of stream) got.push(data);
    })();
    await settled();
    socket().receive({ publication: { channel: "chat:a", offset: 4, data: 3 } });
    await settled();
    chat.unsubscribe();
    await loop;
    assert.deepEqual(got, [2, 3]);

    const ended = chat.publications();
    subscribed("chat:a");
    const next = ended.next();
    socket().receive({ unsubscribed: { channel: "chat:a", code: 300, reason: "" } });
    subscribed("chat:a");
    socket().receive({ unsubscribed: { channel: "chat:a", code: 300, reason: "bye" } });
    await assert.rejects(next, { name: "unsubscribed" });
    assert.deepEqual(await ended.next(), { value: undefined, done: true });
  });

  test("leaving a loop stops listening and keeps the subscription", async () => {
    const bellwire = connected();
    const chat = bellwire.channel("chat:a");
    void chat.subscribe();
    subscribed("chat:a");
    const loop = (async () => {
      for await (const _ of chat.publications()) break;
    })();
    await settled();
    socket().receive({ publication: { channel: "chat:a", offset: 2, data: 1 } });
    await loop;
    assert.equal(chat.status, "subscribed");
  });

  test("a loop that takes nothing does not grow without end", async () => {
    const bellwire = connected();
    const stream = bellwire.channel<number>("chat:a").publications();
    subscribed("chat:a", { epoch: "e1" });
    for (let offset = 1; offset <= 10_002; offset++) socket().receive({ publication: { channel: "chat:a", offset, data: offset } });
    let count = 0;
    await assert.rejects(async () => {
      for await (const _ of stream) count++;
    }, { name: "limit_exceeded" });
    assert.equal(count, 10_000);
  });

  test("state and presence are live (SUB-8, PRE-4)", () => {
    const bellwire = connected();
    const poll = bellwire.channel<unknown, number>("poll:a", { state: true, presence: "members" });
    const changes: unknown[] = [];
    poll.on("stateChanged", ({ set, removed, reset }) => changes.push([set.map(({ key, value }) => `${key}=${value}`), removed, reset]));
    poll.on("presence", ({ count, set, left, reset }) => changes.push([count, set.map(({ user }) => user), left, reset]));
    assert.equal(poll.state.size + poll.members.size + poll.count, 0);
    void poll.subscribe();
    subscribed("poll:a", {
      epoch: "e1", offset: 5, top: 5,
      state: { as_of: 5, entries: [{ key: "tea", value: 2, version: 4 }] },
      presence: { version: 1, count: 1, members: [{ user: "bob", connections: [{ connection: "c9", data: { name: "Bob" } }] }] },
    });
    socket().receive({ publication: { channel: "poll:a", offset: 6, state: { key: "tea", value: 3 } } });
    socket().receive({ publication: { channel: "poll:a", offset: 7, state: { key: "coffee", removed: true } } });
    socket().receive({ presence: { channel: "poll:a", version: 2, count: 0, left: ["bob"] } });
    assert.deepEqual(changes, [
      [["tea=2"], [], true], [1, ["bob"], [], true], [["tea=3"], [], false], [[], ["coffee"], false], [0, [], ["bob"], false],
    ]);
    assert.equal(poll.state.get("tea"), 3);
    assert.equal(poll.version("tea"), 6);
    assert.deepEqual([...poll.state], [["tea", 3]]);
    assert.equal(poll.members.size, 0);
  });
});

describe("commands", () => {
  async function answer(promise: Promise<unknown>, body: Loose): Promise<[Loose, unknown]> {
    const [{ id, ...command } = {} as Loose] = socket().taken();
    socket().receive({ id, [Object.keys(command)[0]!]: body });
    return [command, await promise];
  }

  test("each sends its command and has its answer (section 5)", async () => {
    const bellwire = connected();
    const chat = bellwire.channel<unknown, unknown>("chat:a");
    assert.deepEqual(await answer(chat.publish({ text: "hi" }, { id: "b6", echo: false }), { epoch: "e", offset: 4, duplicate: true }), [
      { publish: { channel: "chat:a", data: { text: "hi" }, id: "b6", echo: false } }, { position: { epoch: "e", offset: 4 }, duplicate: true }]);
    assert.deepEqual(await answer(chat.publish(new Uint8Array([1, 2]), { id: "x" }), {}), [
      { publish: { channel: "chat:a", data64: "AQI=", id: "x" } }, { duplicate: false }]);
    assert.deepEqual(await answer(chat.history({ since: { epoch: "e", offset: 2 }, limit: 2, reverse: true }), {
      epoch: "e", top: 9, publications: [{ channel: "chat:a", offset: 1, data: 5 }], more: true, missed: { from: 3 } }), [
      { history: { channel: "chat:a", since: { epoch: "e", offset: 2 }, limit: 2, reverse: true } },
      { epoch: "e", top: 9, publications: [{ channel: "chat:a", data: 5, offset: 1, position: { epoch: "e", offset: 1 }, replayed: true }], more: true, missed: { from: 3 } }]);
    assert.deepEqual(await answer(chat.readState({ key: "a" }), { epoch: "e", as_of: 3, entries: [{ key: "a", value: 1, version: 2 }] }), [
      { state: { channel: "chat:a", key: "a" } }, { epoch: "e", asOf: 3, entries: [{ key: "a", value: 1, version: 2 }], more: false }]);
    assert.deepEqual(await answer(chat.readPresence({ countOnly: true }), { version: 2, count: 7 }), [
      { presence: { channel: "chat:a", count_only: true } }, { version: 2, count: 7, members: [], more: false }]);
    assert.deepEqual(await answer(bellwire.call("cart.add", { sku: 7 }), { data: "ok" }), [{ call: { method: "cart.add", data: { sku: 7 } } }, "ok"]);
    assert.deepEqual(await answer(bellwire.call("now"), {}), [{ call: { method: "now" } }, undefined]);
    assert.deepEqual(await answer(bellwire.publish("chat:b", null, { id: "y" }), {}), [{ publish: { channel: "chat:b", data: null, id: "y" } }, { duplicate: false }]);
  });

  test("updates say their operation (STA-2)", async () => {
    const { update } = connected().channel<unknown, number>("poll:a");
    const applied = { applied: true, value: 3, version: 9, epoch: "e", offset: 9 };
    const result = { applied: true, value: 3, version: 9, position: { epoch: "e", offset: 9 }, duplicate: false };
    const base = { channel: "poll:a", key: "tea", id: "v" };
    assert.deepEqual(await answer(update.increment("tea", 1, { id: "v" }), applied), [{ update: { ...base, op: "increment" } }, result]);
    assert.deepEqual(await answer(update.increment("tea", 0, { id: "v" }), applied), [{ update: { ...base, op: "increment", by: 0 } }, result]);
    assert.deepEqual(await answer(update.set("tea", 0, { id: "v" }), applied), [{ update: { ...base, op: "set", value: 0 } }, result]);
    assert.deepEqual(await answer(update.setIf("tea", 3, 0, { id: "v" }), applied), [{ update: { ...base, op: "set_if", value: 3, version: 0 } }, result]);
    assert.deepEqual(await answer(update.setGreater("tea", 3, { id: "v" }), applied), [{ update: { ...base, op: "set_greater", value: 3 } }, result]);
    assert.deepEqual(await answer(update.remove("tea", { id: "v" }), {}), [
      { update: { ...base, op: "remove" } }, { applied: false, value: undefined, version: 0, duplicate: false }]);
  });

  test("enter and leave need a subscription, and hold over lines (PRE-1)", async () => {
    const bellwire = connected();
    const chat = bellwire.channel("chat:a");
    await assert.rejects(chat.enter(), { name: "not_subscribed" });
    void chat.subscribe();
    subscribed("chat:a");
    socket().taken();
    assert.deepEqual(await answer(chat.enter({ typing: true }), {}), [{ enter: { channel: "chat:a", data: { typing: true } } }, undefined]);
    platform.pass(6000);
    socket().drop();
    platform.pass(1000);
    assert.deepEqual((welcome()["subscribe"] as Loose[])[0]!["enter"], { typing: true });
    assert.deepEqual(await answer(chat.leave(), {}), [{ leave: { channel: "chat:a" } }, undefined]);
  });

  test("what was given is what is sent, whatever happens to it afterwards", () => {
    const bellwire = client();
    const data = { text: "before" };
    const bytes = new Uint8Array([1]);
    void bellwire.publish("a", data);
    void bellwire.publish("a", bytes);
    data.text = "after";
    bytes[0] = 2;
    void bellwire.connect();
    welcome();
    assert.deepEqual(socket().taken().map(({ publish }) => (publish as Loose)["data"] ?? (publish as Loose)["data64"]), [{ text: "before" }, "AQ=="]);
  });

  test("what has no JSON form is the caller's mistake, and costs nothing", async () => {
    const bellwire = connected();
    const loop: Loose = {};
    loop["loop"] = loop;
    for (const data of [undefined, () => 1, loop, 1n]) await assert.rejects(bellwire.publish("a", data), TypeError);
    assert.deepEqual(socket().taken(), []);
  });

  test("errors have code, name, message and whether to retry (SRV-8)", async () => {
    const bellwire = connected();
    const refused = bellwire.publish("a", 1);
    socket().receive({ id: socket().taken()[0]!["id"], error: { code: 152, name: "rate_limited", message: "slow down" } });
    await assert.rejects(refused, (error: BellwireError) => error instanceof BellwireError && error.code === 152 && error.name === "rate_limited" && error.retry && error.message === "slow down");
    const unknown = bellwire.publish("a", 1);
    socket().receive({ id: socket().taken()[0]!["id"], error: { code: 149 } });
    await assert.rejects(unknown, { code: 149, name: "code_149", retry: false });
  });

  test("ping answers with the round trip, and so does the event", async () => {
    const bellwire = connected();
    const times: number[] = [];
    bellwire.on("roundTrip", ({ ms }) => times.push(ms));
    const ping = bellwire.ping();
    platform.time += 12;
    socket().receive({ id: socket().taken()[0]!["id"], ping: { time_ms: 1 } });
    assert.equal(await ping, 12);
    assert.equal(bellwire.roundTrip, 12);
    assert.deepEqual(times, [12]);
  });
});

describe("the line", () => {
  test("its events and counters tell of every message and its bytes", () => {
    const bellwire = client();
    const events: LineEvent[] = [];
    bellwire.on("line", (event) => events.push(event));
    void bellwire.connect();
    welcome();
    socket().receive({ publication: { channel: "ä", data: "€😀" } });
    assert.deepEqual(events.map(({ direction, line }) => [direction, line]), [["out", 1], ["in", 1], ["in", 1]]);
    assert.equal(events[2]!.bytes, Buffer.byteLength(JSON.stringify({ publication: { channel: "ä", data: "€😀" } })));
    assert.deepEqual(bellwire.traffic, {
      bytesIn: events[1]!.bytes + events[2]!.bytes, bytesOut: events[0]!.bytes, messagesIn: 2, messagesOut: 1, lines: 1,
    });
  });

  test("garbage ends the line, which comes back (CC-16)", () => {
    const hostile = ["nonsense", "[]", "5", '{"publication":{"channel":5}}', '{"publication":{"channel":"a","offset":-1}}', '{"id":1.5}',
      '{"subscribed":{"channel":"a","offset":9007199254740993}}', '{"connect":{"ping_ms":"x"}}', '{"presence":{"set":{}}}', "{".repeat(100_000)];
    for (const text of hostile) {
      const bellwire = connected();
      const errors: unknown[] = [];
      bellwire.on("error", (error) => errors.push(error));
      const line = socket();
      line.raw(text);
      assert.equal(line.closedWith, 4400, text.slice(0, 60));
      assert.equal(bellwire.state, "waiting");
      assert.equal(errors.length, 1);
      platform.pass(2000);
      welcome();
      assert.equal(bellwire.state, "connected");
      bellwire.close();
    }
    const bellwire = connected();
    bellwire.on("error", () => {});
    socket().raw(new ArrayBuffer(8));
    assert.equal(bellwire.state, "waiting", "bytes where text was agreed");
  });

  test("prototype keys in what comes change nothing (CC-16)", () => {
    const bellwire = connected();
    const chat = bellwire.channel<Loose, unknown>("chat:a", { state: true, presence: "members" });
    let data: Loose = {};
    chat.on("publication", (publication) => (data = publication.data));
    void chat.subscribe();
    socket().raw('{"subscribed":{"channel":"chat:a","epoch":"e","__proto__":{"polluted":1},"state":{"entries":[{"key":"__proto__","value":{"polluted":1},"version":1}]},"presence":{"version":1,"count":1,"members":[{"user":"__proto__"}]}}}');
    socket().raw('{"publication":{"channel":"chat:a","offset":1,"data":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}},"__proto__":{"polluted":1}}');
    assert.equal(({} as Loose)["polluted"], undefined);
    assert.ok(Object.hasOwn(data, "__proto__"));
    assert.deepEqual([...chat.state.keys()], ["__proto__"]);
    assert.deepEqual([...chat.members.keys()], ["__proto__"]);
    bellwire.close();
  });

  test("a long replay is handled in slices that let the page breathe (CC-11)", () => {
    const bellwire = connected();
    let count = 0;
    bellwire.channel("chat:a").on("publication", () => {
      count++;
      platform.time += 1;
    });
    void bellwire.channel("chat:a").subscribe();
    const replay = Array.from({ length: 1000 }, (_, index) => ({ publication: { channel: "chat:a", offset: index + 1, data: index } }));
    socket().receive({ subscribed: { channel: "chat:a", epoch: "e", top: 1000 } }, ...replay);
    assert.ok(count <= 13, `${count} in one slice`);
    socket().drop();
    assert.equal(bellwire.state, "connected", "what came before the end of the line comes first");
    let slices = 0;
    while (platform.yields > 0) {
      platform.turn();
      slices++;
    }
    assert.equal(count, 1000);
    assert.ok(slices >= 70);
    assert.equal(bellwire.state, "waiting");
    assert.equal(bellwire.channel("chat:a").position?.offset, 1000);
  });

  test("what waits to be handled is limited: the line is given up and resumed", () => {
    const bellwire = connected();
    bellwire.on("error", () => {});
    void bellwire.channel("chat:a").subscribe();
    bellwire.channel("chat:a").on("publication", () => (platform.time += 100));
    socket().receive({ subscribed: { channel: "chat:a", epoch: "e", top: 100 } });
    const chunk = "x".repeat(1 << 20);
    for (let offset = 1; offset <= 70; offset++) socket().receive({ publication: { channel: "chat:a", offset, data: chunk } });
    while (platform.yields > 0) platform.turn();
    assert.equal(bellwire.state, "waiting");
    assert.equal(socket().closedWith, 4400);
    const position = bellwire.channel("chat:a").position!.offset;
    assert.ok(position > 50 && position < 70, `${position} were handled`);
  });

  test("closing in the middle of a replay ends it", () => {
    const bellwire = connected();
    let count = 0;
    bellwire.channel("chat:a").on("publication", () => {
      if (++count === 2) bellwire.close();
    });
    void bellwire.channel("chat:a").subscribe();
    socket().receive({ subscribed: { channel: "chat:a", epoch: "e", top: 9 } }, ...[1, 2, 3, 4].map((offset) => ({ publication: { channel: "chat:a", offset, data: 0 } })));
    assert.equal(count, 2);
    void bellwire.connect();
    welcome();
    assert.equal(bellwire.state, "connected");
    bellwire.close();
  });
});
