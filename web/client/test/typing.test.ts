// What the types promise. Most of this file is checked by the compiler alone; it runs so that it cannot be forgotten.

import { test } from "node:test";
import { Bellwire, BellwireError, type Channel, type Publication, type Published } from "@bellwire/client";
import { FakePlatform, FakeWebSocket } from "./fake.js";

/** Compiles only when both are exactly the same type. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Same<A, B>): void {}

interface Message {
  text: string;
}

test("payload types go through", () => {
  const bellwire = new Bellwire("ws://a/ws", { webSocket: FakeWebSocket, platform: new FakePlatform() });
  const chat = bellwire.channel<Message, number>("chat:a");
  same<typeof chat, Channel<Message, number>>(true);
  chat.on("publication", (publication) => same<typeof publication, Publication<Message>>(true));
  chat.on("stateChanged", ({ set }) => same<(typeof set)[number]["value"], number>(true));
  same<ReturnType<typeof chat.publish>, Promise<Published>>(true);
  same<typeof chat.state, ReadonlyMap<string, number>>(true);
  same<Awaited<ReturnType<typeof chat.history>>["publications"][number]["data"], string | Message>(false);
  same<Awaited<ReturnType<typeof chat.history>>["publications"][number]["data"], Message>(true);
  // @ts-expect-error: not what this channel carries
  void chat.publish({ txt: "x" }, { wait: false });
  // @ts-expect-error: an event that does not exist
  chat.on("message", () => {});
  // @ts-expect-error: a mode that does not exist
  bellwire.channel("chat:b", { presence: "all" });
  // @ts-expect-error: the value has another type
  chat.update.set("k", "text").catch(() => {});
  // @ts-expect-error: members are not to be changed
  chat.members.set;

  const untyped = bellwire.channel("chat:c");
  untyped.on("publication", ({ data }) => same<typeof data, unknown>(true));
  const loop = async (): Promise<string[]> => {
    const texts: string[] = [];
    for await (const { data } of chat.publications()) texts.push(data.text);
    return texts;
  };
  same<ReturnType<typeof loop>, Promise<string[]>>(true);
  same<BellwireError["code"], number>(true);
  bellwire.close();
});
