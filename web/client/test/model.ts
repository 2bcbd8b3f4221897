// A small server that obeys PROTOCOL.md, for the simulation: channels with a log, state and idempotency, in memory.

import type { Loose } from "./document.js";

interface LogEntry {
  offset: number;
  data?: unknown;
  state?: { key: string; value?: unknown; removed?: boolean };
}

class Log {
  epoch: string;
  top = 0;
  entries: LogEntry[] = [];
  /** Everything that was ever stored, also what is held no more. */
  readonly all = new Map<number, LogEntry>();
  readonly state = new Map<string, { value: unknown; version: number }>();
  readonly answers = new Map<string, Loose>();

  constructor(epoch: string) {
    this.epoch = epoch;
  }
}

export class ServerLine {
  readonly subscribed = new Map<string, { state: boolean }>();
  isOpen = true;
  readonly send: (message: Loose) => void;

  constructor(send: (message: Loose) => void) {
    this.send = send;
  }
}

export class ModelServer {
  readonly lines = new Set<ServerLine>();
  readonly logs = new Map<string, Log>();
  /** Every log that ever was, by channel and epoch. */
  readonly past = new Map<string, Log>();
  /** Whether a push to a line gets lost, or a subscribe fails for now. */
  fails = (): boolean => false;
  readonly #keep: number;
  readonly #page: number;
  #epoch = 0;

  constructor(keep: number, page: number) {
    this.#keep = keep;
    this.#page = page;
  }

  log(channel: string): Log {
    let log = this.logs.get(channel);
    if (!log) {
      log = new Log(`e${this.#epoch}`);
      this.logs.set(channel, log);
      this.past.set(`${channel} ${log.epoch}`, log);
    }
    return log;
  }

  /** All logs begin a new life, as when a memory backend restarts. */
  restart(): void {
    this.#epoch++;
    this.logs.clear();
  }

  append(channel: string, entry: Omit<LogEntry, "offset">): LogEntry {
    const log = this.log(channel);
    const stored = { offset: ++log.top, ...entry };
    log.entries.push(stored);
    log.all.set(stored.offset, stored);
    if (log.entries.length > this.#keep) log.entries.shift();
    for (const line of this.lines) if (line.subscribed.has(channel) && !this.fails()) line.send({ publication: publication(channel, stored) });
    return stored;
  }

  /** Ends a subscription for now, as when the line was too slow for it. */
  interrupt(line: ServerLine, channel: string): void {
    if (line.subscribed.delete(channel)) line.send({ unsubscribed: { channel, code: 351, reason: "slow" } });
  }

  receive(line: ServerLine, message: Loose): void {
    const { id, ...command } = message;
    const [[name, body]] = Object.entries(command) as [[string, Loose]];
    const reply = (result: Loose): void => line.send({ id, [name]: result });
    switch (name) {
      case "connect":
        reply({ connection: "c", user: "u", ping_ms: 5000, pong_ms: 2000, reconnect: { window_ms: 300 }, message_bytes: 65536 });
        for (const item of (body["subscribe"] ?? []) as Loose[]) this.#subscribe(line, item);
        return;
      case "subscribe":
        for (const item of body["channels"] as Loose[]) this.#subscribe(line, item);
        return reply({});
      case "unsubscribe":
        for (const channel of body["channels"] as string[]) line.subscribed.delete(channel);
        return reply({});
      case "publish":
        return reply(this.#once(body, () => ({ offset: this.append(body["channel"], { data: body["data"] }).offset })));
      case "update":
        return reply(this.#once(body, () => this.#update(body)));
      case "state":
        return reply(this.#statePage(body["channel"], body["after"] ?? ""));
      default:
        return reply({});
    }
  }

  #once(body: Loose, store: () => Loose): Loose {
    const log = this.log(body["channel"]);
    const known = log.answers.get(body["id"]);
    if (known) return { ...known, duplicate: true };
    const answer = { epoch: log.epoch, ...store() };
    log.answers.set(body["id"], answer);
    return answer;
  }

  #update({ channel, op, key, value }: Loose): Loose {
    const { state } = this.log(channel);
    if (op === "remove") {
      if (!state.delete(key)) return { applied: false };
      return { applied: true, offset: this.append(channel, { state: { key, removed: true } }).offset };
    }
    const next = op === "increment" ? ((state.get(key)?.value as number | undefined) ?? 0) + 1 : value;
    const { offset } = this.append(channel, { state: { key, value: next } });
    state.set(key, { value: next, version: offset });
    return { applied: true, value: next, version: offset, offset };
  }

  #subscribe(line: ServerLine, { channel, since, rewind = 0, state }: Loose): void {
    if (this.fails()) {
      line.subscribed.delete(channel);
      return line.send({ subscribed: { channel, error: { code: 151, name: "unavailable" } } });
    }
    const log = this.log(channel);
    const first = log.entries[0]?.offset ?? log.top + 1;
    const oldest = first - 1;
    let answer: Loose = { offset: Math.max(log.top - rewind, oldest) };
    if (since) {
      const at: number = since["offset"] ?? 0;
      if (since["epoch"] !== log.epoch || at > log.top) answer = { offset: oldest, recovered: false, missed: { from: at + 1 } };
      else if (at < oldest) answer = { offset: oldest, recovered: false, missed: { from: at + 1, to: oldest } };
      else answer = { offset: at, recovered: true };
    }
    line.subscribed.set(channel, { state: state === true });
    const snapshot = state && !answer["recovered"] ? { state: this.#statePage(channel, "") } : {};
    line.send({ subscribed: { channel, epoch: log.epoch, ...answer, top: log.top, ...snapshot } });
    for (const entry of log.entries) if (entry.offset > answer["offset"]) line.send({ publication: publication(channel, entry) });
  }

  #statePage(channel: string, after: string): Loose {
    const log = this.log(channel);
    const keys = [...log.state.keys()].sort().filter((key) => key > after);
    const entries = keys.slice(0, this.#page).map((key) => ({ key, ...log.state.get(key)! }));
    return { epoch: log.epoch, as_of: log.top, entries, more: keys.length > entries.length };
  }
}

function publication(channel: string, { offset, data, state }: LogEntry): Loose {
  return { channel, offset, ...(state ? { state } : { data }) };
}
