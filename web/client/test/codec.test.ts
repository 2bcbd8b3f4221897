// The framings themselves: grouping, limits, the schema, and what a hostile server can send.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import type { Codec } from "../src/codec/codec.js";
import { json, sizeOf, utf8Length } from "../src/codec/json.js";
import { protobuf } from "../src/codec/protobuf.js";
import { clientMessage, isRepeated, serverMessage, type Fields, type Kind } from "../src/codec/schema.js";
import { Reader, Writer } from "../src/codec/wire.js";
import { Json, type ServerMessage } from "../src/message.js";
import { randomOf } from "./random.js";

function all(codec: Codec, data: string | Uint8Array): ServerMessage[] {
  const messages: ServerMessage[] = [];
  const decoder = codec.decode(data);
  for (let next = decoder.next(); !next.done; next = decoder.next()) messages.push(next.value.message);
  return messages;
}

const proto = (...bytes: number[]): ServerMessage[] => all(protobuf, Uint8Array.of(...bytes));

describe("bellwire.v1.json (CON-2, CON-3)", () => {
  test("documents end with a line feed, of which the last may be missing", () => {
    const one = { id: 1, ping: { time_ms: 5 } };
    const text = JSON.stringify(one);
    for (const [data, count] of [[text, 1], [text + "\n", 1], [text + "\n" + text, 2], [text + "\r\n\n" + text + "\n\n", 2], ["", 0], ["\n", 0]] as const) {
      assert.deepEqual(all(json, data), Array.from({ length: count }, () => one), JSON.stringify(data));
    }
  });

  test("a document is decoded when it is its turn: what follows a broken one is not reached, what is before it is", () => {
    const decoder = json.decode('{"notice":{}}\n{"notice":\n{"notice":{}}\n');
    assert.deepEqual((decoder.next().value as { message: unknown }).message, { notice: {} });
    assert.throws(() => decoder.next(), SyntaxError);
  });

  test("every prefix of a document is refused", () => {
    const text = '{"publication":{"channel":"a","offset":1,"data":{"x":[1,"é"]}}}';
    for (let length = 1; length < text.length; length++) assert.throws(() => all(json, text.slice(0, length)), Error, text.slice(0, length));
  });

  test("defaults and absence are the same (MSG-7), but for what is optional", () => {
    const text = '{"id":0,"subscribed":{"channel":"a","epoch":"","offset":0,"top":0,"recovered":false,"missed":{"to":0},"state":{"entries":[],"more":false}}}';
    assert.deepEqual(all(json, text), [{ subscribed: { channel: "a", recovered: false, missed: {}, state: {} } }]);
    assert.deepEqual(all(json, '{"publication":{"prev":0,"data":null}}'), [{ publication: { prev: 0, data: null } }]);
  });

  test("whole numbers up to 2^53-1 are exact, beyond they are refused (CC-17)", () => {
    assert.deepEqual(all(json, '{"publication":{"offset":9007199254740991}}'), [{ publication: { offset: 2 ** 53 - 1 } }]);
    for (const number of ["9007199254740992", "1e300", "-1", "0.5", '"1"', "null", "true", "[]"]) {
      assert.throws(() => all(json, `{"publication":{"offset":${number}}}`), TypeError, number);
    }
  });

  test("base64 that is none is refused", () => {
    for (const value of ['"!"', "5", "null", "{}"]) assert.throws(() => all(json, `{"publication":{"data64":${value}}}`), Error, value);
  });

  test("sizes are those of UTF-8", () => {
    for (const text of ["", "a", "é", "€", "😀", "a😀é€"]) assert.equal(utf8Length(text), Buffer.byteLength(text));
    const message = { id: 7, publish: { channel: "a", data: new Json({ x: "€" }), id: "x" } };
    assert.equal(sizeOf(message), Buffer.byteLength(json.encode(message) as string));
    const bytes = { id: 7, publish: { channel: "a", data: new Uint8Array(5), id: "x" } };
    assert.equal(sizeOf(bytes), Buffer.byteLength(json.encode(bytes) as string));
  });
});

describe("bellwire.v1.proto (CON-2, CON-3)", () => {
  test("messages are preceded by their length", () => {
    assert.deepEqual(proto(), []);
    assert.deepEqual(proto(0), [{}]);
    assert.deepEqual(proto(4, 0x08, 0x01, 0x7a, 0x00, 4, 0x08, 0x02, 0x7a, 0x00), [{ id: 1, ping: {} }, { id: 2, ping: {} }]);
  });

  test("a page of presence has the name of its command", () => {
    assert.deepEqual(proto(6, 0x08, 0x01, 0x52, 0x02, 0x10, 0x07), [{ id: 1, presence: { count: 7 } }]);
  });

  test("unknown fields of every wire type are passed over (MSG-6)", () => {
    assert.deepEqual(proto(
      28, 0xf8, 0x07, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, // a varint of 64 bits
      0xf9, 0x07, 1, 2, 3, 4, 5, 6, 7, 8, // 64 bits as they are
      0xfd, 0x07, 1, 2, 3, 4), [{}]);
    assert.deepEqual(proto(7, 0xfa, 0x07, 2, 9, 9, 0x08, 0x05), [{ id: 5 }]);
  });

  test("what is no protobuf is refused", () => {
    const broken: Record<string, number[]> = {
      "a length beyond the end": [5, 0x08, 0x01],
      "a length without end": [0x80, 0x80],
      "a length beyond 2^53-1": [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
      "a varint of eleven bytes": [12, 0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
      "a group": [1, 0x0b],
      "a wire type that is none": [1, 0x0e],
      "a number where a message is known": [2, 0x78, 0x01],
      "bytes where a number is known": [3, 0x0a, 0x01, 0x01],
      "text that is not UTF-8": [6, 0x8a, 0x01, 3, 0x0a, 1, 0xff],
      "a payload that is not JSON": [8, 0x8a, 0x01, 5, 0x22, 3, 0x0a, 1, 0x7b],
    };
    for (const [name, bytes] of Object.entries(broken)) assert.throws(() => proto(...bytes), Error, name);
    assert.throws(() => all(protobuf, "text"), TypeError);
  });

  test("bytes are a copy, not a view of what was received", () => {
    const data = Uint8Array.of(9, 0x8a, 0x01, 6, 0x22, 4, 0x12, 2, 7, 8);
    const [message] = all(protobuf, data);
    data.fill(0);
    assert.deepEqual(message!.publication!.data, Uint8Array.of(7, 8));
  });

  test("base types come back as they went, whatever their size", () => {
    const random = randomOf(5);
    const numbers = [0, 1, 127, 128, 16383, 16384, 2 ** 31, 2 ** 32, 2 ** 53 - 1, ...Array.from({ length: 200 }, () => Math.floor(random() * 2 ** (random() * 53)))];
    const writer = new Writer();
    for (const number of numbers) writer.varint(number).text("é".repeat(number % 70));
    const reader = new Reader(writer.taken());
    for (const number of numbers) assert.deepEqual([reader.varint(), reader.text()], [number, "é".repeat(number % 70)]);
    assert.equal(reader.isAtEnd, true);
    assert.deepEqual([...new Writer().double(-0.1).taken()], [...new Uint8Array(new Float64Array([-0.1]).buffer)]);
  });
});

test("whatever bytes come, a decoder gives messages or throws an Error, and nothing else happens (CC-16)", () => {
  const random = randomOf(11);
  for (let round = 0; round < 20_000; round++) {
    const bytes = Uint8Array.from({ length: Math.floor(random() * 40) }, () => Math.floor(random() * (round % 2 ? 256 : 32)));
    const text = Array.from(bytes, (byte) => '{}[]",:0123456789.eE-+ \n\\u'.charAt(byte % 26) + (byte % 5 === 0 ? '"publication":{"offset":' : "")).join("");
    for (const run of [() => all(protobuf, bytes), () => all(json, text)]) {
      try {
        run();
      } catch (error) {
        assert.ok(error instanceof Error);
      }
    }
  }
});

describe("the schema as data", () => {
  const source = readFileSync(new URL("../../../spec/bellwire.proto", import.meta.url), "utf8");
  interface Declared {
    number: number;
    type: string;
    label: string;
  }
  const messages = new Map<string, Map<string, Declared>>();
  const whole = /^message (\w+) \{\n([^]*?)^\}/gm;
  const onOneLine = /^message (\w+) \{(.*)\}/gm;
  for (const [, name, body] of [...source.matchAll(whole), ...source.matchAll(onOneLine)]) messages.set(name!, fieldsIn(body!));

  function fieldsIn(body: string): Map<string, Declared> {
    const fields = body.matchAll(/(?:(optional|repeated) )?(\w+) (\w+) = (\d+);/g);
    return new Map([...fields].map(([, label = "", type, name, number]) => [name!, { number: Number(number), type: type!, label }]));
  }

  const types: Record<string, string> = { s: "string", u: "uint", U: "uint", b: "bool", B: "bool", D: "double", p: "Payload", j: "bytes" };
  /** The payload is `data` and `value` in the messages, whatever the schema's name. */
  const aliases: Record<string, string> = { data: "payload" };

  function compare(fields: Fields, name: string): void {
    const wanted = messages.get(name);
    assert.ok(wanted, `message ${name}`);
    assert.equal(Object.keys(fields).length, wanted.size, `the number of fields of ${name}`);
    for (const [field, [number, kind]] of Object.entries(fields)) {
      const theirs: Declared | undefined = wanted.get(field) ?? wanted.get(aliases[field] ?? "");
      assert.ok(theirs, `${name}.${field}`);
      assert.equal(theirs.number, number, `${name}.${field}`);
      compareKind(kind, theirs, `${name}.${field}`);
    }
  }

  function compareKind(kind: Kind, { type, label }: Omit<Declared, "number">, where: string): void {
    if (isRepeated(kind)) {
      assert.equal(label, "repeated", where);
      return compareKind(kind.each, { type, label: "" }, where);
    }
    assert.equal(label, kind === "U" || kind === "B" || kind === "D" ? "optional" : "", where);
    if (typeof kind === "string") return assert.equal(type.replace(/^uint\d+$/, "uint"), types[kind], where);
    if (Array.isArray(kind)) {
      const values = new RegExp(`enum ${type} \\{([^}]*)\\}`).exec(source)![1]!;
      return assert.deepEqual([...values.matchAll(/(\w+) = (\d+)/g)].map(([, name, number]) => [name, Number(number)]), kind.map((name, index) => [name, index]), where);
    }
    compare(kind as Fields, type);
  }

  test("is that of spec/bellwire.proto, both ways", () => {
    compare(clientMessage, "ClientMessage");
    compare(serverMessage, "ServerMessage");
  });
});
