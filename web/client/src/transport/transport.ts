/** What a line tells. Nothing comes after `closed`, and nothing after its owner has called `close`. */
export interface LineEvents {
  opened(): void;
  received(data: string | Uint8Array): void;
  /** 1006 when no Close frame came. */
  closed(code: number, reason: string): void;
}

/** One attempt to reach the server, and the open line when it succeeds. */
export interface Line {
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code: number): void;
}

/** The port of a transport: opens a line. Does not throw; what fails is `closed`. */
export type Transport = (url: string, subprotocol: string, events: LineEvents) => Line;
