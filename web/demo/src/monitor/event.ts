// One message on the line as the monitor shows it.

import { type Fields, fields } from "../payload.js";

export type Direction = "in" | "out";

export interface LineEvent {
  readonly key: string;
  readonly timeMs: number;
  readonly direction: Direction;
  /** The command, reply or push: "publication", "subscribe", … */
  readonly kind: string;
  readonly channel: string;
  readonly text: string;
  readonly bytes: number;
  /** Of the many that say little: cursors and pings. */
  readonly quiet: boolean;
}

const textMax = 240;

/** What a message says, on one line. A token is a secret even here. */
export function describe(message: unknown): Pick<LineEvent, "kind" | "channel" | "text" | "quiet"> {
  const { id, ...rest } = fields(message);
  const kind = Object.keys(rest)[0] ?? "empty";
  const body = fields(rest[kind]);
  const channel = channelOf(body);
  const reply = typeof id === "number" ? `#${id} ` : "";
  const quiet = kind === "ping" || channel.startsWith("cursor:") || Object.keys(body).length === 0;
  return { kind, channel, text: (reply + contentOf(body)).slice(0, textMax), quiet };
}

/** The payload of a publication, the change of a state, and of everything else all but the channel. */
function contentOf(body: Fields): string {
  if (body["data"] !== undefined) return written(body["data"]);
  const { key, value, removed } = fields(body["state"]);
  if (typeof key !== "string") return written(body);
  return removed === true ? `${key} removed` : `${key} = ${written(value)}`;
}

function written(value: unknown): string {
  return JSON.stringify(value, (name, part: unknown) => (name === "token" ? "…" : name === "channel" ? undefined : payload(part))) ?? "";
}

/** The client holds a payload on its way out as an object of its own with the JSON text in it. */
function payload(part: unknown): unknown {
  const { text } = fields(part);
  return typeof text === "string" && Object.getPrototypeOf(part) !== Object.prototype ? JSON.parse(text) : part;
}

function channelOf(body: Fields): string {
  if (typeof body["channel"] === "string") return body["channel"];
  const channels = body["channels"] ?? body["subscribe"];
  if (!Array.isArray(channels)) return "";
  const names = channels.map((item: unknown) => (typeof item === "string" ? item : fields(item)["channel"]));
  return names.filter((name) => typeof name === "string").join(" ");
}

/** Whether the event has what is looked for, in its kind, channel or text. */
export function matches(event: LineEvent, filter: string): boolean {
  const wanted = filter.trim().toLowerCase();
  return wanted === "" || `${event.kind} ${event.channel} ${event.text}`.toLowerCase().includes(wanted);
}

/** The newest events, newest first, and never more than the limit. */
export class LineEvents {
  readonly #max: number;
  #list: LineEvent[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  add(event: LineEvent): void {
    this.#list.unshift(event);
    if (this.#list.length > this.#max) this.#list.length = this.#max;
  }

  shown(filter: string, hideQuiet: boolean): LineEvent[] {
    return this.#list.filter((event) => !(hideQuiet && event.quiet) && matches(event, filter));
  }
}
