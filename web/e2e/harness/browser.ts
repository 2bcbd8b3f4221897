import { existsSync } from "node:fs";
import { after } from "node:test";
import { type Browser, chromium } from "playwright-core";

/** Debian's Chromium; $BELLWIRE_CHROMIUM names another. No browser is ever downloaded. */
const executablePath = process.env["BELLWIRE_CHROMIUM"] ?? "/usr/bin/chromium";

const flags = [
  "--no-sandbox", // as root there is no sandbox, and it opens only pages of this repository
  "--disable-gpu",
  "--disable-quic",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

let running: Promise<Browser> | undefined;

/** One Chromium with an empty profile for all scenarios of a file; it ends with them. */
export function browser(): Promise<Browser> {
  if (!existsSync(executablePath)) throw new Error(`${executablePath} is missing: run scripts/setup`);
  running ??= chromium.launch({ executablePath, args: flags, headless: true });
  return running;
}

after(async () => {
  await (await running)?.close();
});
