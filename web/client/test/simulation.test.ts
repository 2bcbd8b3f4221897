// Cores and a model server under seeded faults: cuts in any place, lost replies, late events of old lines, restarts.
// A failure names its seed; SEED=n runs that one alone.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fromJson } from "../src/codec/json.js";
import { Core } from "../src/core/core.js";
import { Json } from "../src/message.js";
import { documentOf, type Loose } from "./document.js";
import { ModelServer, ServerLine } from "./model.js";
import { randomOf } from "./random.js";

const seeds = process.env["SEED"] ? [Number(process.env["SEED"])] : Array.from({ length: 250 }, (_, index) => index + 1);
const channels = ["chat:a", "chat:b", "poll:c"];
const faultsEndMs = 60_000;
const endMs = 160_000;

for (const group of [0, 1, 2, 3, 4]) {
  test(`exactly once, in order, last intent wins, under faults (CLI-4 to CLI-11, CC-07, CC-08), seeds ${group}/5`, () => {
    for (const seed of seeds.filter((one) => one % 5 === group)) {
      try {
        new Simulation(seed).run();
      } catch (error) {
        throw new Error(`SEED=${seed}: ${(error as Error).message}`, { cause: error });
      }
    }
  });
}

class Simulation {
  readonly random: () => number;
  readonly server: ModelServer;
  now = 0;
  readonly #events: { at: number; order: number; run: () => void }[] = [];
  #order = 0;

  constructor(seed: number) {
    this.random = randomOf(seed);
    this.server = new ModelServer(5 + this.below(40), 1 + this.below(4));
  }

  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  after(ms: number, run: () => void): void {
    this.#events.push({ at: this.now + ms, order: this.#order++, run });
  }

  run(): void {
    const clients = Array.from({ length: 1 + this.below(3) }, (_, index) => new SimulatedClient(this, index));
    for (const client of clients) {
      client.give(() => client.core.connect(this.now));
      for (let at = 0; at < faultsEndMs; at += this.below(1500)) this.after(at, () => client.act());
      for (let at = 0; at < faultsEndMs; at += this.below(12_000)) this.after(at, () => client.fault());
      this.after(faultsEndMs, () => client.heal());
    }
    for (let at = 0; at < faultsEndMs; at += this.below(60_000)) this.after(at, () => this.#restart());
    this.server.fails = () => this.now < faultsEndMs && this.random() < 0.03;
    // Whoever lost the last push of a channel learns of it by the next one.
    this.after(endMs - 30_000, () => channels.forEach((channel) => this.server.append(channel, { data: `last of ${channel}` })));
    while (this.#events.length > 0) {
      this.#events.sort((a, b) => a.at - b.at || a.order - b.order);
      const event = this.#events.shift()!;
      if (event.at > endMs) break;
      this.now = event.at;
      event.run();
    }
    for (const client of clients) client.checkEnd();
  }

  #restart(): void {
    if (this.now === 0) return;
    for (const line of [...this.server.lines]) {
      line.isOpen = false;
      this.server.lines.delete(line);
    }
    this.server.restart();
  }
}

/** What the application knows of one channel from what it was told. */
interface Told {
  epoch: string;
  offset: number;
  missed: { from?: number; to?: number } | undefined;
}

class SimulatedClient {
  readonly core: Core;
  readonly #world: Simulation;
  readonly #name: string;
  readonly #wanted = new Map<string, { state: boolean }>();
  readonly #told = new Map<string, Told>();
  readonly #answered = new Map<number, number>();
  #lines = new Map<number, { line: ServerLine; toServerAt: number; toClientAt: number }>();
  #open: number | undefined;
  #tickAt: number | undefined;
  #requests = 0;
  #isHealed = false;

  constructor(world: Simulation, index: number) {
    this.#world = world;
    this.#name = `client ${index}`;
    this.core = new Core({ urls: ["ws://a", "ws://b"], client: "sim", commandBurst: 20, commandIntervalMs: 10 }, world.random);
  }

  give(input: () => void): void {
    input();
    for (let output = this.core.next(); output; output = this.core.next()) this.#take(output as Loose);
    this.#schedule();
  }

  #schedule(): void {
    const { deadline } = this.core;
    if (this.core.state === "closed") assert.equal(deadline, undefined, "a timer in closed (CLI-1)");
    if (deadline === undefined || deadline === this.#tickAt) return;
    this.#tickAt = deadline;
    this.#world.after(Math.max(0, deadline - this.#world.now), () => {
      if (this.#tickAt !== deadline) return;
      this.#tickAt = undefined;
      this.give(() => this.core.tick(this.#world.now));
    });
  }

  // --- the application ---

  act(): void {
    const { random, now } = this.#world;
    const channel = channels[this.#world.below(channels.length)]!;
    const choice = random();
    if (choice < 0.2) {
      const options = { state: channel.startsWith("poll") };
      if (!this.#wanted.has(channel)) this.#told.delete(channel);
      this.#wanted.set(channel, options);
      this.give(() => this.core.subscribe(channel, random() < 0.5 || !this.core.subscription(channel) ? { ...options, rewind: this.#world.below(3) } : undefined, now));
    } else if (choice < 0.28) {
      this.#wanted.delete(channel);
      this.#told.delete(channel);
      this.give(() => this.core.unsubscribe(channel, now));
    } else if (choice < 0.7) {
      this.#request({ publish: { channel, data: new Json(`${this.#name} ${this.#requests}`) } });
    } else if (choice < 0.97) {
      const key = "abcdef"[this.#world.below(6)]!;
      const op = (["set", "remove", "increment"] as const)[this.#world.below(3)]!;
      this.#request({ update: { channel: "poll:c", op, key, ...(op === "set" && { value: new Json(this.#world.below(9)) }) } });
    } else if (choice < 0.985) {
      this.give(() => this.core.close(now));
    } else {
      this.give(() => this.core.connect(now));
    }
  }

  #request(command: Loose): void {
    const number = ++this.#requests;
    this.give(() => this.core.request(number, command, true, this.#world.now));
  }

  heal(): void {
    this.#isHealed = true;
    this.give(() => this.core.network(true, this.#world.now));
    this.give(() => this.core.connect(this.#world.now));
  }

  // --- the network ---

  fault(): void {
    const { random, now } = this.#world;
    const choice = random();
    if (choice < 0.5) this.#cut();
    else if (choice < 0.6) this.#interrupt();
    else if (choice < 0.8) this.give(() => this.core.network(random() < 0.5, now));
    else if (choice < 0.9) this.give(() => this.core.woke(now));
    else this.#halfOpen();
  }

  /** The line ends; what was under way in either direction may be lost. */
  #cut(): void {
    const number = this.#open;
    const line = number !== undefined ? this.#lines.get(number) : undefined;
    if (!line || number === undefined) return;
    line.line.isOpen = false;
    this.#world.server.lines.delete(line.line);
    const code = [1006, 1001, 4500, 4502][this.#world.below(4)]!;
    this.#world.after(this.#world.below(2000), () => this.#lineEnded(number, code));
  }

  #interrupt(): void {
    const line = this.#open !== undefined ? this.#lines.get(this.#open)?.line : undefined;
    if (line) this.#world.server.interrupt(line, channels[this.#world.below(channels.length)]!);
  }

  /** The server has forgotten the line and nobody told the client. */
  #halfOpen(): void {
    const line = this.#open !== undefined ? this.#lines.get(this.#open) : undefined;
    if (!line) return;
    line.line.isOpen = false;
    this.#world.server.lines.delete(line.line);
  }

  #take(output: Loose): void {
    const [[name, value]] = Object.entries(output) as [[string, Loose]];
    if (name === "open") this.#openLine(value["line"]);
    else if (name === "send") this.#sendTo(value["line"], documentOf(value["message"]));
    else if (name === "close") this.#closeLine(value["line"]);
    else if (name === "reply" || name === "failed") this.#settle(name, value);
    else if (name === "subscribed") this.#subscribed(value);
    else if (name === "missed") this.#told.get(value["channel"])!.missed = value;
    else if (name === "publication") this.#publication(value);
    else if (name === "state_changed") this.#stateChanged(value);
  }

  #openLine(number: number): void {
    assert.equal(this.#open, undefined, "never two live lines (CLI-2)");
    this.#open = number;
    const { server, random, now } = this.#world;
    const takes = this.#world.below(300);
    const fails = !this.#isHealed && random() < 0.3;
    const slow = !this.#isHealed && random() < 0.1;
    this.#world.after(slow ? 20_000 : takes, () => {
      if (fails) return this.#lineEnded(number, 1006);
      const line = new ServerLine((message) => this.#sendBack(number, line, message));
      this.#lines.set(number, { line, toServerAt: now, toClientAt: now });
      if (this.#open === number) server.lines.add(line);
      else line.isOpen = false;
      this.give(() => this.core.lineOpened(number, this.#world.now));
    });
  }

  #lineEnded(number: number, code: number): void {
    if (this.#open === number) this.#open = undefined;
    this.give(() => this.core.lineClosed(number, code, "", this.#world.now));
  }

  #closeLine(number: number): void {
    if (this.#open === number) this.#open = undefined;
    const line = this.#lines.get(number);
    if (!line) return;
    this.#world.after(this.#world.below(500), () => {
      line.line.isOpen = false;
      this.#world.server.lines.delete(line.line);
    });
  }

  #sendTo(number: number, message: Loose): void {
    const line = this.#lines.get(number);
    assert.ok(line, "sent on a line that is not open");
    line.toServerAt = Math.max(line.toServerAt, this.#world.now + this.#world.below(100));
    this.#world.after(line.toServerAt - this.#world.now, () => {
      if (line.line.isOpen) this.#world.server.receive(line.line, message);
    });
  }

  #sendBack(number: number, from: ServerLine, message: Loose): void {
    if (!from.isOpen) return;
    const line = this.#lines.get(number)!;
    line.toClientAt = Math.max(line.toClientAt, this.#world.now + this.#world.below(100));
    // What is under way when the line is cut still arrives, or not: on old lines too.
    this.#world.after(line.toClientAt - this.#world.now, () => {
      if (from.isOpen || (this.#world.random() < 0.5 && this.#open !== number)) this.give(() => this.core.received(number, fromJson(message), this.#world.now));
    });
  }

  // --- what is checked ---

  #settle(name: string, { request, result }: Loose): void {
    assert.equal(this.#answered.has(request), false, `request ${request} was answered twice`);
    this.#answered.set(request, name === "reply" ? (result["offset"] ?? 0) : -1);
  }

  #subscribed({ channel, epoch, offset = 0, recovered }: Loose): void {
    assert.ok(this.#wanted.has(channel), `subscribed to ${channel}, which is not wanted (CLI-10)`);
    const told = this.#told.get(channel);
    if (recovered) {
      assert.equal(told?.epoch, epoch, "recovered in another epoch");
      this.#onlySnapshot(channel, told!, offset + 1);
    } else {
      this.#told.set(channel, { epoch, offset, missed: undefined });
    }
  }

  /** One entry of the log was handed over: the next one, as it was stored. */
  #entry(channel: string, offset: number): Loose {
    assert.ok(this.#wanted.has(channel), `an entry of ${channel}, which is not wanted`);
    const told = this.#told.get(channel);
    assert.ok(told, `an entry of ${channel} before it was subscribed (SRV-3)`);
    const log = this.#world.server.past.get(`${channel} ${told.epoch}`);
    const stored = log?.all.get(offset);
    assert.ok(stored, `${channel} ${told.epoch}/${offset} was never stored`);
    this.#onlySnapshot(channel, told, offset);
    assert.ok(offset > told.offset, `${channel}/${offset} was handed over twice`);
    told.offset = offset;
    return stored as unknown as Loose;
  }

  /** Changes up to a snapshot are not told again; nothing else may be left out between what was told and an offset. */
  #onlySnapshot(channel: string, told: Told, offset: number): void {
    const log = this.#world.server.past.get(`${channel} ${told.epoch}`);
    for (let between = told.offset + 1; between < offset; between++) {
      assert.ok(log!.all.get(between)?.state && this.#wanted.get(channel)!.state, `${channel}/${between} is missing before ${offset}`);
    }
  }

  #publication({ publication }: Loose): void {
    const { channel, offset, data } = publication as Loose;
    assert.deepEqual(this.#entry(channel, offset)["data"], data);
  }

  /** A change is the entry to which the position has just moved; a page of a snapshot moves none. */
  #stateChanged({ channel, set = [], removed = [], reset }: Loose): void {
    const told = this.#told.get(channel);
    const offset = this.core.subscription(channel)?.position?.offset ?? 0;
    const [entry] = set as Loose[];
    if (reset || !told || offset <= told.offset || (entry && entry["version"] !== offset)) return;
    const { state } = this.#entry(channel, offset);
    assert.deepEqual([state["key"], state["value"]], entry ? [entry["key"], entry["value"]] : [removed[0], undefined]);
  }

  checkEnd(): void {
    const { server } = this.#world;
    assert.equal(this.core.state, "connected", `${this.#name} has come back (I13)`);
    const line = this.#lines.get(this.#open!)!.line;
    assert.deepEqual([...line.subscribed.keys()].sort(), [...this.#wanted.keys()].sort(), "the server serves what is wanted (CLI-10)");
    for (const [channel, { state }] of this.#wanted) {
      const held = this.core.subscription(channel)!;
      const log = server.log(channel);
      assert.equal(held.status, "subscribed");
      assert.deepEqual(held.position, { epoch: log.epoch, offset: log.top }, `the position of ${channel} is the top`);
      if (state) {
        const wanted = [...log.state].map(([key, { value }]) => [key, value]).sort();
        assert.deepEqual([...held.state.values].sort(), wanted, `the state of ${channel} (POS-7)`);
      }
    }
    for (let number = 1; number <= this.#requests; number++) assert.ok(this.#answered.has(number), `request ${number} has no answer`);
    this.#checkStoredOnce();
  }

  /** POS-6, CLI-7: in one epoch nothing was stored twice. */
  #checkStoredOnce(): void {
    for (const log of this.#world.server.past.values()) {
      const seen = new Set<unknown>();
      for (const { data } of log.all.values()) {
        if (data === undefined) continue;
        assert.equal(seen.has(data), false, `${String(data)} was stored twice in ${log.epoch}`);
        seen.add(data);
      }
    }
  }
}
