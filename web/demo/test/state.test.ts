import assert from "node:assert/strict";
import { test } from "node:test";
import { Tally, wholePercents } from "../src/poll/tally.js";
import { ReactionCounts } from "../src/reaction/counts.js";

test("a user who votes again has still one vote", () => {
  const tally = new Tally();
  tally.set("ann", "ramen");
  tally.set("bob", "ramen");
  tally.set("ann", "pizza");
  assert.equal(tally.total, 2);
  assert.deepEqual(tally.shares().map((share) => [share.choice, share.votes, share.percent]),
    [["ramen", 1, 50], ["pizza", 1, 50], ["salad", 0, 0], ["tacos", 0, 0]]);
});

test("a vote for what is no option counts as none", () => {
  const tally = new Tally();
  for (const choice of ["soup", 7, null, undefined, {}, "__proto__"]) tally.set("ann", choice);
  assert.equal(tally.total, 0);
  tally.set("ann", "ramen");
  tally.set("ann", "soup");
  assert.equal(tally.of("ann"), undefined);
});

test("whole per cents are together one hundred", () => {
  assert.deepEqual(wholePercents([1, 1, 1]), [34, 33, 33]);
  assert.deepEqual(wholePercents([0, 0]), [0, 0]);
  for (let votes = 0; votes < 500; votes++) {
    const counts = [votes % 7, votes % 5, votes % 3, votes % 11];
    const sum = wholePercents(counts).reduce((total, percent) => total + percent, 0);
    assert.equal(sum, counts.some((count) => count > 0) ? 100 : 0, String(counts));
  }
});

test("a reaction's growth is how many rings there were", () => {
  const counts = new ReactionCounts();
  assert.equal(counts.set("🔔", 1), 1);
  assert.equal(counts.set("🔔", 4), 3);
  assert.equal(counts.set("🔔", 2), 0, "after a reset nothing rings");
  assert.equal(counts.of("🔔"), 2);
});

test("keys that are no reaction and values that are no number are ignored", () => {
  const counts = new ReactionCounts();
  assert.equal(counts.set("💣", 9), 0);
  assert.equal(counts.set("🔔", "9"), 0);
  assert.equal(counts.set("🔔", Number.NaN), 0);
  assert.equal(counts.total, 0);
});
