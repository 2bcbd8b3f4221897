import type { ClientMessage, ServerMessage } from "../message.js";

/** The port of a framing (CON-2): messages to and from what one WebSocket message carries. */
export interface Codec {
  /** What is offered in the handshake (CON-1). */
  readonly subprotocol: string;
  encode(message: ClientMessage): string | Uint8Array<ArrayBuffer>;
  /**
   * The messages of one WebSocket message, each decoded when it is asked for. Throws on bytes that are not of this
   * framing, and on a known member of a wrong type; unknown members are left out (MSG-6).
   */
  decode(data: string | Uint8Array): Iterable<ServerMessage>;
}
