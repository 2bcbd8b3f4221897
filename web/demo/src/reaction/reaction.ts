// Reactions: the state of reaction:lobby counts them, and each change of it is one emoji in the air.

import { oncePerFrame } from "../dom.js";
import type { Page } from "../page.js";
import { ReactionCounts } from "./counts.js";
import { floatUp } from "./float.js";
import { ReactionView } from "./view.js";

const floatsForOneChange = 5;

export function startReactions(page: Page): void {
  const channel = page.open("reaction:lobby", { state: true });
  const counts = new ReactionCounts();
  const view = new ReactionView((emoji) => {
    // Kept by the client while the line is down, sent once when it is back.
    channel.update.increment(emoji).catch(() => undefined);
  });
  const draw = oncePerFrame(() => view.draw(counts));

  channel.on("stateChanged", (change) => {
    if (change.reset) counts.clear();
    for (const key of change.removed) counts.set(key, 0);
    for (const { key, value } of change.set) {
      const rings = counts.set(key, value);
      if (change.reset || change.replayed || rings === 0) continue;
      view.rung(key);
      const person = page.people.get(change.from?.user ?? "");
      for (let ring = 0; ring < Math.min(rings, floatsForOneChange); ring++) floatUp(key, person);
    }
    draw();
  });
}
