import type { ClientMessage, ServerMessage } from "../message.js";

/** One message as it came, and its size without framing. */
export interface Decoded {
  readonly message: ServerMessage;
  readonly bytes: number;
}

/** The port of a framing (CON-2): messages to and from what one WebSocket message carries. */
export interface Codec {
  /** What is offered in the handshake (CON-1). */
  readonly subprotocol: string;
  encode(message: ClientMessage): string | Uint8Array<ArrayBuffer>;
  /** How many bytes these are on the line. */
  sizeOf(data: string | Uint8Array): number;
  /**
   * The messages of one WebSocket message, each decoded when it is asked for. Throws on bytes that are not of this
   * framing, and on a known member of a wrong type; unknown members are left out (MSG-6).
   */
  decode(data: string | Uint8Array): Iterator<Decoded>;
}
