import { lean, outgoing, type Command, type Outgoing, type Position, type UpdateOp, type UpdatedBody } from "./message.js";

/** One key of a channel's state. The version is the offset of the change that wrote it. */
export interface Entry<Value = unknown> {
  readonly key: string;
  readonly value: Value;
  readonly version: number;
}

export interface UpdateOptions {
  /** Makes it idempotent beyond this page's life (STA-5). Without it the client draws one. */
  id?: string;
}

/** What an update came to. */
export interface Updated<Value = unknown> {
  /** False when its condition did not hold: then value and version are the present ones (STA-3). */
  readonly applied: boolean;
  /** The value of the key after the update; undefined when it is absent. */
  readonly value: Value | undefined;
  readonly version: number;
  /** Where the change stands in the log. */
  readonly position?: Position;
  readonly duplicate: boolean;
}

/** Changes one key of a channel's state, each in one atomic step on the server (STA-2). While the line is down they wait. */
export class Updater<Value = unknown> {
  readonly #channel: string;
  readonly #request: (command: Command) => Promise<object>;

  constructor(channel: string, request: (command: Command) => Promise<object>) {
    this.#channel = channel;
    this.#request = request;
  }

  set(key: string, value: Value, options?: UpdateOptions): Promise<Updated<Value>> {
    return this.#update("set", key, options, { value: outgoing(value) });
  }

  remove(key: string, options?: UpdateOptions): Promise<Updated<Value>> {
    return this.#update("remove", key, options);
  }

  /** Adds to a number; an absent key counts as 0. */
  increment(key: string, by = 1, options?: UpdateOptions): Promise<Updated<Value>> {
    return this.#update("increment", key, options, by === 1 ? {} : { by });
  }

  /** Sets only when the key's version is this; 0: only when the key is absent. */
  setIf(key: string, value: Value, version: number, options?: UpdateOptions): Promise<Updated<Value>> {
    return this.#update("set_if", key, options, { value: outgoing(value), version });
  }

  /** Sets a number only when it is greater than the present one, or the key is absent. */
  setGreater(key: string, value: Value & number, options?: UpdateOptions): Promise<Updated<Value>> {
    return this.#update("set_greater", key, options, { value: outgoing(value) });
  }

  async #update(op: UpdateOp, key: string, options: UpdateOptions = {}, more: { value?: Outgoing; by?: number; version?: number } = {}): Promise<Updated<Value>> {
    const update = { channel: this.#channel, op, key, ...more, ...lean<UpdateOptions>(options) };
    const { applied = false, value, version = 0, epoch, offset, duplicate = false } = (await this.#request({ update })) as UpdatedBody;
    const position = epoch && offset ? { epoch, offset } : undefined;
    return { applied, value: value as Value | undefined, version, duplicate, ...lean<{ position?: Position }>({ position }) };
  }
}
