import assert from "node:assert/strict";
import type { Bellwire, Position, Publication } from "@bellwire/client";
import { eventually, lineErrors, type ScenarioOptions, scenario, type Stage } from "./harness/index.js";
import { type Heard, iconMissing, Listener, quietPage } from "./listener.js";

const channels = ["ticker", "chat:lobby"] as const;
const address = `/sse?channels=${channels.join()}`;

/** readyState of an EventSource (WHATWG HTML 9.2.2). */
const connecting = 0;
const open = 1;
const closed = 2;

/** What Chromium waits before it asks again, where no server has said `retry`. */
const waitOfChromiumMs = 3000;

/** The backend: it publishes, and knows what it has. */
class Press {
  readonly #stage: Stage;
  readonly #printed = new Map<string, { offset: number; data: string }[]>();

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** What was published in a channel, with the offsets it was told. */
  printed(channel: string): readonly { offset: number; data: string }[] {
    return this.#printed.get(channel) ?? [];
  }

  /** Publishes so many more, one after the other, not by way of anybody's line. */
  async print(channel: string, count: number): Promise<void> {
    const printed = [...this.printed(channel)];
    this.#printed.set(channel, printed);
    for (; count > 0; count--) {
      const data = `${channel}, number ${printed.length + 1}`;
      printed.push({ offset: await this.#publish(channel, data), data });
    }
  }

  async #publish(channel: string, data: string): Promise<number> {
    const [visitor] = this.#stage.visitors;
    assert.ok(visitor, "somebody must be there");
    // The browser's own client of HTTP takes the certificate that no one has signed.
    const answer = await visitor.page.request.post(`${this.#stage.server.url}/api/v1/publish`, {
      headers: { Authorization: "Bearer dev" }, data: { channel, data },
    });
    assert.equal(answer.status(), 200);
    return ((await answer.json()) as { offset: number }).offset;
  }
}

/** Publishes once more in both channels, and sees that the page has got everything that was, once and in order. */
async function hasHeardAll(listener: Listener, press: Press): Promise<void> {
  for (const channel of channels) {
    await press.print(channel, 1); // whatever would come twice, or late, comes before it
    const last = press.printed(channel).at(-1)?.data;
    await listener.hears(`"${last}"`, (heard) => heard.some(({ message }) => message.publication?.data === last));
  }
  for (const channel of channels) assert.deepEqual(await listener.publications(channel), press.printed(channel));
  idsSayWhereItWas(await listener.heard());
}

/** EVT-4: after every event its id says where all channels are, so that the line could have been lost there. */
function idsSayWhereItWas(heard: readonly Heard[]): void {
  const now: Record<string, Position> = {};
  for (const { message, lastId } of heard) {
    const { channel, offset = 0 } = message.subscribed ?? message.publication ?? {};
    if (channel !== undefined) now[channel] = { epoch: message.subscribed?.epoch ?? now[channel]?.epoch ?? "", offset };
    assert.deepEqual(positions(lastId), now, JSON.stringify(message));
  }
}

/** What the id of an event says. */
function positions(id: string): Record<string, Position> {
  return Object.fromEntries(id.split(" ").filter(Boolean).map((part) => {
    const [channel = "", epoch = "", offset = ""] = part.split("|");
    return [channel, { epoch, offset: Number(offset) }];
  }));
}

async function isLost(listener: Listener): Promise<void> {
  await eventually(`${listener.visitor.name}'s line is lost`, async () => (await listener.readyState()) !== open);
  assert.equal(await listener.readyState(), connecting);
}

/** Sees that the browser waits as the server has told it to, not as it would by itself. At first the window is a second. */
async function comesAsTold(listener: Listener): Promise<void> { // EVT-3
  const at = (await listener.losses()).map(({ atMs }) => atMs);
  const waits = at.slice(1).map((ms, index) => ms - (at[index] ?? 0));
  assert.ok(Math.min(...waits) < waitOfChromiumMs - 500, `it was lost again after ${waits.join(", ")} ms`);
}

scenario("a plain EventSource gets what is published in two channels, once and in order (EVT-1, EVT-3, EVT-4)", async (stage) => {
  const listener = await Listener.arrive(stage, "Alice", address);
  const press = new Press(stage);
  await listener.isSubscribed(channels.length);
  const hello = await listener.heard();
  assert.deepEqual(hello.map(({ message }) => Object.keys(message)), [["connect"], ["subscribed"], ["subscribed"]]);
  const [connect] = await listener.all("connect");
  assert.match(connect?.user ?? "", /^~/);
  assert.deepEqual((await listener.all("subscribed")).map(({ channel, recovered }) => ({ channel, recovered })), channels.map((channel) => ({ channel, recovered: undefined })));

  for (let round = 0; round < 20; round++) {
    await press.print("ticker", 1);
    await press.print("chat:lobby", 2);
  }
  await hasHeardAll(listener, press);
  assert.deepEqual(press.printed("chat:lobby").map(({ offset }) => offset), Array.from({ length: 41 }, (_, index) => index + 1));
  assert.deepEqual([listener.asked, await listener.losses(), await listener.readyState()], [1, [], open]);
});

/** Over TLS a line is a connection of HTTP/1.1, unless more is offered: then it is a stream of HTTP/2. */
const overHTTP2: ScenarioOptions = { server: { secure: true, extra: ["--http2-websocket"] } };
const ways: readonly [string, ScenarioOptions][] = [["", {}], [", over TLS", { server: { secure: true } }], [", over HTTP/2", overHTTP2]];

for (const [way, options] of ways) {
  scenario(`an EventSource whose line is cut comes back by itself and misses nothing (EVT-4, SE-02)${way}`, async (stage) => {
    const listener = await Listener.arrive(stage, "Alice", address, { expected: [lineErrors] });
    const press = new Press(stage);
    await listener.isSubscribed(channels.length);
    // What is published in the gap: at first before anything was, then also in one channel only, or in none.
    const gaps = [[30, 20], [0, 3], [0, 0], [200, 100]] as const;
    for (const [index, [ticker, chat]] of gaps.entries()) {
      const before = await listener.heard();
      const lost = (await listener.losses()).length;
      const came = (await listener.cameWith()).length;
      listener.visitor.line.cut();
      await isLost(listener);
      await press.print("ticker", ticker);
      await press.print("chat:lobby", chat);
      if (index === 0) await eventually("it asks in vain", async () => (await listener.losses()).length >= lost + 3);
      assert.deepEqual(await listener.heard(), before);
      listener.visitor.line.restore();
      await listener.isSubscribed((index + 2) * channels.length);

      const held = before.at(-1)?.lastId ?? "";
      assert.notEqual(held, "");
      assert.deepEqual((await listener.cameWith()).slice(came), [held]);
      const back = (await listener.all("subscribed")).slice(-channels.length);
      assert.deepEqual(back.map(({ channel, recovered, missed }) => ({ channel, recovered, missed })), channels.map((channel) => ({ channel, recovered: true, missed: undefined })));
      for (const { channel = "", epoch = "", offset = 0 } of back) assert.deepEqual({ epoch, offset }, positions(held)[channel]);
      await hasHeardAll(listener, press);
    }
    await comesAsTold(listener);
    assert.ok((await listener.losses()).every(({ readyState }) => readyState === connecting));
  }, options);

  scenario(`an EventSource comes back to a server that was stopped, and is told that the log is another (EVT-4, LIV-5)${way}`, async (stage) => {
    await comesBackToNothing(stage, "stop");
  }, options);
}

scenario("an EventSource comes back to a server that was killed, and is told that the log is another (EVT-4)", async (stage) => {
  await comesBackToNothing(stage, "kill");
});

async function comesBackToNothing(stage: Stage, how: "stop" | "kill"): Promise<void> {
  const listener = await Listener.arrive(stage, "Alice", address, { expected: [lineErrors] });
  const before = new Press(stage);
  await listener.isSubscribed(channels.length);
  for (const channel of channels) await before.print(channel, 20);
  if (how === "kill") await hasHeardAll(listener, before);
  await stage.server[how]();
  await isLost(listener);
  // LIV-5: what was published before it was stopped was sent, and then the end was told; perhaps again to who came too early (EVT-5).
  for (const channel of channels) assert.deepEqual(await listener.publications(channel), before.printed(channel));
  const ends = await listener.all("disconnect");
  assert.deepEqual([...new Set(ends.map(({ code }) => code))], how === "stop" ? [4500] : []);
  assert.deepEqual((await listener.heard()).slice(-1 - ends.length).map(({ message }) => Object.keys(message)[0]), ["publication", ...ends.map(() => "disconnect")]);

  const lost = (await listener.losses()).length;
  await eventually("it asks in vain", async () => (await listener.losses()).length >= lost + 2);
  const held = (await listener.heard()).at(-1)?.lastId ?? "";
  await stage.server.start();
  const after = new Press(stage);
  for (const channel of channels) await after.print(channel, 5); // before it is back, or after
  await listener.isSubscribed(2 * channels.length);
  assert.deepEqual([...new Set(await listener.cameWith())], ["", held]);
  const back = (await listener.all("subscribed")).slice(-channels.length);
  assert.deepEqual(back.map(({ channel, offset, recovered, missed }) => ({ channel, offset, recovered, missed })),
    channels.map((channel) => ({ channel, offset: undefined, recovered: false, missed: { from: before.printed(channel).length + 1 } }))); // SUB-6
  for (const { channel = "", epoch } of back) assert.notEqual(epoch, positions(held)[channel]?.epoch);

  for (const channel of channels) {
    await after.print(channel, 1);
    const all = [...before.printed(channel), ...after.printed(channel)];
    await listener.hears(`${all.length} in ${channel}`, (heard) => heard.filter(({ message }) => message.publication?.channel === channel).length >= all.length);
    assert.deepEqual(await listener.publications(channel), all);
  }
  idsSayWhereItWas(await listener.heard());
  assert.ok((await listener.losses()).every(({ readyState }) => readyState === connecting), "it was told never to come again");
}

scenario("an EventSource that comes back while the server still goes down is told to come again (EVT-5, LIV-5)", async (stage) => {
  const visitor = await stage.visitor("Alice", { path: quietPage, expected: [lineErrors] });
  const listeners = await Promise.all(Array.from({ length: 5 }, () => Listener.in(visitor, address)));
  for (const listener of listeners) await listener.isSubscribed(channels.length);
  await stage.server.stop(); // moves them away one after the other, so that the first are back before the last are gone
  const ends = (await Promise.all(listeners.map((listener) => listener.all("disconnect")))).flat();
  assert.deepEqual([...new Set(ends.map(({ code }) => code))], [4500]);
  assert.ok(ends.length > listeners.length, `nobody came back in time: ${ends.length} times the end was told`);
  await stage.server.start();
  for (const listener of listeners) {
    await listener.isSubscribed(2 * channels.length);
    assert.ok((await listener.losses()).every(({ readyState }) => readyState === connecting));
  }
}, { server: { extra: ["--drain", "3s"] } });

scenario("an EventSource whose line is cut again and again while messages come gets each of them once (EVT-4, SE-02)", async (stage) => {
  const listener = await Listener.arrive(stage, "Alice", address, { expected: [lineErrors] });
  const press = new Press(stage);
  await listener.isSubscribed(channels.length);
  let ending = false;
  const printing = (async () => {
    while (!ending) for (const channel of channels) await press.print(channel, 3);
  })();
  try {
    for (let cut = 1; cut <= 6; cut++) {
      const count = (await listener.heard()).length;
      await listener.hears("more", (heard) => heard.length > count + 10);
      listener.visitor.line.cut();
      await isLost(listener);
      listener.visitor.line.restore();
      await listener.isSubscribed((cut + 1) * channels.length);
    }
  } finally {
    ending = true;
    await printing;
  }
  await hasHeardAll(listener, press);
  assert.deepEqual((await listener.all("subscribed")).slice(channels.length).filter(({ recovered }) => recovered !== true), []);
});

scenario("an EventSource that is refused is closed and asks no second time, while one whose line is cut does (EVT-5)", async (stage) => {
  const visitor = await stage.visitor("Alice", { path: quietPage, expected: [lineErrors] });
  const statuses: number[] = [];
  visitor.page.on("response", (response) => statuses.push(response.status()));
  const refused: Listener[] = [];
  for (const path of ["/sse", "/sse?channels=", "/sse?channels=chat:lobby&token=x"]) refused.push(await Listener.in(visitor, path));
  for (const listener of refused) await eventually("it is refused", async () => (await listener.readyState()) === closed);
  assert.deepEqual(statuses, refused.map(() => 400));

  // By the time that one which was told nothing has asked twice, the others would have, too.
  visitor.line.cut();
  const other = await Listener.in(visitor, address);
  await eventually("the browser asks again", async () => (await other.losses()).length >= 2);
  for (const listener of refused) {
    assert.deepEqual([listener.asked, (await listener.losses()).map(({ readyState }) => readyState), await listener.heard()], [1, [closed], []]);
  }
});

scenario("an EventSource of an allowed origin is served and comes back, one of another is closed (EVT-5, EVT-7, SE-07)", async (stage) => {
  const expected = [lineErrors, /blocked by CORS policy/];
  const guest = await stage.visitor("Guest", { path: quietPage, expected, bypassCSP: true }); // the page's policy knows only its own server
  const stranger = await stage.visitor("Stranger", { path: quietPage, expected, bypassCSP: true });
  const press = new Press(stage);
  await guest.page.goto(guest.line.url.replace("127.0.0.1", "localhost") + quietPage);
  const listener = await Listener.in(guest, guest.line.url + address);
  const refused = await Listener.in(stranger, guest.line.url + address);
  await listener.isSubscribed(channels.length);
  await eventually("it is refused", async () => (await refused.readyState()) === closed);

  guest.line.cut();
  await isLost(listener);
  for (const channel of channels) await press.print(channel, 3);
  guest.line.restore();
  await listener.isSubscribed(2 * channels.length);
  assert.deepEqual((await listener.all("subscribed")).map(({ recovered }) => recovered), [undefined, undefined, true, true]);
  await hasHeardAll(listener, press);
  assert.deepEqual([refused.asked, await refused.heard()], [1, []]);
}, { server: { environment: { BELLWIRE_ALLOWED_ORIGINS: "http://localhost:*" } } });

scenario("over HTTP/2 a page has more lines than a browser makes connections to one server (SE-06)", async (stage) => {
  const visitor = await stage.visitor("Alice", { path: quietPage, expected: [iconMissing] });
  const press = new Press(stage);
  const listeners = await Promise.all(Array.from({ length: 8 }, () => Listener.in(visitor, address))); // of HTTP/1.1 it makes six
  for (const listener of listeners) await listener.isSubscribed(channels.length);
  for (const channel of channels) await press.print(channel, 3);
  for (const listener of listeners) await hasHeardAll(listener, press);
  assert.equal(visitor.line.connections, 1);
}, overHTTP2);

/** What both kinds of client are told of a publication. */
type Told = Pick<Publication, "channel" | "offset" | "data" | "id" | "timeMs" | "from">;

scenario("the library on a WebSocket and an EventSource see the same, and one goes on where the other was (EVT-4, SE-08)", async (stage) => {
  const listener = await Listener.arrive(stage, "Alice", address);
  const press = new Press(stage);
  const { page } = listener.visitor;
  await listener.isSubscribed(channels.length);
  const library = await page.evaluateHandle(async ([names, script]) => {
    const { Bellwire: Client } = (await import(script)) as { Bellwire: typeof Bellwire };
    const client = new Client("/ws");
    const told: Told[] = [];
    await client.connect();
    for (const name of names) {
      const channel = client.channel(name);
      channel.on("publication", ({ channel, offset, data, id, timeMs, from }) => told.push({ channel, offset: offset ?? 0, data, ...(id && { id }), ...(timeMs && { timeMs }), ...(from && { from }) }));
      await channel.subscribe();
    }
    return { client, told };
  }, [[...channels], "/client/bellwire.js"] as const);

  for (let round = 0; round < 5; round++) {
    for (const channel of channels) await press.print(channel, 2);
    await library.evaluate(({ client }, number) => client.publish("chat:lobby", { number, text: "from the page\r\n\nid: 7 \u2028 é 🔔" }, { id: `id-${number}` }), round);
  }
  const ofChannel = (all: readonly Told[], channel: string): Told[] => all.filter((one) => one.channel === channel);
  const told = { ticker: 10, "chat:lobby": 15 };
  await eventually("both have everything", async () => {
    const byLibrary = await library.evaluate(({ told }) => told);
    return channels.every((channel) => ofChannel(byLibrary, channel).length === told[channel]);
  });
  await listener.hears("everything", (heard) => heard.filter(({ message }) => message.publication).length === 25);
  const byLibrary = await library.evaluate(({ told }) => told);
  const byEvents = (await listener.all("publication")).map(({ channel, offset, data, id, time_ms: timeMs, from }) =>
    JSON.parse(JSON.stringify({ channel, offset, data, id, timeMs, from })) as Told);
  for (const channel of channels) assert.deepEqual(ofChannel(byEvents, channel), ofChannel(byLibrary, channel));

  // SE-08: the library ends, more is published, and an EventSource goes on from where it was.
  const held = await library.evaluate(({ client }) => {
    const positions = client.positions();
    client.close();
    return positions;
  });
  for (const channel of channels) await press.print(channel, 3);
  const id = channels.map((channel) => `${channel}|${held[channel]?.epoch}|${held[channel]?.offset}`).join(" ");
  const next = await Listener.in(listener.visitor, `${address}&last_event_id=${encodeURIComponent(id)}`);
  for (const channel of channels) {
    const rest = press.printed(channel).slice(10);
    await next.hears(`the rest of ${channel}`, (heard) => heard.some(({ message }) => message.publication?.data === rest.at(-1)?.data));
    assert.deepEqual(await next.publications(channel), rest);
  }
  assert.deepEqual((await next.all("subscribed")).map(({ recovered }) => recovered), [true, true]);
});
