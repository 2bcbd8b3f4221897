import type { Transport } from "./transport.js";

/** What is used of a WebSocket: the browser's, Node's from version 22 on, or that of a library such as `ws`. */
export interface WebSocketLike {
  binaryType: string;
  onopen: ((event: never) => unknown) | null;
  onmessage: ((event: never) => unknown) | null;
  onclose: ((event: never) => unknown) | null;
  onerror: ((event: never) => unknown) | null;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
}

export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

const abnormalClosure = 1006;

/** Lines over WebSocket, made with the given constructor. */
export function webSocketTransport(constructor: WebSocketConstructor | undefined): Transport {
  const WebSocket = constructor ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;
  if (!WebSocket) throw new TypeError("bellwire: no WebSocket here: give one as webSocket");
  return (url, subprotocol, events) => {
    let isOver = false;
    const closed = (code: number, reason: string): void => {
      if (!isOver) events.closed(code, reason);
      isOver = true;
    };
    let socket: WebSocketLike | undefined;
    try {
      socket = new WebSocket(url, [subprotocol]);
      socket.binaryType = "arraybuffer";
      let isOpen = false;
      socket.onopen = () => {
        isOpen = true;
        if (!isOver) events.opened();
      };
      socket.onmessage = ({ data }: { data: string | ArrayBuffer }) => isOver || events.received(typeof data === "string" ? data : new Uint8Array(data));
      socket.onclose = ({ code, reason }: { code: number; reason: string }) => closed(code, reason);
      // A close event with the code should follow. Some implementations give none when a line could not be opened.
      socket.onerror = () => isOpen || closed(abnormalClosure, "");
    } catch (error) {
      queueMicrotask(() => closed(abnormalClosure, String(error)));
    }
    return {
      send: (data) => socket?.send(data),
      close(code) {
        isOver = true;
        socket?.close(code);
      },
    };
  };
}
