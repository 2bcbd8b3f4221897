import { Json, type ServerMessage } from "../message.js";
import type { Codec } from "./codec.js";

/** `bellwire.v1.json`: JSON documents, one a line. */
export const json: Codec = {
  subprotocol: "bellwire.v1.json",
  encode: (message) => valueText(message) + "\n",
  sizeOf: (data) => utf8Length(data as string),
  *decode(data) {
    if (typeof data !== "string") throw new TypeError("bellwire: bytes where text was expected");
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

/** The members of all server messages by their type: a name has the same type wherever it stands, but for the two told below. */
const texts = names("channel epoch name message command connection user server node key reason");
const numbers = names("code offset prev top version count to as_of message_bytes");
const flags = names("duplicate more applied removed skipped recovered pattern");
const payloads = names("data value info");
const lists = names("publications entries members connections set left");
const objects = names(
  "error connect subscribe unsubscribe publish history state update presence enter leave call refresh ping " +
    "subscribed publication unsubscribed notice disconnect reconnect missed",
);
/** Optional in the schema: their default says something. */
const optional = names("prev recovered");

function names(text: string): ReadonlySet<string> {
  return new Set(text.split(" "));
}

/** A server message from its parsed JSON. Throws where a known member has a wrong type; leaves out what is unknown (MSG-6) or default (MSG-7). */
export function fromJson(document: unknown, within = ""): ServerMessage {
  if (typeof document !== "object" || document === null || Array.isArray(document)) throw wrong("message", within);
  const out: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(document) as [string, unknown][]) {
    const bytesName = name.slice(0, -2);
    if (payloads.has(name)) out[name] = value;
    else if (name.endsWith("64") && payloads.has(bytesName)) out[bytesName] = fromBase64(value);
    else {
      const checked = member(name, value, within);
      if (checked || (optional.has(name) && checked !== undefined)) out[name] = checked;
    }
  }
  return out;
}

function member(name: string, value: unknown, within: string): unknown {
  // The id of a message is a number and that of a publication a text; what is missed is from a number, a publication from somebody.
  if (numbers.has(name) || name.endsWith("_ms") || (name === "id" && within === "") || (name === "from" && within === "missed")) {
    // No number beyond 2^53-1 (MSG-7), where two offsets would look like one.
    if (Number.isSafeInteger(value) && (value as number) >= 0) return value;
  } else if (texts.has(name) || name === "id") {
    if (typeof value === "string") return value;
  } else if (flags.has(name)) {
    if (typeof value === "boolean") return value;
  } else if (lists.has(name)) {
    if (Array.isArray(value)) return value.length > 0 && value.map((one) => (name === "left" ? String(one) : fromJson(one, name)));
  } else {
    return objects.has(name) || name === "from" ? fromJson(value, name) : undefined;
  }
  throw wrong(name, within);
}

function wrong(name: string, within: string): TypeError {
  return new TypeError(`bellwire: ${within} ${name} has a wrong type`);
}

function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

function fromBase64(value: unknown): Uint8Array {
  if (typeof value !== "string") throw wrong("payload", "");
  return Uint8Array.from(atob(value), (unit) => unit.charCodeAt(0));
}
