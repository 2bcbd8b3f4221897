// Fails when the client's core is larger than its budget: minified, bundled alone, compressed with gzip.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { buildStandalone } from "./build.mjs";

const budgetBytes = 12_000;

const directory = await mkdtemp(join(tmpdir(), "bellwire-size-"));
try {
  await buildStandalone(directory);
  const bundle = await readFile(join(directory, "bellwire.js"));
  const compressed = gzipSync(bundle, { level: 9 }).length;
  console.log(`@bellwire/client: ${bundle.length} bytes minified, ${compressed} gzipped, budget ${budgetBytes}`);
  if (compressed > budgetBytes) {
    console.error(`@bellwire/client is ${compressed - budgetBytes} bytes over its budget.`);
    process.exitCode = 1;
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}
