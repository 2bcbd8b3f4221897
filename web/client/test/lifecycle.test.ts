import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Player, type Vector } from "./lifecycle.js";

const folder = new URL("../../../spec/vectors/lifecycle/", import.meta.url);

for (const file of readdirSync(fileURLToPath(folder)).filter((name) => name.endsWith(".json")).sort()) {
  const vector = JSON.parse(readFileSync(new URL(file, folder), "utf8")) as Vector;
  test(`${file}: ${vector.name} (${vector.clauses.join(", ")})`, () => {
    const player = new Player(vector);
    for (const [index, step] of vector.steps.entries()) {
      const { subscriptions = {}, ...wanted } = step.expect;
      const where = `step ${index + 1} at ${step.at_ms} ms: ${JSON.stringify(step.input)}`;
      assert.deepEqual(player.step(step), wanted, where);
      for (const [channel, members] of Object.entries(subscriptions)) {
        const held = player.held(channel);
        for (const [member, value] of Object.entries(members)) assert.deepEqual(held[member], value, `${where}: ${member} of ${channel}`);
      }
    }
  });
}
