// Live cursors: cursor:page keeps nothing, each publication is where somebody's pointer is now. They leave with the page's presence.

import type { Channel } from "@bellwire/client";
import type { Page } from "../page.js";
import { fields, fraction, text } from "../payload.js";
import { watchPointer } from "./pointer.js";
import { CursorView } from "./view.js";

export function startCursors(page: Page, presence: Channel): void {
  const { bellwire, identity, people } = page;
  const channel = page.open("cursor:page");
  const view = new CursorView();

  channel.on("publication", ({ data, from }) => {
    const { user, connection } = from ?? {};
    if (user === undefined || connection === undefined) return;
    const said = fields(data);
    if (said["gone"] === true) return view.remove(connection);
    const person = people.learn(user, said);
    view.move(connection, person, { area: text(said["area"], 20), x: fraction(said["x"]), y: fraction(said["y"]) });
  });
  presence.on("presence", () => {
    const here = new Set<string>();
    for (const { connections = [] } of presence.members.values()) for (const { connection } of connections) here.add(connection);
    for (const connection of view.connections) if (!here.has(connection)) view.remove(connection);
  });
  bellwire.on("state", ({ state }) => {
    if (state !== "connected") view.clear();
  });
  watchPointer((spot) => {
    const { name, tone } = identity.person;
    // Where the pointer was is of no use later: what cannot be sent at once is not sent.
    channel.publish(spot === null ? { gone: true } : { ...spot, name, color: tone }, { echo: false, wait: false }).catch(() => undefined);
  });
}
