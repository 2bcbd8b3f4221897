import assert from "node:assert/strict";
import { test } from "node:test";
import { typingText } from "../src/chat/here.js";
import { approach, pointIn, spotIn, Throttle } from "../src/cursor/motion.js";
import { parseSample, type Sample, Samples } from "../src/dashboard/metrics.js";
import { roundUp } from "../src/dashboard/scale.js";
import { bytes, duration, listed, span } from "../src/format.js";
import { cleanName, friendlyName, initials, toneOf } from "../src/person/name.js";
import { People } from "../src/person/people.js";

test("bytes have three digits at most", () => {
  const rows = [[0, "0 B"], [999, "999 B"], [1000, "1.00 kB"], [12_345, "12.3 kB"], [999_499, "999 kB"], [999_500, "1.00 MB"], [-1500, "−1.50 kB"], [2.5e9, "2.50 GB"]] as const;
  for (const [value, text] of rows) assert.equal(bytes(value), text);
});

test("times are said as people say them", () => {
  assert.deepEqual([0.84, 12.3, 1400].map(duration), ["0.8 ms", "12 ms", "1.4 s"]);
  assert.deepEqual([500, 8000, 180_000, 7_200_000].map(span), ["a moment", "8 s", "3 min", "2 h"]);
  assert.deepEqual([[], ["a"], ["a", "b"], ["a", "b", "c"]].map(listed), ["", "a", "a and b", "a, b and c"]);
});

test("a name is shown without control and direction characters, and bounded", () => {
  assert.equal(cleanName("  Ann \n\t Lee\u202e "), "Ann Lee");
  assert.equal(cleanName("\u0000\u2066"), "");
  assert.equal(Array.from(cleanName("😀".repeat(50))).length, 32);
  assert.equal(cleanName("<img src=x>"), "<img src=x>");
});

test("initials are one or two letters", () => {
  assert.deepEqual(["Amber Otter", "ann", "Ann van der Lee", "", "😀 x"].map(initials), ["AO", "A", "AL", "?", "😀X"]);
});

test("a friendly name has two words", () => {
  for (const random of [0, 0.5, 0.999]) assert.match(friendlyName(() => random), /^[A-Z][a-z]+ [A-Z][a-z]+$/);
});

test("a tone is one of twelve whatever comes", () => {
  for (const value of [-1, 12, 1.5, "3", null, Number.NaN]) {
    const tone = toneOf(value, "ann");
    assert.ok(Number.isInteger(tone) && tone >= 0 && tone < 12);
  }
  assert.equal(toneOf(7, "ann"), 7);
});

test("people are known by what they said last, and otherwise by their user", () => {
  const people = new People();
  assert.equal(people.get("ann").name, "ann");
  assert.equal(people.get("amber-otter-x7f2ab").name, "Amber Otter");
  assert.equal(people.get("~4f2a").name, "Guest");
  assert.equal(people.get("").name, "Server");
  people.learn("ann", { name: "Ann", color: 3 });
  people.learn("ann", {});
  assert.deepEqual(people.get("ann"), { user: "ann", name: "Ann", tone: 3 });
});

test("typing names up to three others", () => {
  const here = (names: string[]) => ["me", ...names].map((name) => ({ person: { user: name, name, tone: 0 }, pages: 1, typing: true }));
  assert.equal(typingText(here([]), "me"), "");
  assert.equal(typingText(here(["a"]), "me"), "a is typing");
  assert.equal(typingText(here(["a", "b", "c"]), "me"), "a, b and c are typing");
  assert.equal(typingText(here(["a", "b", "c", "d"]), "me"), "4 people are typing");
});

const figures = {
  time_ms: 1000, cpu: 12.5, load: [1, 2, 3], memory: { used: 4, total: 8 },
  network: { rx_bytes_per_s: 5, tx_bytes_per_s: 6 }, host: { name: "alder", platform: "debian 13", cpu_count: 1, uptime_s: 90_000 },
};

test("a sample is read field by field", () => {
  assert.deepEqual(parseSample(figures), {
    timeMs: 1000, cpuPercent: 12.5, load: [1, 2, 3], memoryUsed: 4, memoryTotal: 8,
    receivedPerSecond: 5, sentPerSecond: 6, host: "alder · debian 13 · 1 processor · up 1 day",
  });
});

test("what is no sample is none, and what is missing of one is zero", () => {
  for (const payload of [null, 7, "x", [], {}, { time_ms: "now" }, { time_ms: -1 }]) assert.equal(parseSample(payload), null);
  assert.deepEqual(parseSample({ time_ms: 5, cpu: 900, load: "x", memory: null })?.cpuPercent, 100);
});

function at(seconds: number): Sample {
  return { ...(parseSample(figures) as Sample), timeMs: seconds * 1000, cpuPercent: seconds };
}

test("the window keeps five minutes", () => {
  const samples = new Samples();
  for (let second = 1; second <= 1000; second++) samples.add(at(second));
  assert.equal(samples.list.length, 301);
  assert.equal(samples.last?.timeMs, 1_000_000);
});

test("a sample that is not newer is dropped, and a clock set far back begins anew", () => {
  const samples = new Samples();
  for (const second of [1000, 1001, 1001, 990]) samples.add(at(second));
  assert.equal(samples.list.length, 2);
  samples.add(at(5));
  assert.deepEqual(samples.list.map((sample) => sample.timeMs), [5000]);
});

test("a gap in the samples breaks the plotted line", () => {
  const samples = new Samples();
  for (const second of [10, 11, 30]) samples.add(at(second));
  assert.deepEqual(samples.columns([(sample) => sample.cpuPercent]), [[10, 11, 20.5, 30], [10, 11, null, 30]]);
});

test("axes end at 1, 2 or 5 times a power of ten", () => {
  assert.deepEqual([0.3, 1, 1.2, 3, 7, 4200].map(roundUp), [0.5, 1, 2, 5, 10, 5000]);
});

test("a spot is a fraction of its area and comes back to the same point", () => {
  const box = { left: 100, top: 50, width: 400, height: 200 };
  const spot = spotIn("chat", box, { x: 300, y: 100 });
  assert.deepEqual(spot, { area: "chat", x: 0.5, y: 0.25 });
  assert.deepEqual(pointIn(box, spot), { x: 300, y: 100 });
  assert.deepEqual(spotIn("chat", box, { x: -5, y: 9999 }), { area: "chat", x: 0, y: 1 });
  assert.deepEqual(spotIn("chat", { ...box, width: 0, height: 0 }, { x: 3, y: 3 }), { area: "chat", x: 0, y: 0 });
});

test("a cursor comes closer with every frame and arrives", () => {
  const point = { x: 0, y: 0 };
  const target = { x: 100, y: 50 };
  let frames = 0;
  for (let before = -1; approach(point, target, 16); frames++) {
    assert.ok(point.x > before);
    before = point.x;
  }
  assert.deepEqual(point, target);
  assert.ok(frames > 5 && frames < 60, String(frames));
  assert.equal(approach(point, { x: 0, y: 0 }, Number.POSITIVE_INFINITY), false, "at once when motion is reduced");
});

test("the throttle lets one through in each interval", () => {
  const throttle = new Throttle(40);
  assert.deepEqual([0, 10, 39, 40, 41, 80].map((now) => throttle.wait(now)), [0, 30, 1, 0, 39, 0]);
});
