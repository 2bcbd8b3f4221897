// A world for the driver in which the test owns the clock, the network and chance.

import type { Loose } from "./document.js";
import type { Platform, PlatformEvents } from "../src/platform.js";
import type { WebSocketConstructor, WebSocketLike } from "../src/transport/websocket.js";

export class FakePlatform implements Platform {
  time = 0;
  prompt = true;
  /** What each next draw gives. */
  draw = 0.5;
  events: PlatformEvents | undefined;
  watched = 0;
  #timers = new Set<{ at: number; callback: () => void }>();
  #yielded: (() => void)[] = [];

  now = (): number => this.time;
  random = (): number => this.draw;
  isPrompt = (): boolean => this.prompt;

  timer(callback: () => void, afterMs: number): () => void {
    const timer = { at: this.time + afterMs, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  yield(callback: () => void): void {
    this.#yielded.push(callback);
  }

  watch(events: PlatformEvents): () => void {
    this.events = events;
    this.watched++;
    return () => {
      this.events = undefined;
    };
  }

  get timers(): number {
    return this.#timers.size;
  }

  get yields(): number {
    return this.#yielded.length;
  }

  /** Gives those that yielded their turn. */
  turn(): void {
    for (const callback of this.#yielded.splice(0)) callback();
  }

  /** Lets time pass, and timers come when they are due; they can be held back. */
  pass(ms: number, { late = false } = {}): void {
    const until = this.time + ms;
    if (late) this.time = until;
    for (;;) {
      const next = [...this.#timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#timers.delete(next);
      this.time = Math.max(this.time, next.at);
      next.callback();
    }
    this.time = until;
  }
}

export class FakeSocket implements WebSocketLike {
  static all: FakeSocket[] = [];
  binaryType = "blob";
  onopen: ((event: never) => unknown) | null = null;
  onmessage: ((event: never) => unknown) | null = null;
  onclose: ((event: never) => unknown) | null = null;
  onerror: ((event: never) => unknown) | null = null;
  sent: (string | Uint8Array)[] = [];
  closedWith: number | undefined;
  readonly url: string;
  readonly protocols: string[];

  constructor(url: string, protocols: string[]) {
    this.url = url;
    this.protocols = protocols;
    FakeSocket.all.push(this);
  }

  send(data: string | Uint8Array): void {
    if (this.closedWith !== undefined) throw new Error("closing");
    this.sent.push(data);
  }

  close(code?: number): void {
    this.closedWith = code ?? 1005;
  }

  // --- what the network does ---

  open(): void {
    this.onopen?.({} as never);
  }

  /** Messages as one WebSocket message of the JSON framing. */
  receive(...messages: Loose[]): void {
    this.raw(messages.map((message) => JSON.stringify(message) + "\n").join(""));
  }

  raw(data: string | ArrayBuffer): void {
    this.onmessage?.({ data } as never);
  }

  drop(code = 1006, reason = ""): void {
    this.onerror?.({} as never);
    this.onclose?.({ code, reason } as never);
  }

  /** The messages that were sent, parsed; what was taken does not come again. */
  taken(): Loose[] {
    return this.sent.splice(0).map((text) => JSON.parse(text as string) as Loose);
  }
}

export const FakeWebSocket: WebSocketConstructor = FakeSocket;

/** The socket of the newest line. */
export function socket(): FakeSocket {
  return FakeSocket.all.at(-1)!;
}

/** Opens the newest line and answers its connect; returns what connect said. */
export function welcome(more: Loose = {}): Loose {
  socket().open();
  const [message] = socket().taken();
  socket().receive({ id: message!["id"], connect: { connection: "c1", user: "alice", server: "bellwire/0.1.0", node: "n1", time_ms: 7, ...more } });
  return message!["connect"] as Loose;
}

/** Lets promises settle. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}
