// Runs a lifecycle vector (spec/vectors/README.md) against the core.

import { fromJson, valueText } from "../src/codec/json.js";
import { Core, type CoreOptions } from "../src/core/core.js";
import type { SubscriptionOptions } from "../src/core/subscription.js";
import { Json, type Command } from "../src/message.js";

/* The vectors are JSON of many shapes; this one file reads them untyped. */
type Loose = Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any

export interface Vector {
  name: string;
  clauses: string[];
  options: Loose;
  random: number[];
  steps: Step[];
}

export interface Step {
  at_ms: number;
  input: Loose;
  expect: { outputs: Loose[]; state: string; deadline_ms: number | null; subscriptions?: Record<string, Loose> };
}

export class Player {
  readonly core: Core;

  constructor({ options, random }: Pick<Vector, "options" | "random">) {
    let drawn = 0;
    this.core = new Core(camelCase(options) as CoreOptions, () => random[drawn++ % random.length]!);
  }

  /** Gives the input and returns what the vector expects of it. */
  step({ at_ms: now, input }: Pick<Step, "at_ms" | "input">, channels: readonly string[] = []): Step["expect"] {
    this.#input(input, now);
    const outputs: Loose[] = [];
    for (let output = this.core.next(); output; output = this.core.next()) outputs.push(plain(output));
    const subscriptions = Object.fromEntries(channels.map((channel) => [channel, this.held(channel)]));
    return { outputs, state: this.core.state, deadline_ms: this.core.deadline ?? null, ...(channels.length > 0 && { subscriptions }) };
  }

  /** What the core holds of a channel. */
  held(channel: string): Loose {
    const subscription = this.core.subscription(channel);
    if (!subscription) return { state: "unsubscribed", position: null, count: 0, entries: {}, members: [] };
    return plain({
      state: subscription.status,
      position: subscription.position ?? null,
      count: subscription.presence.count,
      entries: Object.fromEntries(subscription.state.values),
      members: [...subscription.presence.members.keys()].sort(),
    });
  }

  #input(input: Loose, now: number): void {
    const core = this.core;
    const [kind, body] = Object.entries(input)[0] as [string, Loose];
    const inputs: Record<string, () => void> = {
      connect: () => core.connect(now),
      close: () => core.close(now),
      woke: () => core.woke(now),
      tick: () => core.tick(now),
      line_opened: () => core.lineOpened(body["line"], now),
      line_closed: () => core.lineClosed(body["line"], body["code"], body["reason"], now),
      received: () => core.received(body["line"], fromJson(body["message"]), now),
      token_ready: () => core.tokenReady(undefined, body["token"], now),
      token_failed: () => core.tokenFailed(undefined, body["permanent"], now),
      subscription_token_ready: () => core.tokenReady(body["channel"], body["token"], now),
      subscription_token_failed: () => core.tokenFailed(body["channel"], body["permanent"], now),
      network: () => core.network(body["online"], now),
      subscribe: () => core.subscribe(body["channel"], body["options"] && optionsOf(body["options"]), now),
      unsubscribe: () => core.unsubscribe(body["channel"], now),
      request: () => core.request(body["request"], commandOf(body["command"]), body["wait"] !== false, now),
    };
    const give = inputs[kind];
    if (!give) throw new Error(`unknown input ${kind}`);
    give();
  }
}

function camelCase(members: Loose): Loose {
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()), value]));
}

function optionsOf(options: Loose): SubscriptionOptions {
  return { ...camelCase(options), ...(options["enter"] !== undefined && { enter: new Json(options["enter"]) }) };
}

function commandOf(command: Loose): Command {
  const [name, body] = Object.entries(command)[0] as [string, Loose];
  const out: Loose = {};
  for (const [member, value] of Object.entries(body)) {
    if (member === "data" || member === "value") out[member] = new Json(value);
    else if (member === "data64" || member === "value64") out[member.slice(0, -2)] = new Uint8Array(Buffer.from(value, "base64"));
    else out[member] = value;
  }
  return { [name]: out };
}

/** As it stands in a vector: payloads as in the JSON framing. */
function plain<T>(value: T): Loose {
  return JSON.parse(valueText(value)) as Loose;
}
