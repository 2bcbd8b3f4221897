// Checks the types of every project of the workspace, and says which one is wrong.

import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const web = dirname(fileURLToPath(import.meta.url));

// The sources are checked without Node's types, so that nothing of Node slips into the browser; then again with their tests.
const projects = [
  "client/tsconfig.json",
  "client/tsconfig.test.json",
  "demo/tsconfig.json",
  "demo/tsconfig.test.json",
  "e2e/tsconfig.json",
];

for (const project of projects) {
  const tsc = join(web, "node_modules/typescript/bin/tsc");
  const { status } = spawnSync(process.execPath, [tsc, "--pretty", "false", "-p", project], { cwd: web, stdio: "inherit" });
  if (status !== 0) {
    console.error(`web/${project}: the types above are wrong`);
    process.exitCode = 1;
  }
}
