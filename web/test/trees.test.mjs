import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { differences, files } from "../trees.mjs";

/** Makes a directory with the given files for the time of a test. */
async function tree(context, contents) {
  const root = await mkdtemp(join(tmpdir(), "bellwire-trees-"));
  context.after(() => rm(root, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(contents)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

test("equal trees have no differences", async (context) => {
  const contents = { "index.html": "a", "assets/app.js": "b", "empty.txt": "" };
  assert.deepEqual(await differences(await tree(context, contents), await tree(context, contents)), []);
});

test("what is missing, what is too much and what differs are named", async (context) => {
  const wanted = await tree(context, { same: "1", changed: "new", "deep/added": "x" });
  const present = await tree(context, { same: "1", changed: "old", "deep/left": "y" });
  assert.deepEqual(await differences(wanted, present), [
    "changed: differs",
    "deep/added: missing",
    "deep/left: not built from any source",
  ]);
});

test("a directory that does not exist has no files", async (context) => {
  const wanted = await tree(context, { only: "" });
  assert.deepEqual(await files(join(wanted, "nothing")), []);
  assert.deepEqual(await differences(wanted, join(wanted, "nothing")), ["only: missing"]);
});
