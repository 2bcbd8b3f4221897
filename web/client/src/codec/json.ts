import { Json, type ClientMessage, type ServerMessage } from "../message.js";
import { isRepeated, serverMessage, type Fields, type Kind } from "../schema.js";
import type { Codec } from "./codec.js";

/** `bellwire.v1.json`: JSON documents, one a line. */
export const json: Codec = {
  subprotocol: "bellwire.v1.json",
  encode: jsonText,
  *decode(data) {
    if (typeof data !== "string") throw new TypeError("bellwire: bytes where text was expected");
    for (let start = 0; start < data.length; ) {
      const end = data.indexOf("\n", start);
      const line = data.slice(start, end < 0 ? undefined : end);
      if (line.trim() !== "") yield fromJson(JSON.parse(line));
      start = end < 0 ? data.length : end + 1;
    }
  },
};

/** A message in the JSON framing with its line feed (CON-2). */
export function jsonText(message: ClientMessage): string {
  return valueText(message) + "\n";
}

/** The length of a text in UTF-8. */
export function utf8Length(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    // A unit of a surrogate pair is two bytes of four; any other beyond U+07FF is three.
    length += unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 1 : 2;
  }
  return length;
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

/** With an id `presence` is a reply, without one a change. */
const replyMessage: Fields = { ...serverMessage, presence: serverMessage["presence_page"]! };

/** A server message from its parsed JSON. Throws where a known member has a wrong type. */
export function fromJson(document: unknown): ServerMessage {
  const isReply = (document as { id?: unknown } | null)?.id !== undefined;
  return fieldsOf(document, isReply ? replyMessage : serverMessage);
}

function fieldsOf(source: unknown, fields: Fields): Record<string, unknown> {
  if (typeof source !== "object" || source === null || Array.isArray(source)) throw new TypeError("bellwire: an object was expected");
  const members = source as Record<string, unknown>;
  const out: Record<string, unknown> = {};
  for (const [name, [, kind]] of Object.entries(fields)) {
    const bytes = kind === "p" ? members[name + "64"] : undefined;
    const value = bytes === undefined ? members[name] : fromBase64(bytes);
    if (value === undefined) continue;
    const checked = valueOf(value, kind, name);
    if (checked !== undefined) out[name] = checked;
  }
  return out;
}

/** The value when it is of its kind, nothing when it is the default that means absent. */
function valueOf(value: unknown, kind: Kind, name: string): unknown {
  if (isRepeated(kind)) {
    if (!Array.isArray(value)) throw wrong(name);
    return value.length === 0 ? undefined : value.map((one) => (kind.each === "s" ? checkType(one, "string", name) : valueOf(one, kind.each, name)));
  }
  if (typeof kind === "object") return fieldsOf(value, kind as Fields);
  switch (kind) {
    case "s":
      return checkType(value, "string", name) || undefined;
    case "b":
      return checkType(value, "boolean", name) || undefined;
    case "B":
      return checkType(value, "boolean", name);
    case "u":
    case "U":
      // MSG-7: no number beyond 2^53-1, where two offsets could look like one.
      if (!Number.isSafeInteger(value) || (value as number) < 0) throw wrong(name);
      return kind === "U" || value !== 0 ? value : undefined;
    default:
      return value;
  }
}

function checkType(value: unknown, type: "string" | "boolean", name: string): unknown {
  if (typeof value !== type) throw wrong(name);
  return value;
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
  if (typeof value !== "string") throw wrong("base64");
  return Uint8Array.from(atob(value), (unit) => unit.charCodeAt(0));
}
