import { once } from "node:events";
import { type AddressInfo, createServer, connect, type Server as Listener, type Socket } from "node:net";

/** The two halves of one TCP connection through the line. */
interface Pair {
  readonly near: Socket; // the page's side
  readonly far: Socket; // the server's side
}

/** A TCP proxy in front of a server: the piece of wire that a test can cut, stall and restore. */
export class Line {
  readonly #listener: Listener;
  readonly #targetPort: number;
  readonly #pairs = new Set<Pair>();
  readonly #held = new Set<Socket>(); // accepted while stalled
  #condition: "whole" | "cut" | "stalled" = "whole";

  private constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#listener = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (near) => this.#accept(near));
  }

  static async open(targetPort: number): Promise<Line> {
    const line = new Line(targetPort);
    line.#listener.listen(0, "127.0.0.1");
    await once(line.#listener, "listening");
    return line;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#listener.address() as AddressInfo).port}`;
  }

  /** How many connections run through the line. */
  get connections(): number {
    return this.#pairs.size + this.#held.size;
  }

  /** Resets every connection, and every new one until restore. */
  cut(): void {
    this.#condition = "cut";
    for (const near of this.#held) near.resetAndDestroy();
    for (const { near } of this.#pairs) near.resetAndDestroy();
  }

  /** Lets no byte through in either direction until restore; both sides believe that they are connected. */
  stall(): void {
    if (this.#condition === "cut") throw new Error("the line is cut");
    this.#condition = "stalled";
    for (const { near, far } of this.#pairs) {
      near.unpipe(far).pause();
      far.unpipe(near).pause();
    }
  }

  /** What a stall has held back goes on; new connections are taken again. */
  restore(): void {
    this.#condition = "whole";
    for (const pair of this.#pairs) join(pair);
    for (const near of this.#held) this.#carry(near);
    this.#held.clear();
  }

  async close(): Promise<void> {
    this.cut();
    this.#listener.close();
    await once(this.#listener, "close");
  }

  #accept(near: Socket): void {
    near.on("error", () => near.destroy());
    if (this.#condition === "cut") {
      near.resetAndDestroy();
    } else if (this.#condition === "stalled") {
      this.#held.add(near);
      near.on("close", () => this.#held.delete(near));
    } else {
      this.#carry(near);
    }
  }

  #carry(near: Socket): void {
    const far = connect({ port: this.#targetPort, host: "127.0.0.1", allowHalfOpen: true });
    const pair = { near, far };
    this.#pairs.add(pair);
    far.on("error", () => far.destroy());
    near.on("close", () => {
      this.#pairs.delete(pair);
      far.resetAndDestroy();
    });
    far.on("close", () => near.resetAndDestroy());
    if (this.#condition === "whole") join(pair);
  }
}

/** Pipes both ways; a half that ends ends the other's half, so that a Close reaches the peer as it was sent. */
function join({ near, far }: Pair): void {
  near.pipe(far);
  far.pipe(near);
}
