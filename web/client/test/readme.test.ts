// The examples of the README compile as they stand.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const web = fileURLToPath(new URL("../../", import.meta.url));

/** What the examples use and do not make: the first example's names, and what a page would have. */
const surroundings: Record<string, string> = {
  bellwire: 'declare const bellwire: import("@bellwire/client").Bellwire;',
  chat: 'declare const chat: import("@bellwire/client").Channel<{ text: string }>;',
  show: "declare function show(text: string): void;",
  draw: "declare function draw(entries: [string, number][]): void;",
  button: "declare const button: HTMLButtonElement;",
  fetchTokenFor: "declare function fetchTokenFor(channel: string): Promise<string>;",
};

test("the examples of README.md compile", () => {
  const readme = readFileSync(join(web, "client/README.md"), "utf8");
  const examples = [...readme.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code]) => code!);
  assert.ok(examples.length >= 10);
  mkdirSync(join(web, "node_modules"), { recursive: true });
  const folder = mkdtempSync(join(web, "node_modules", ".readme-"));
  try {
    for (const [index, code] of examples.entries()) {
      const imports = ["Bellwire", "BellwireError"].filter((name) => new RegExp(`\\b${name}\\b`).test(code) && !code.includes(`import { ${name} }`));
      const missing = Object.entries(surroundings).filter(([name]) => !new RegExp(`const ${name}\\b`).test(code)).map(([, declaration]) => declaration);
      writeFileSync(join(folder, `example${index + 1}.ts`), [
        imports.length > 0 ? `import { ${imports.join(", ")} } from "@bellwire/client";` : "", code, ...missing, "export {};",
      ].join("\n"));
    }
    const options = { noUnusedLocals: false, noUnusedParameters: false };
    writeFileSync(join(folder, "package.json"), '{"type":"module"}');
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ extends: join(web, "tsconfig.base.json"), compilerOptions: options, include: ["*.ts"] }));
    const { status, stdout } = spawnSync(process.execPath, [join(web, "node_modules/typescript/bin/tsc"), "--pretty", "false", "-p", folder], { encoding: "utf8" });
    assert.equal(status, 0, stdout);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
