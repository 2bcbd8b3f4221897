// The message vectors: both framings hold the same messages.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fromJson, json } from "../src/codec/json.js";
import { protobuf } from "../src/codec/protobuf.js";
import type { ServerMessage } from "../src/message.js";
import { documentOf, outgoingOf, type Loose } from "./document.js";

interface MessageVector {
  name: string;
  clauses: string[];
  json: Loose;
  proto_hex: string;
}

function vectors(file: string): MessageVector[] {
  return JSON.parse(readFileSync(new URL(`../../../spec/vectors/messages/${file}`, import.meta.url), "utf8")) as MessageVector[];
}

function decoded(messages: Iterator<{ message: ServerMessage }>): ServerMessage {
  const { value } = messages.next() as { value: { message: ServerMessage } };
  assert.equal(messages.next().done, true, "one message");
  return value.message;
}

describe("client messages", () => {
  for (const { name, clauses, json: document, proto_hex: hex } of vectors("client.json")) {
    test(`${name} (${clauses.join(", ")})`, () => {
      const message = outgoingOf(document);
      assert.deepEqual(JSON.parse(json.encode(message) as string), document, "JSON");
      assert.equal(Buffer.from(protobuf.encode(message) as Uint8Array).toString("hex"), hex, "protobuf");
    });
  }
});

describe("server messages", () => {
  for (const { name, clauses, json: document, proto_hex: hex } of vectors("server.json")) {
    test(`${name} (${clauses.join(", ")})`, () => {
      const message = decoded(json.decode(JSON.stringify(document) + "\n"));
      assert.deepEqual(documentOf(message), document, "JSON");
      const bytes = Buffer.from(hex, "hex");
      assert.deepEqual(decoded(protobuf.decode(bytes)), message, "protobuf");
      for (let length = 1; length < bytes.length; length++) {
        assert.throws(() => decoded(protobuf.decode(bytes.subarray(0, length))), Error, `a prefix of ${length} bytes`);
      }
    });
  }
});

test("what is unknown is left out wherever it stands (MSG-6)", () => {
  const document = { publication: { channel: "a", offset: 1, data: { publication: 5 }, colour: "red", wrapped: { offset: "x" }, from: { user: "u", rank: 1 } }, extra: [1] };
  assert.deepEqual(documentOf(fromJson(document)), { publication: { channel: "a", offset: 1, data: { publication: 5 }, from: { user: "u" } } });
});
