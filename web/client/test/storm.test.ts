// The reconnect storm (CC-01): many clients lose their lines in one moment, and the server admits so many a second.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fromJson } from "../src/codec/json.js";
import { Core } from "../src/core/core.js";
import { randomOf } from "./random.js";

const clients = 10_000;
const admittedPerS = 200;
/** As the server computes it, with some reserve. */
const windowMs = (clients / (0.7 * admittedPerS)) * 1000;

interface Stormed {
  core: Core;
  attempts: number;
  backAt: number;
}

function connected(random: () => number): Stormed {
  const core = new Core({ urls: ["ws://a"], client: "storm" }, random);
  core.connect(0);
  core.lineOpened(1, 0);
  core.received(1, fromJson({ id: 1, connect: { reconnect: { window_ms: Math.floor(windowMs) }, ping_ms: 600_000 } }), 0);
  return { core, attempts: 0, backAt: -1 };
}

function drain(core: Core): void {
  while (core.next());
}

/** Drops all lines at 10 s and lets the server admit what it can; the attempts in each second after the drop. */
function storm(seed: number): { perSecond: number[]; all: Stormed[] } {
  const random = randomOf(seed);
  const all = Array.from({ length: clients }, () => connected(random));
  const start = 10_000;
  for (const { core } of all) {
    core.lineClosed(1, 1006, "", start);
    drain(core);
  }
  const perSecond: number[] = [];
  for (let second = 0; second < 300; second++) {
    const until = start + (second + 1) * 1000;
    let admitted = 0;
    perSecond[second] = 0;
    const due = all.filter(({ core }) => core.state === "waiting" && core.deadline! < until).sort((a, b) => a.core.deadline! - b.core.deadline!);
    for (const client of due) {
      const at = client.core.deadline!;
      client.core.tick(at);
      client.attempts++;
      perSecond[second]!++;
      const { line } = client.core;
      if (admitted++ < admittedPerS) {
        client.core.lineOpened(line, at);
        client.core.received(line, fromJson({ id: 2, connect: {} }), at);
        client.backAt = at - start;
      } else {
        client.core.lineClosed(line, 1006, "", at); // HTTP 503
      }
      drain(client.core);
    }
  }
  return { perSecond, all };
}

describe("the reconnect storm (CC-01, LIV-3)", () => {
  const { perSecond, all } = storm(7);

  test("the first retries are uniform in the window", () => {
    const seconds = Math.floor(windowMs / 1000);
    const expected = clients / (windowMs / 1000);
    const chiSquare = perSecond.slice(0, seconds).reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // The mean is the number of seconds and the deviation sqrt(2 seconds); five of them are far out. Retries add a little.
    assert.ok(chiSquare < seconds + 5 * Math.sqrt(2 * seconds), `chi-square ${chiSquare} for ${seconds} seconds`);
  });

  test("no second sees more than 2 % of all clients", () => {
    const peak = Math.max(...perSecond);
    assert.ok(peak <= 0.02 * clients, `${peak} attempts in one second`);
  });

  test("a client needs little more than one attempt, and all are back", () => {
    const attempts = all.reduce((sum, client) => sum + client.attempts, 0) / clients;
    assert.ok(attempts <= 1.1, `${attempts} attempts for each client`);
    assert.ok(all.every(({ core }) => core.state === "connected"));
    const last = all.map(({ backAt }) => backAt).sort((a, b) => a - b)[Math.floor(0.99 * clients)]!;
    assert.ok(last <= windowMs * 1.2, `99 % are back after ${last} ms`);
  });
});
