// The poll: each user has one key in the state of poll:lunch, which only they may change (STA-7), so nobody votes twice.

import { oncePerFrame } from "../dom.js";
import type { Page } from "../page.js";
import { fields } from "../payload.js";
import { Tally } from "./tally.js";
import { PollView } from "./view.js";

export function startPoll(page: Page): void {
  const { identity, people } = page;
  const channel = page.open("poll:lunch", { state: true });
  const tally = new Tally();
  const { user } = identity.person;
  /** Chosen here and not answered yet. */
  let wanted: string | null = null;

  const view = new PollView((choice) => {
    wanted = choice;
    view.note(null);
    draw();
    const { name, tone } = identity.person;
    channel.update.set(user, { choice, name, color: tone }).then(
      () => {
        if (wanted === choice) wanted = null;
        draw();
      },
      () => {
        if (wanted === choice) wanted = null;
        view.note("Your vote did not get through. Choose again.", true);
        draw();
      });
  });
  const draw = oncePerFrame(() => view.draw(tally, user, wanted, people));

  channel.on("stateChanged", (change) => {
    if (change.reset) tally.clear();
    for (const { key, value } of change.set) {
      tally.set(key, fields(value)["choice"]);
      if (!people.knows(key)) people.learn(key, value); // whoever is here may have another name by now
    }
    for (const key of change.removed) tally.remove(key);
    draw();
  });
  draw();
}
