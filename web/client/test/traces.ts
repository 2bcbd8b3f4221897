// Makes random lifecycle vectors (CC-18): inputs that no person would think of, with what this core puts out. The Go core runs
// the same files, so that both agree where no rule was written down too.
//
//   node --conditions=@bellwire/source --import tsx client/test/traces.ts <seed> > ../spec/vectors/lifecycle/random-<seed>.json

import type { Loose } from "./document.js";
import { Player, type Step } from "./lifecycle.js";
import { randomOf } from "./random.js";

const stepCount = 150;
const channels = ["chat:a", "poll:b", "chat:*"];

class Trace {
  readonly #random: () => number;
  readonly #player: Player;
  readonly #steps: Step[] = [];
  readonly options: Loose;
  readonly random: number[];
  #now = 0;
  #line = 0;
  #opened = 0;
  #requests = 0;
  #flights: { id: number; name: string }[] = [];
  #offset = 1;

  constructor(seed: number) {
    this.#random = randomOf(seed);
    this.random = Array.from({ length: 7 }, () => this.#below(1000) / 1000);
    this.options = {
      urls: ["ws://a/ws", "ws://b/ws"], client: "trace", ...(this.#chance(0.4) && { token_source: true }), ...(this.#chance(0.3) && { command_burst: 3, command_interval_ms: 50 }),
    };
    this.#player = new Player(this);
  }

  run(): Step[] {
    while (this.#steps.length < stepCount) this.#step();
    return this.#steps;
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #chance(of: number): boolean {
    return this.#random() < of;
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#below(list.length)]!;
  }

  #step(): void {
    const { deadline, state } = this.#player.core;
    const atDeadline = deadline !== undefined && this.#chance(state === "waiting" ? 0.7 : 0.04);
    this.#now = atDeadline ? Math.max(this.#now, deadline) : this.#now + this.#pick([0, 1, 1, 10, 10, 100, 100, 1000]);
    const input: Loose = atDeadline ? { tick: {} } : this.#input();
    const expect = this.#player.step({ at_ms: this.#now, input }, this.#chance(0.3) ? channels.slice(0, 2) : []);
    if (input["line_opened"]) this.#opened = this.#line;
    for (const output of expect.outputs) {
      if (output["open"]) {
        this.#line = output["open"]["line"] as number;
        this.#flights = [];
      }
      const { id, ...command } = (output["send"]?.["message"] ?? {}) as Loose;
      if (id) this.#flights.push({ id: id as number, name: Object.keys(command)[0]! });
    }
    this.#steps.push({ at_ms: this.#now, input, expect });
  }

  #input(): Loose {
    const channel = this.#pick(channels);
    const { state } = this.#player.core;
    const line = this.#chance(0.95) ? this.#line : Math.max(1, this.#line - 1);
    const isGreeted = state === "connecting" && this.#flights.some(({ name }) => name === "connect");
    const kinds: [weight: number, input: () => Loose][] = [
      [state === "idle" || state === "closed" ? 20 : 1, () => ({ connect: {} })],
      [line === 0 ? 0 : state === "connecting" ? 30 : 0.3, () => ({ line_opened: { line } })],
      [isGreeted ? 90 : 0, () => this.#received(line, { connect: this.#session() }, "connect")],
      [state === "connected" ? 60 : line <= this.#opened ? 2 : 0, () => this.#pushOrReply(line)],
      [1, () => ({ line_closed: { line, code: this.#pick([1006, 1001, 4500, 4501, 4403]), reason: "" } })],
      [1.5, () => this.#pick<Loose>([{ woke: {} }, { network: { online: true } }, { network: { online: false } }, { close: {} }, { tick: {} }])],
      [6, () => ({ subscribe: { channel, ...(this.#chance(0.7) && { options: this.#subscribeOptions(channel) }) } })],
      [3, () => ({ unsubscribe: { channel } })],
      [8, () => this.#request(channel)],
      [this.options["token_source"] ? 8 : 0, () => this.#pick<Loose>([{ token_ready: { token: `t${this.#now}` } }, { token_failed: { permanent: false } }])],
      [3, () => this.#pick<Loose>([{ subscription_token_ready: { channel, token: `s${this.#now}` } }, { subscription_token_failed: { channel, permanent: this.#chance(0.2) } }])],
    ];
    let point = this.#random() * kinds.reduce((sum, [weight]) => sum + weight, 0);
    return kinds.find(([weight]) => (point -= weight) < 0)![1]();
  }

  #session(): Loose {
    return { connection: "c", ping_ms: this.#pick([5000, 20000]), pong_ms: 3000, reconnect: { window_ms: this.#pick([100, 3000]) }, ...(this.#chance(0.5) && { expires_ms: 15000 }), message_bytes: 65536 };
  }

  #subscribeOptions(channel: string): Loose {
    if (channel.endsWith("*")) return {};
    return {
      ...(this.#chance(0.4) && { state: true }), ...(this.#chance(0.4) && { presence: this.#pick(["count", "members"]) }),
      ...(this.#chance(0.2) && { rewind: 5 }), ...(this.#chance(0.2) && { since: { epoch: "e1", offset: 1 + this.#below(5) } }),
      ...(this.#chance(0.2) && { enter: { n: 1 } }), ...(this.#chance(0.2) && { token_source: true }),
    };
  }

  #request(channel: string): Loose {
    const name = channel.endsWith("*") ? "chat:a" : channel;
    const command = this.#pick<Loose>([
      { publish: { channel: name, data: this.#below(9) } }, { update: { channel: name, op: "increment", key: "k" } }, { history: { channel: name, limit: 5 } },
      { enter: { channel: name, data: { n: 2 } } }, { leave: { channel: name } }, { ping: {} }, { call: { method: "m" } },
    ]);
    return { request: { request: ++this.#requests, command, ...(this.#chance(0.2) && { wait: false }) } };
  }

  #received(line: number, message: Loose, reply?: string): Loose {
    const at = reply === undefined ? -1 : this.#flights.findIndex(({ name }) => name === reply);
    const [flight] = at >= 0 ? this.#flights.splice(at, 1) : [];
    return { received: { line, message: reply === undefined ? message : { id: flight?.id ?? 4000, ...message } } };
  }

  #pushOrReply(line: number): Loose {
    const flight = this.#flights.length > 0 && this.#chance(0.5) ? this.#flights[0]! : undefined;
    if (!flight) return this.#received(line, this.#push());
    if (this.#chance(0.15)) return this.#received(line, { error: { code: this.#pick([100, 112, 151]), name: "n" } }, flight.name);
    return this.#received(line, { [flight.name]: this.#reply(flight.name) }, flight.name);
  }

  #reply(name: string): Loose {
    if (name === "connect") return this.#session();
    if (name === "state") return { epoch: "e1", as_of: this.#offset, entries: [{ key: this.#pick(["k", "l", "m"]), value: this.#below(9), version: 1 + this.#below(this.#offset) }], ...(this.#chance(0.3) && { more: true }) };
    if (name === "presence") return this.#presence();
    if (name === "refresh") return { expires_ms: 20000 };
    if (name === "publish" || name === "update") return { epoch: "e1", offset: this.#offset };
    return {};
  }

  #presence(): Loose {
    return { version: 1 + this.#below(9), count: 2, members: [{ user: this.#pick(["ann", "bob", "cy"]) }], ...(this.#chance(0.3) && { more: true }) };
  }

  #push(): Loose {
    const channel = this.#pick(channels.slice(0, 2));
    const held = this.#player.core.subscription(channel)?.position?.offset ?? 0;
    const offset = this.#chance(0.7) ? held + 1 : 1 + this.#below(this.#offset + 3);
    this.#offset = Math.max(this.#offset, offset);
    const change = this.#chance(0.5) ? { key: this.#pick(["k", "l"]), value: this.#below(9) } : { key: "k", removed: true };
    return this.#pick<() => Loose>([
      () => ({ subscribed: { channel: this.#pick(channels), ...this.#answer() } }),
      () => ({ subscribed: { channel: this.#pick(channels), ...this.#answer() } }),
      () => ({ publication: { channel, offset, data: offset } }),
      () => ({ publication: { channel, offset, prev: Math.max(1, offset - 1 - this.#below(3)), state: change } }),
      () => ({ publication: { channel, ...(this.#chance(0.7) && { pattern: true }), data: 0 } }),
      () => ({ publication: { channel, offset, skipped: true } }),
      () => ({ presence: { channel, version: 1 + this.#below(9), count: 1 + this.#below(3), set: [{ user: "ann" }], ...(this.#chance(0.5) && { left: ["bob"] }) } }),
      () => ({ unsubscribed: { channel, code: this.#pick([300, 302, 350, 351]), reason: "r" } }),
      () => this.#pick<Loose>([{ notice: { reconnect: { window_ms: 500 } } }, { error: { code: 100, name: "bad_request" } }, { future: { a: 1 } }]),
      () => (this.#chance(0.2) ? { disconnect: { code: this.#pick([4500, 4501, 4410]), reason: "d", reconnect: { window_ms: 700 } } } : { notice: {} }),
    ])();
  }

  #answer(): Loose {
    if (this.#chance(0.15)) return { error: { code: this.#pick([103, 112, 151]), name: "n" } };
    const offset = 1 + this.#below(this.#offset);
    const base = { epoch: this.#pick(["e1", "e1", "e1", "e2"]), offset, top: this.#offset };
    const outcome = this.#pick<Loose>([{}, { recovered: true }, { recovered: false, missed: { from: 1, to: offset } }, { recovered: false, missed: { from: 1 } }]);
    const state = this.#chance(0.3) ? { state: { as_of: offset, entries: [{ key: "k", value: 1, version: offset }], ...(this.#chance(0.4) && { more: true }) } } : {};
    return { ...base, ...outcome, ...state, ...(this.#chance(0.3) && { presence: this.#presence() }), ...(this.#chance(0.3) && { expires_ms: 12000 }) };
  }
}

function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{${Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}: ${spaced(member)}`).join(", ")}}`;
}

const seed = Number(process.argv[2]);
const trace = new Trace(seed);
const steps = trace.run().map((step) => "    " + spaced(step));
console.log(`{
  "name": "random inputs of seed ${seed}",
  "clauses": ["CLI-10"],
  "options": ${spaced(trace.options)},
  "random": ${spaced(trace.random)},
  "steps": [
${steps.join(",\n")}
  ]
}`);
