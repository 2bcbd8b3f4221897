import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { get } from "node:https";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { eventually } from "./eventually.js";

export interface ServerOptions {
  /** The program and its first arguments; bin/bellwire, built from this repository, when absent. */
  readonly command?: readonly string[];
  /** Arguments after `serve --dev --listen host:port`. */
  readonly extra?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** It speaks TLS, with a certificate that no one has signed. */
  readonly secure?: boolean;
}

const repository = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");
const startAttemptsMax = 5;
const logCharactersMax = 1_000_000;

/** A server process on a port of its own, which can be killed and started again on the same port. */
export class Server {
  readonly #command: readonly string[];
  readonly #options: ServerOptions;
  #process: ChildProcess | undefined;
  #log = "";
  #port = 0;

  /** The working directory of the process; removed by close. */
  readonly directory: string;

  private constructor(command: readonly string[], options: ServerOptions, directory: string) {
    this.#command = command;
    this.#options = options;
    this.directory = directory;
  }

  /** Starts a server on a free port and waits until it is ready. */
  static async start(options: ServerOptions = {}): Promise<Server> {
    const command = options.command ?? [binary()];
    const server = new Server(command, options, await mkdtemp(join(tmpdir(), "bellwire-e2e-")));
    try {
      if (server.secure) makeCertificate(server.directory);
      // Between asking for a free port and listening on it another process may take it.
      for (let attempt = 1; ; attempt++) {
        server.#port = await freePort();
        try {
          await server.start();
          return server;
        } catch (error) {
          if (attempt === startAttemptsMax || !/address already in use|EADDRINUSE/.test(server.#log)) throw error;
        }
      }
    } catch (error) {
      await server.close();
      throw error;
    }
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `${this.secure ? "https" : "http"}://127.0.0.1:${this.#port}`;
  }

  get secure(): boolean {
    return this.#options.secure === true;
  }

  /** What the process has written to both its outputs, over all its lives. */
  get log(): string {
    return this.#log;
  }

  get running(): boolean {
    return this.#process !== undefined;
  }

  /** Starts the process again, on the same port, and waits until it is ready. */
  async start(): Promise<void> {
    if (this.#process !== undefined) throw new Error("the server runs already");
    const [program, ...first] = this.#command;
    if (program === undefined) throw new Error("an empty command");
    const child = spawn(
      program,
      [...first, "serve", "--dev", "--listen", `127.0.0.1:${this.#port}`, ...(this.#options.extra ?? [])],
      { cwd: this.directory, env: { ...inherited(), ...(this.secure ? certificate : {}), ...this.#options.environment }, stdio: ["ignore", "pipe", "pipe"] },
    );
    this.#process = child;
    children.add(child);
    const note = (chunk: Buffer) => (this.#log = (this.#log + chunk.toString()).slice(-logCharactersMax));
    child.stdout.on("data", note);
    child.stderr.on("data", note);
    child.on("error", (error) => note(Buffer.from(`${error.message}\n`)));
    child.on("close", () => {
      children.delete(child);
      if (this.#process === child) this.#process = undefined;
    });
    await eventually("the server is ready", async () => {
      if (this.#process !== child) throw new Error(`the server ended while starting:\n${this.#log}`);
      return ready(`${this.url}/readyz`);
    }, 30_000);
  }

  /** Ends the process like a crash. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Asks the process to end, waits until it has, and gives its exit code. */
  async stop(): Promise<number | null> {
    return this.#end("SIGTERM");
  }

  async restart(how: "kill" | "stop" = "stop"): Promise<void> {
    await this.#end(how === "kill" ? "SIGKILL" : "SIGTERM");
    await this.start();
  }

  async close(): Promise<void> {
    if (this.#process !== undefined) await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }

  async #end(signal: "SIGKILL" | "SIGTERM"): Promise<number | null> {
    const child = this.#process;
    if (child === undefined) throw new Error("the server does not run");
    const closed = once(child, "close");
    child.kill(signal);
    await closed;
    return child.exitCode;
  }
}

/** Children that still run when the tests' process ends, for whatever reason, end with it. */
const children = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

/** This process's environment without what would configure the server: it refuses variables of its own that it does not know. */
function inherited(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("BELLWIRE_")));
}

async function ready(url: string): Promise<boolean> {
  try {
    if (url.startsWith("https:")) return await readySecurely(url);
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    return false; // Not listening yet: the caller asks again, and gives up with the server's log.
  }
}

/** The server's certificate is the test's own: there is nothing to verify. */
function readySecurely(url: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const request = get(url, { rejectUnauthorized: false, agent: false, timeout: 2_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on("timeout", () => request.destroy(new Error("timeout")));
    request.on("error", reject);
  });
}

/** Where a secure server finds its certificate, in its directory. */
const certificate = { BELLWIRE_TLS_CERTIFICATE_FILE: "certificate.pem", BELLWIRE_TLS_KEY_FILE: "key.pem" };

function makeCertificate(directory: string): void {
  const { status, stderr } = spawnSync("openssl", [
    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
    "-addext", "subjectAltName=IP:127.0.0.1", "-out", certificate.BELLWIRE_TLS_CERTIFICATE_FILE, "-keyout", certificate.BELLWIRE_TLS_KEY_FILE,
  ], { cwd: directory, encoding: "utf8" });
  if (status !== 0) throw new Error(`openssl made no certificate: ${stderr}`);
}

async function freePort(): Promise<number> {
  const listener = createServer();
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  listener.close();
  await once(listener, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

let built: string | undefined;

/** The binary under test: $BELLWIRE_BINARY, or bin/bellwire, built once by each process that asks. */
function binary(): string {
  built ??= process.env["BELLWIRE_BINARY"] ?? buildBinary();
  return built;
}

function buildBinary(): string {
  const path = join(repository, "bin", "bellwire");
  const { status } = spawnSync("make", ["--silent", "build"], { cwd: repository, stdio: "inherit" });
  if (status !== 0) throw new Error("`make build` gave no binary");
  return path;
}
