import { Json, type ClientMessage, type ServerMessage } from "../message.js";
import type { Codec } from "./codec.js";
import { clientMessage, isRepeated, serverMessage, type Fields, type Kind } from "./schema.js";
import { Reader, Writer } from "./wire.js";

/** `bellwire.v1.proto`: protobuf messages, each preceded by its length. Smaller than JSON, and bytes stay bytes. */
export const protobuf: Codec = {
  subprotocol: "bellwire.v1.proto",
  encode(message: ClientMessage) {
    const writer = new Writer();
    writer.bytes(messageBytes(message, clientMessage));
    return writer.taken();
  },
  sizeOf: (data) => data.length,
  *decode(data) {
    if (typeof data === "string") throw new TypeError("bellwire: text where bytes were expected");
    const reader = new Reader(data);
    while (!reader.isAtEnd) {
      const bytes = reader.bytes();
      const { presence_page: page, ...message } = fieldsOf(bytes, serverMessage);
      yield { message: (page === undefined ? message : { ...message, presence: page }) as ServerMessage, bytes: bytes.length };
    }
  },
};

const varintType = 0;
const fixed64Type = 1;
const bytesType = 2;
const fixed32Type = 5;

const jsonField = 1;
const binaryField = 2;

// --- writing ---

function messageBytes(message: object, fields: Fields): Uint8Array<ArrayBuffer> {
  const writer = new Writer();
  for (const [name, [number, kind]] of Object.entries(fields)) {
    const value = (message as Record<string, unknown>)[name];
    if (value !== undefined) write(writer, number, kind, value);
  }
  return writer.taken();
}

function write(writer: Writer, number: number, kind: Kind, value: unknown): void {
  if (isRepeated(kind)) {
    for (const one of value as unknown[]) write(writer, number, kind.each, one);
  } else if (Array.isArray(kind)) {
    writer.varint(number * 8 + varintType).varint(kind.indexOf(value as string));
  } else if (kind === "s") {
    writer.varint(number * 8 + bytesType).text(value as string);
  } else if (kind === "D") {
    writer.varint(number * 8 + fixed64Type).double(value as number);
  } else if (kind === "p") {
    writer.varint(number * 8 + bytesType).bytes(payloadBytes(value as Json | Uint8Array));
  } else if (typeof kind === "object") {
    writer.varint(number * 8 + bytesType).bytes(messageBytes(value as object, kind as Fields));
  } else {
    writer.varint(number * 8 + varintType).varint(Number(value));
  }
}

function payloadBytes(payload: Json | Uint8Array): Uint8Array {
  const writer = new Writer();
  if (payload instanceof Json) writer.varint(jsonField * 8 + bytesType).text(payload.text);
  else writer.varint(binaryField * 8 + bytesType).bytes(payload);
  return writer.taken();
}

// --- reading ---

function fieldsOf(bytes: Uint8Array, fields: Fields): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  const byNumber = namesOf(fields);
  const reader = new Reader(bytes);
  while (!reader.isAtEnd) {
    const tag = reader.varint();
    const name = byNumber.get(Math.floor(tag / 8));
    if (name === undefined) skip(reader, tag % 8); // MSG-6
    else read(reader, tag % 8, name, fields[name]![1], out);
  }
  return out;
}

const namesByFields = new WeakMap<Fields, Map<number, string>>();

function namesOf(fields: Fields): Map<number, string> {
  let names = namesByFields.get(fields);
  if (!names) namesByFields.set(fields, (names = new Map(Object.entries(fields).map(([name, [number]]) => [number, name]))));
  return names;
}

function read(reader: Reader, type: number, name: string, kind: Kind, out: Record<string, unknown>): void {
  if (isRepeated(kind)) {
    const list = (out[name] ??= []) as unknown[];
    list.push(valueOf(reader, type, kind.each, name));
    return;
  }
  const value = valueOf(reader, type, kind, name);
  const isDefault = (kind === "u" && value === 0) || (kind === "b" && value === false) || (kind === "s" && value === "");
  if (!isDefault && value !== undefined) out[name] = value;
}

function valueOf(reader: Reader, type: number, kind: Kind, name: string): unknown {
  const isNumber = typeof kind === "string" && "uUbB".includes(kind);
  if (type !== (isNumber ? varintType : bytesType)) throw new TypeError(`bellwire: ${name} has a wrong type`);
  if (isNumber) {
    const value = reader.varint();
    return kind === "b" || kind === "B" ? value !== 0 : value;
  }
  if (kind === "s") return reader.text();
  if (kind === "j") return JSON.parse(reader.text());
  if (kind === "p") return payloadOf(reader.bytes());
  return fieldsOf(reader.bytes(), kind as Fields);
}

function payloadOf(bytes: Uint8Array): unknown {
  const reader = new Reader(bytes);
  let payload: unknown;
  while (!reader.isAtEnd) {
    const tag = reader.varint();
    if (tag === jsonField * 8 + bytesType) payload = JSON.parse(reader.text());
    else if (tag === binaryField * 8 + bytesType) payload = new Uint8Array(reader.bytes());
    else skip(reader, tag % 8);
  }
  return payload;
}

function skip(reader: Reader, type: number): void {
  if (type === varintType) while (reader.take(1)[0]! >= 0x80);
  else if (type === bytesType) reader.bytes();
  else if (type === fixed64Type) reader.take(8);
  else if (type === fixed32Type) reader.take(4);
  else throw new TypeError(`bellwire: wire type ${type}`);
}
