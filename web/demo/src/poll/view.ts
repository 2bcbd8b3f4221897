import { element, find, setText } from "../dom.js";
import { count, counted } from "../format.js";
import { showAvatars } from "../person/avatar.js";
import type { People } from "../person/people.js";
import { options, type Tally } from "./tally.js";

interface Option {
  readonly input: HTMLInputElement;
  readonly bar: HTMLElement;
  readonly voters: HTMLElement;
  readonly share: HTMLElement;
  readonly votes: HTMLElement;
}

const votersMax = 4;
const normalNote = "One vote a person. You can change yours.";

export class PollView {
  readonly #options = new Map<string, Option>();
  readonly #note = find("poll-note", HTMLElement);

  constructor(vote: (choice: string) => void) {
    for (const { choice, label, emoji } of options) {
      const input = element("input", { attributes: { type: "radio", name: "poll", value: choice }, on: { change: () => vote(choice) } });
      const made: Option = {
        input,
        bar: element("span", { class: "poll-bar" }),
        voters: element("span", { class: "poll-voters", attributes: { "aria-hidden": "true" } }),
        share: element("span", { class: "poll-share" }, "0 %"),
        votes: element("span", { class: "poll-count" }, "0 votes"),
      };
      this.#options.set(choice, made);
      find("poll-options", HTMLElement).append(element("label", { class: "poll-option", attributes: { "data-choice": choice } },
        input, made.bar,
        element("span", { class: "poll-emoji", attributes: { "aria-hidden": "true" } }, emoji),
        element("span", { class: "poll-label" }, label, element("span", { class: "poll-mine" }, "your vote"), made.voters),
        element("span", { class: "poll-figures" }, made.share, made.votes)));
    }
  }

  draw(tally: Tally, self: string, wanted: string | null, people: People): void {
    const mine = wanted ?? tally.of(self);
    for (const share of tally.shares()) {
      const option = this.#options.get(share.choice);
      if (option === undefined) continue;
      option.bar.style.transform = `scaleX(${share.fraction})`;
      option.input.checked = share.choice === mine;
      setText(option.share, `${share.percent} %`);
      setText(option.votes, counted(share.votes, "vote"));
      showAvatars(option.voters, share.voters.map((user) => people.get(user)), votersMax, "small");
    }
    setText(find("poll-total", HTMLElement), count(tally.total));
    setText(find("poll-total-unit", HTMLElement), tally.total === 1 ? "vote" : "votes");
  }

  /** A sentence below the options; null for the usual one. */
  note(text: string | null, bad = false): void {
    setText(this.#note, text ?? normalNote);
    this.#note.classList.toggle("poll-note-bad", bad);
  }
}
