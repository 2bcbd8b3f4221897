// Builds what the browser needs. The same sources always give the same bytes.
//
//   node build.mjs           dist/demo and dist/client, which are committed and embedded in the binary, and
//                            client/dist, the npm package, which is not
//   node build.mjs --check   builds into a temporary directory and fails when what is committed differs

import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { differences } from "./trees.mjs";

const web = dirname(fileURLToPath(import.meta.url));

/** The condition of package.json "exports" that leads from one package of the workspace to the sources of another. */
const sourceCondition = "@bellwire/source";

/** Options of every build. No source maps, times or absolute paths: the output is compared byte by byte. */
const common = {
  absWorkingDir: web,
  bundle: true,
  charset: "utf8",
  conditions: [sourceCondition],
  format: "esm",
  legalComments: "none", // licences.txt has them, whole
  logLevel: "warning",
  metafile: true,
  platform: "browser",
  target: ["es2022"],
};

/** The client as one file, so that a plain page can `import` it from the server without a bundler. */
export async function buildStandalone(out) {
  return build({ ...common, entryPoints: ["client/src/index.ts"], minify: true, outfile: join(out, "bellwire.js") });
}

/** The demo: its bundle, its static files as they are, and the licences of what was bundled. */
async function buildDemo(out) {
  const result = await build({
    ...common,
    entryPoints: { demo: "demo/src/main.ts" },
    loader: { ".svg": "file" },
    minify: true,
    outdir: out,
  });
  await cp(join(web, "demo/static"), out, { recursive: true });
  await writeFile(join(out, "licences.txt"), await licences(result.metafile));
}

/** The npm package: one file for each entry of "exports", readable, with declarations. */
async function buildPackage(out) {
  const manifest = JSON.parse(await readFile(join(web, "client/package.json"), "utf8"));
  const entryPoints = Object.values(manifest.exports).map((entry) => join("client", entry[sourceCondition]));
  await rm(out, { recursive: true, force: true });
  await build({ ...common, entryPoints, outbase: "client/src", outdir: out, splitting: true });
  const declarations = [join(web, "node_modules/typescript/bin/tsc"), "-p", "client/tsconfig.build.json", "--outDir", out];
  const { status } = spawnSync(process.execPath, declarations, { cwd: web, stdio: "inherit" });
  if (status !== 0) throw new Error("the types above are wrong: no package was built");
}

/** The licence texts of the npm packages among a bundle's inputs, in the order of their names. */
async function licences(metafile) {
  const names = new Set();
  for (const input of Object.keys(metafile.inputs)) {
    const match = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (match) names.add(match[1]);
  }
  const parts = ["The demo contains these packages.\n"];
  for (const name of [...names].sort()) {
    const folder = join(web, "node_modules", name);
    const { version } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    parts.push(`${name} ${version}\n\n${(await readFile(join(folder, "LICENSE"), "utf8")).trim()}\n`);
  }
  return parts.join("\n---\n\n");
}

/** Everything that is committed, into the given directory. */
async function buildCommitted(out) {
  await mkdir(out, { recursive: true });
  await Promise.all([buildStandalone(join(out, "client")), buildDemo(join(out, "demo"))]);
}

/** Calls use with a directory that has everything as it would be committed, for the time of the call. */
async function withCommitted(use) {
  const temporary = await mkdtemp(join(tmpdir(), "bellwire-web-"));
  try {
    const built = join(temporary, "dist"); // with the usual permissions, unlike the temporary directory
    await buildCommitted(built);
    await use(built);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function check(built) {
  const found = await differences(built, join(web, "dist"));
  if (found.length === 0) return;
  console.error("web/dist is stale: run `make web` and commit the result.");
  for (const line of found) console.error("  " + line);
  process.exitCode = 1;
}

/** Replaces dist only when everything could be built: the binary embeds it. */
async function replace(built) {
  await buildPackage(join(web, "client/dist"));
  await rm(join(web, "dist"), { recursive: true, force: true });
  await cp(built, join(web, "dist"), { recursive: true });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await withCommitted(process.argv.includes("--check") ? check : replace);
