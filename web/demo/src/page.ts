// What the parts of the page share.

import type { Bellwire, Channel, ChannelOptions } from "@bellwire/client";
import type { Identity } from "./person/identity.js";
import { People } from "./person/people.js";

export class Page {
  readonly bellwire: Bellwire;
  readonly identity: Identity;
  readonly people = new People();
  readonly #channels: Channel[] = [];

  constructor(bellwire: Bellwire, identity: Identity) {
    this.bellwire = bellwire;
    this.identity = identity;
  }

  /** The channels of all parts, in the order in which they were opened. */
  get channels(): readonly Channel[] {
    return this.#channels;
  }

  /** Subscribes, from now on and over every loss of the line. */
  open(name: string, options: ChannelOptions = {}): Channel {
    const channel = this.bellwire.channel(name, options);
    void channel.subscribe();
    this.#channels.push(channel);
    return channel;
  }
}
