// Rules of the core that a trace does not show well: distributions, limits, the number of things.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { retries } from "../src/codes.js";
import { Backoff, fullJitter } from "../src/core/backoff.js";
import { Core } from "../src/core/core.js";
import { Liveness } from "../src/core/liveness.js";
import { Pace } from "../src/core/pace.js";
import { State } from "../src/core/state.js";
import { Token } from "../src/core/token.js";
import { fromJson } from "../src/codec/json.js";
import { Json } from "../src/message.js";
import type { Loose } from "./document.js";
import { randomOf } from "./random.js";

describe("LIV-3", () => {
  test("full jitter: from 0 to a cap that doubles to 30 s, at least the floor", () => {
    const top = (failures: number, floor?: number): number => fullJitter(() => 0.999999, failures, floor);
    assert.deepEqual([1, 2, 3, 4, 5, 6, 60].map((failures) => top(failures)), [999, 1999, 3999, 7999, 15999, 29999, 29999]);
    assert.equal(top(1, 60_000), 59_999);
    assert.equal(fullJitter(() => 0, 9), 0);
  });

  test("a window of absent, 0 or beyond ten minutes", () => {
    const backoff = new Backoff(() => 0.5, 10_000);
    assert.equal(backoff.delayMs, 500);
    backoff.hint(undefined);
    backoff.hint(0);
    assert.equal(backoff.delayMs, 500);
    backoff.hint(4000);
    assert.equal(backoff.delayMs, 2000);
    backoff.hint(Number.MAX_SAFE_INTEGER);
    assert.equal(backoff.delayMs, 300_000);
  });
});

test("CLI-2: the timeout grows by half with each failed attempt to 30 s", () => {
  const backoff = new Backoff(() => 0.5, 10_000);
  const timeouts = [0, 1, 2, 3, 50].map((failures) => ((backoff.failures = failures), backoff.timeoutMs));
  assert.deepEqual(timeouts, [10_000, 15_000, 22_500, 30_000, 30_000]);
});

test("LIV-2: times of a hostile server are bounded below", () => {
  const liveness = new Liveness();
  liveness.begin(1, 1, 0);
  assert.equal(liveness.deadline, 1000);
  assert.equal(liveness.due(1000), "ping");
  assert.equal(liveness.deadline, 2000);
  liveness.begin(undefined, 0, 0);
  assert.equal(liveness.deadline, 25_000);
  assert.equal(liveness.sleptThrough(33_000), false);
  assert.equal(liveness.sleptThrough(33_001), true);
});

test("COD-1: each code retries as the table says (CC-09)", () => {
  const never = [1000, 1002, 1003, 1007, 1008, 1009, 1010, 100, 149, 300, 349, 4400, 4410, 4499];
  const later = [1001, 1004, 1005, 1006, 1011, 1012, 1013, 1014, 1015, 150, 199, 350, 399, 3000, 3999, 4000, 4500, 4599, 4999];
  for (const code of never) assert.equal(retries(code), false, `${code}`);
  for (const code of later) assert.equal(retries(code), true, `${code}`);
});

test("the pace stays below fifty commands a second and a hundred at once, whatever is asked", () => {
  const random = randomOf(3);
  const pace = new Pace(22, 50);
  const sentAt: number[] = [];
  for (let now = 0; now < 20_000; now += Math.floor(random() * 40)) {
    while (pace.opensAt <= now) {
      pace.spend(now);
      sentAt.push(now);
    }
  }
  assert.equal(sentAt.filter((at) => at === 0).length, 50);
  for (const [index, at] of sentAt.entries()) {
    const inOneSecond = sentAt.slice(index).filter((other) => other < at + 1000).length;
    assert.ok(inOneSecond <= 100, `${inOneSecond} within a second after ${at}`);
  }
  assert.ok(sentAt.length <= 50 + 20_000 / 22);
});

test("CLI-3: a token is renewed ten seconds before it expires, or at half of its time", () => {
  const cases: [expires: number | undefined, source: boolean, at: number | undefined][] = [
    [3_600_000, true, 3_590_100], [20_000, true, 10_100], [12_000, true, 6_100], [1, true, 100], [3_600_000, false, undefined], [undefined, true, undefined], [0, true, undefined],
  ];
  for (const [expires, source, at] of cases) {
    const token = new Token("t", source);
    token.accepted(expires, 100);
    assert.equal(token.renewAt, at, `${expires}`);
  }
});

test("POS-7: snapshot, pages and changes in any order of arrival come to the same state", () => {
  const change = (offset: number, key: string, value?: number): Loose => ({ offset, state: value === undefined ? { key, removed: true } : { key, value } });
  const changes = [change(11, "a", 1), change(12, "d"), change(13, "c", 9), change(14, "b"), change(15, "b", 5)];
  const page = { as_of: 12, entries: [{ key: "c", value: 3, version: 3 }, { key: "d", value: 4, version: 4 }] };
  for (let position = 0; position <= changes.length; position++) {
    const state = new State();
    state.clear(10);
    state.merge({ as_of: 10, entries: [{ key: "a", value: 0, version: 1 }, { key: "b", value: 0, version: 2 }], more: true });
    changes.slice(0, position).forEach((one) => state.apply(one));
    state.merge(page);
    changes.slice(position).forEach((one) => state.apply(one));
    assert.deepEqual([...state.values].sort(), [["a", 1], ["b", 5], ["c", 9]], `the page after ${position} changes`);
    assert.equal(state.versions.size, 3);
  }
});

describe("CLI-7", () => {
  function waiting(core: Core): (number: number, command: Loose) => Loose[] {
    return (number, command) => {
      core.request(number, command, true, 0);
      const outputs: Loose[] = [];
      for (let output = core.next(); output; output = core.next()) outputs.push(output);
      return outputs;
    };
  }

  test("a thousand commands wait and no more", () => {
    const give = waiting(new Core({ urls: ["ws://a"], client: "c" }, Math.random));
    for (let number = 1; number <= 1000; number++) assert.deepEqual(give(number, { ping: {} }), []);
    assert.deepEqual(give(1001, { ping: {} }), [{ failed: { request: 1001, error: { code: 109, name: "limit_exceeded" } } }]);
  });

  test("a mebibyte of commands waits and no more", () => {
    const give = waiting(new Core({ urls: ["ws://a"], client: "c" }, Math.random));
    const publish = (): Loose => ({ publish: { channel: "a", data: new Json("€".repeat(20_000)) } });
    let taken = 0;
    while (give(taken + 1, publish()).length === 0) taken++;
    assert.equal(taken, Math.floor((1 << 20) / (60_000 + 88)));
  });

  test("ids of the client are 128 bits, all different", () => {
    const core = new Core({ urls: ["ws://a"], client: "c", commandBurst: 2000 }, randomOf(1));
    core.connect(0);
    core.lineOpened(1, 0);
    core.received(1, fromJson({ id: 1, connect: {} }), 0);
    const give = waiting(core);
    const ids = new Set<string>();
    for (let number = 1; number <= 900; number++) {
      for (const { send } of give(number, { publish: { channel: "a", data: new Json(1) } })) {
        const id = send?.message.publish?.id as string | undefined;
        if (id === undefined) continue;
        assert.match(id, /^[0-9a-f]{32}$/);
        ids.add(id);
      }
    }
    assert.equal(ids.size, 900);
  });
});

test("CLI-1: after any inputs closed has no deadline and sends nothing", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = randomOf(seed);
    const core = new Core({ urls: ["ws://a"], client: "c", tokenSource: seed % 2 === 0 }, random);
    let now = 0;
    const inputs: (() => void)[] = [
      () => core.connect(now), () => core.tick(now), () => core.woke(now), () => core.network(random() < 0.5, now), () => core.lineOpened(core.line, now),
      () => core.lineClosed(core.line, 1006, "", now), () => core.tokenReady(undefined, "t", now), () => core.tokenFailed(undefined, false, now),
      () => core.subscribe("a", { tokenSource: random() < 0.5, state: true }, now), () => core.unsubscribe("a", now), () => core.tokenReady("a", "s", now),
      () => core.tokenFailed("a", random() < 0.2, now), () => core.request(1, { publish: { channel: "a", data: new Json(1) } }, true, now),
      () => core.received(core.line, fromJson({ id: 1 + Math.floor(random() * 5), connect: { expires_ms: 9000 } }), now),
      () => core.received(core.line, fromJson({ subscribed: { channel: "a", epoch: "e", expires_ms: 9000, state: { more: true, entries: [{ key: "k", value: 1, version: 1 }] } } }), now),
      () => core.received(core.line, fromJson({ unsubscribed: { channel: "a", code: 350 } }), now),
    ];
    for (let step = 0; step < 100; step++) {
      now += Math.floor(random() * 2000);
      inputs[Math.floor(random() * inputs.length)]!();
      while (core.next());
      assert.ok(core.deadline === undefined || Number.isInteger(core.deadline));
    }
    core.close(now);
    while (core.next());
    assert.equal(core.deadline, undefined, `SEED=${seed}`);
    for (const quiet of [() => core.tick(now), () => core.woke(now), () => core.network(true, now), () => core.tokenReady(undefined, "t", now), () => core.subscribe("b", {}, now), () => core.lineClosed(core.line, 4500, "", now)]) {
      now += 100_000;
      quiet();
      assert.equal(core.next(), undefined, `SEED=${seed}`);
      assert.equal(core.deadline, undefined, `SEED=${seed}`);
    }
  }
});
