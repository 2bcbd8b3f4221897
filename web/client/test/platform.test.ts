// The real platform, as far as Node has it, and a page's events as far as they can be told.

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { platform } from "../src/platform.js";

test("chance is within bounds and not always the same", () => {
  const draws = Array.from({ length: 1000 }, () => platform.random());
  assert.ok(draws.every((draw) => draw >= 0 && draw < 1));
  assert.ok(new Set(draws).size > 990);
});

test("the clock gives whole milliseconds and never goes back", () => {
  let last = platform.now();
  for (let i = 0; i < 1000; i++) {
    const now = platform.now();
    assert.ok(Number.isInteger(now) && now >= last);
    last = now;
  }
});

test("timers and yielded turns come later, and a cancelled timer never", async () => {
  let isLater = false;
  platform.timer(() => assert.fail("cancelled"), 0)();
  const yielded = new Promise<boolean>((resolve) => platform.yield(() => resolve(isLater)));
  const timer = new Promise<boolean>((resolve) => void platform.timer(() => resolve(isLater), 1));
  isLater = true;
  assert.deepEqual(await Promise.all([yielded, timer]), [true, true]);
});

test("a time longer than timers can be does not come at once", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let called = false;
  platform.timer(() => (called = true), 2 ** 40);
  t.mock.timers.tick(2 ** 31 - 2);
  assert.equal(called, false);
});

describe("a page's events", () => {
  const page = new EventTarget() as EventTarget & { visibilityState: string };
  const globals = globalThis as unknown as Record<string, unknown>;
  const window = new EventTarget();

  beforeEach(() => {
    globals["document"] = page;
    globals["addEventListener"] = window.addEventListener.bind(window);
    globals["removeEventListener"] = window.removeEventListener.bind(window);
  });
  afterEach(() => {
    for (const name of ["document", "addEventListener", "removeEventListener"]) delete globals[name];
  });

  test("are told while they are watched (CLI-8, CLI-9)", () => {
    const told: unknown[] = [];
    const unwatch = platform.watch({ network: (online) => told.push(online), woke: () => told.push("woke"), seen: () => told.push("seen") });
    const happen = (): void => {
      window.dispatchEvent(new Event("offline"));
      window.dispatchEvent(new Event("online"));
      page.dispatchEvent(new Event("resume"));
      for (page.visibilityState of ["hidden", "visible"]) page.dispatchEvent(new Event("visibilitychange"));
      for (const persisted of [false, true]) window.dispatchEvent(Object.assign(new Event("pageshow"), { persisted }));
    };
    happen();
    assert.deepEqual(told, [false, true, "woke", "seen", "woke"]);
    unwatch();
    happen();
    assert.equal(told.length, 5);
  });

  test("say whether timers come in time", () => {
    page.visibilityState = "hidden";
    assert.equal(platform.isPrompt(), false);
    page.visibilityState = "visible";
    assert.equal(platform.isPrompt(), true);
  });
});

test("without a page nothing is watched and timers are trusted", () => {
  platform.watch({ network() {}, woke() {}, seen() {} })();
  assert.equal(platform.isPrompt(), true);
});
