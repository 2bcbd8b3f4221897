// What an application pays for: the budget of the core is checked by `node size.mjs`; here, that nothing unused comes along.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const web = fileURLToPath(new URL("../../", import.meta.url));

async function bundled(source: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: web, loader: "ts" }, bundle: true, minify: true, write: false, format: "esm", target: "es2022",
    conditions: ["@bellwire/source"], absWorkingDir: web, logLevel: "error",
  });
  return outputFiles[0]!.text;
}

test("the core has neither protobuf nor its schema", async () => {
  const text = await bundled('export * from "@bellwire/client";');
  assert.ok(!text.includes("bellwire.v1.proto"));
  assert.ok(!text.includes("count_only:["));
});

test("what is not used is left out, and importing does nothing", async () => {
  assert.equal(await bundled('import "@bellwire/client"; import "@bellwire/client/protobuf";'), "");
  const errorOnly = await bundled('export { BellwireError } from "@bellwire/client";');
  assert.ok(errorOnly.length < 2_500, `${errorOnly.length} bytes for the error alone`);
});

test("there is no dependency at run time", () => {
  const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as Record<string, unknown>;
  for (const kind of ["dependencies", "peerDependencies", "optionalDependencies"]) assert.equal(manifest[kind], undefined);
});
