/** The schema of spec/bellwire.proto as data: a field has its number and its kind. A test holds it against the file. */

/**
 * - `s` text, `u` a whole number, `b` true or false: absent when default
 * - `U`, `B`, `D` (a double): `optional` in the schema, so their default is kept
 * - `p` a payload, `j` bytes that are JSON
 * - a list of names: an enumeration; an object: a message; `each`: repeated
 */
export type Kind = "s" | "u" | "b" | "U" | "B" | "D" | "p" | "j" | readonly string[] | Fields | { readonly each: Kind };
export interface Fields {
  readonly [name: string]: readonly [number: number, kind: Kind];
}

export const isRepeated = (kind: Kind): kind is { readonly each: Kind } => typeof kind === "object" && "each" in kind;

const position: Fields = { epoch: [1, "s"], offset: [2, "u"] };
const presenceMode = ["none", "count", "members"];
const item: Fields = {
  channel: [1, "s"], since: [2, position], rewind: [3, "u"], state: [4, "b"], presence: [5, presenceMode], enter: [6, "p"], token: [7, "s"],
};

export const clientMessage: Fields = {
  id: [1, "u"],
  connect: [2, { token: [1, "s"], client: [2, "s"], subscribe: [3, { each: item }] }],
  subscribe: [3, { channels: [1, { each: item }] }],
  unsubscribe: [4, { channels: [1, { each: "s" }] }],
  publish: [5, { channel: [1, "s"], data: [2, "p"], id: [3, "s"], echo: [4, "B"] }],
  history: [6, { channel: [1, "s"], since: [2, position], limit: [3, "u"], reverse: [4, "b"] }],
  state: [7, { channel: [1, "s"], key: [2, "s"], after: [3, "s"], limit: [4, "u"] }],
  update: [8, {
    channel: [1, "s"], op: [2, ["unspecified", "set", "remove", "increment", "set_if", "set_greater"]], key: [3, "s"], value: [4, "p"],
    by: [5, "D"], version: [6, "U"], id: [7, "s"],
  }],
  presence: [9, { channel: [1, "s"], count_only: [2, "b"], after: [3, "s"], limit: [4, "u"] }],
  enter: [10, { channel: [1, "s"], data: [2, "p"] }],
  leave: [11, { channel: [1, "s"] }],
  call: [12, { method: [1, "s"], data: [2, "p"] }],
  refresh: [13, { token: [1, "s"], channel: [2, "s"] }],
  ping: [14, {}],
};

const error: Fields = { code: [1, "u"], name: [2, "s"], message: [3, "s"], command: [4, "s"] };
const reconnect: Fields = { window_ms: [1, "u"] };
const missed: Fields = { from: [1, "u"], to: [2, "u"] };
const member: Fields = {
  user: [1, "s"], info: [2, "j"], connections: [3, { each: { connection: [1, "s"], data: [2, "p"] } }],
};
const publication: Fields = {
  channel: [1, "s"], offset: [2, "u"], prev: [3, "U"], data: [4, "p"], id: [5, "s"], time_ms: [6, "u"],
  from: [7, { user: [1, "s"], connection: [2, "s"] }],
  state: [8, { key: [1, "s"], value: [2, "p"], removed: [3, "b"] }],
  skipped: [9, "b"],
  pattern: [10, "b"],
};
const statePage: Fields = {
  epoch: [1, "s"], as_of: [2, "u"], entries: [3, { each: { key: [1, "s"], value: [2, "p"], version: [3, "u"] } }], more: [4, "b"],
};
const presencePage: Fields = { version: [1, "u"], count: [2, "u"], members: [3, { each: member }], more: [4, "b"] };

export const serverMessage: Fields = {
  id: [1, "u"],
  error: [2, error],
  connect: [3, {
    connection: [1, "s"], user: [2, "s"], server: [3, "s"], node: [4, "s"], ping_ms: [5, "u"], pong_ms: [6, "u"], expires_ms: [7, "u"],
    reconnect: [8, reconnect], time_ms: [9, "u"], message_bytes: [10, "u"],
  }],
  subscribe: [4, {}],
  unsubscribe: [5, {}],
  publish: [6, { epoch: [1, "s"], offset: [2, "u"], duplicate: [3, "b"] }],
  history: [7, { epoch: [1, "s"], top: [2, "u"], publications: [3, { each: publication }], more: [4, "b"], missed: [5, missed] }],
  state: [8, statePage],
  update: [9, { applied: [1, "b"], value: [2, "p"], version: [3, "u"], epoch: [4, "s"], offset: [5, "u"], duplicate: [6, "b"] }],
  presence_page: [10, presencePage],
  enter: [11, {}],
  leave: [12, {}],
  call: [13, { data: [1, "p"] }],
  refresh: [14, { expires_ms: [1, "u"] }],
  ping: [15, { time_ms: [1, "u"] }],
  subscribed: [16, {
    channel: [1, "s"], epoch: [2, "s"], offset: [3, "u"], top: [4, "u"], recovered: [5, "B"], missed: [6, missed], state: [7, statePage],
    presence: [8, presencePage], expires_ms: [9, "u"], error: [10, error],
  }],
  publication: [17, publication],
  presence: [18, { channel: [1, "s"], version: [2, "u"], count: [3, "u"], set: [4, { each: member }], left: [5, { each: "s" }] }],
  unsubscribed: [19, { channel: [1, "s"], code: [2, "u"], reason: [3, "s"] }],
  notice: [20, { reconnect: [1, reconnect] }],
  disconnect: [21, { code: [1, "u"], reason: [2, "s"], reconnect: [3, reconnect] }],
};
