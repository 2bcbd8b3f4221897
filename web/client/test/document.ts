// Messages as they stand in JSON files, for the tests.

import { valueText } from "../src/codec/json.js";
import { Json } from "../src/message.js";

/* Documents have many shapes; tests read them untyped. */
export type Loose = Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any

/** A client message from its JSON document: payloads become what an application gives. */
export function outgoingOf(document: unknown): any { // eslint-disable-line @typescript-eslint/no-explicit-any
  if (Array.isArray(document)) return document.map(outgoingOf);
  if (typeof document !== "object" || document === null) return document;
  const out: Loose = {};
  for (const [name, value] of Object.entries(document)) {
    if (name === "data" || name === "value") out[name] = new Json(value);
    else if (name === "data64" || name === "value64") out[name.slice(0, -2)] = new Uint8Array(Buffer.from(value as string, "base64"));
    // As a command it has a channel; in a subscription it is the payload itself.
    else if (name === "enter" && !((value as Loose | null)?.["channel"] !== undefined)) out[name] = new Json(value);
    else out[name] = outgoingOf(value);
  }
  return out;
}

/** As it stands in a JSON file, whatever the message holds. */
export function documentOf(value: unknown): any { // eslint-disable-line @typescript-eslint/no-explicit-any
  return JSON.parse(valueText(value));
}
