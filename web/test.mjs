// Runs tests with node:test; TypeScript is stripped by tsx.
//
//   node test.mjs unit [client|demo|e2e|.]   the tests below test/ of a package, of the build (.), or of all
//   node test.mjs e2e [part of a name]       every e2e/*.test.ts, one after the other, against bin/bellwire

import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { files } from "./trees.mjs";

const web = dirname(fileURLToPath(import.meta.url));

/** The test files below a directory of the workspace. */
async function testsIn(directory) {
  return (await files(join(web, directory))).filter((path) => /\.test\.(ts|mjs)$/.test(path)).map((path) => join(directory, path));
}

async function select(kind, filter = "") {
  if (kind === "e2e") return (await testsIn("e2e")).filter((path) => dirname(path) === "e2e" && path.includes(filter));
  const packages = filter === "" ? ["client", "demo", "e2e", "."] : [filter];
  return (await Promise.all(packages.map((name) => testsIn(join(name, "test"))))).flat();
}

const [kind, filter] = process.argv.slice(2);
if (kind !== "unit" && kind !== "e2e") {
  console.error("usage: node test.mjs unit|e2e [name]");
  process.exit(2);
}
const selected = await select(kind, filter);
if (selected.length === 0) {
  console.error(`no ${kind} tests found`);
  process.exit(1);
}
const flags = ["--conditions=@bellwire/source", "--import", "tsx", "--test", "--test-reporter=spec"];
if (kind === "e2e") flags.push("--test-concurrency=1"); // one browser at a time: two cores
const { status } = spawnSync(process.execPath, [...flags, ...selected], { cwd: web, stdio: "inherit" });
process.exit(status ?? 1);
