import { Json, type ServerMessage } from "../message.js";
import type { Codec } from "./codec.js";

/** `bellwire.v1.json`: JSON documents, one a line. */
export const json: Codec = {
  subprotocol: "bellwire.v1.json",
  encode: (message) => valueText(message) + "\n",
  sizeOf: (data) => utf8Length(data as string),
  *decode(data) {
    if (typeof data !== "string") throw new TypeError("bellwire: not text");
    for (let start = 0; start < data.length; ) {
      const end = data.indexOf("\n", start);
      const line = data.slice(start, end < 0 ? undefined : end);
      if (line.trim() !== "") yield { message: fromJson(JSON.parse(line)), bytes: utf8Length(line) };
      start = end < 0 ? data.length : end + 1;
    }
  },
};

const utf8 = new TextEncoder();

/** The length of a text in UTF-8. */
export function utf8Length(text: string): number {
  return utf8.encode(text).length;
}

/** The size of a value in the JSON framing with the line feed or comma after it. */
export function sizeOf(value: unknown): number {
  return utf8Length(valueText(value)) + 1;
}

export function valueText(value: unknown): string {
  if (value instanceof Json) return value.text;
  if (Array.isArray(value)) return "[" + value.map(valueText).join() + "]";
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members: string[] = [];
  for (const [name, member] of Object.entries(value) as [string, unknown][]) {
    // MSG-8: bytes are base64 under another name.
    if (member instanceof Uint8Array) members.push(`"${name}64":"${toBase64(member)}"`);
    else if (member !== undefined) members.push(`"${name}":` + valueText(member));
  }
  return "{" + members.join() + "}";
}

/** The members of all server messages by their kind: a name has the same kind wherever it stands, but for the two told below. */
const members = {
  text: "channel epoch name message command connection user server node key reason",
  number: "code offset prev top version count to as_of ping_ms pong_ms expires_ms window_ms time_ms message_bytes",
  flag: "duplicate more applied removed skipped recovered pattern",
  payload: "data value info",
  bytes: "data64 value64",
  list: "publications entries members connections set left",
  object:
    "error connect subscribe unsubscribe publish history state update presence enter leave call refresh ping " +
    "subscribed publication unsubscribed notice disconnect reconnect missed",
};
const kinds = new Map(Object.entries(members).flatMap(([kind, names]) => names.split(" ").map((name) => [name, kind])));

/** A server message from its parsed JSON. Throws where a known member has a wrong type; leaves out what is unknown (MSG-6) or default (MSG-7). */
export function fromJson(document: unknown, within = ""): ServerMessage {
  if (typeof document !== "object" || document === null || Array.isArray(document)) throw wrong(within);
  const out: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(document) as [string, unknown][]) {
    const kind = kindOf(name, within);
    if (kind === "payload") out[name] = value;
    else if (kind === "bytes") out[name.slice(0, -2)] = fromBase64(value);
    else if (kind) {
      const checked = checkedOf(kind, name, value);
      // Optional in the schema: their default says something.
      if (checked || name === "prev" || name === "recovered") out[name] = checked;
    }
  }
  return out;
}

/** The id of a message is a number and that of a publication a text; what is missed is from a number, a publication from somebody. */
function kindOf(name: string, within: string): string | undefined {
  if (name === "id") return within ? "text" : "number";
  if (name === "from") return within === "missed" ? "number" : "object";
  return kinds.get(name);
}

function checkedOf(kind: string, name: string, value: unknown): unknown {
  if (kind === "object") return fromJson(value, name);
  if (kind === "list" && Array.isArray(value)) return value.length > 0 && value.map((one) => (name === "left" ? String(one) : fromJson(one, name)));
  if (kind === "text" && typeof value === "string") return value;
  if (kind === "flag" && typeof value === "boolean") return value;
  // No number beyond 2^53-1 (MSG-7), where two offsets would look like one.
  if (kind === "number" && Number.isSafeInteger(value) && (value as number) >= 0) return value;
  throw wrong(name);
}

function wrong(name: string): TypeError {
  return new TypeError(`bellwire: ${name} has a wrong type`);
}

function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

function fromBase64(value: unknown): Uint8Array {
  if (typeof value !== "string") throw wrong("data64");
  return Uint8Array.from(atob(value), (unit) => unit.charCodeAt(0));
}
