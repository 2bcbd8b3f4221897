// What a break of the line meant, from the answers of the server to our positions. Values only.

import { counted, span } from "../format.js";

export interface Answer {
  readonly offset: number;
  readonly top: number;
  /** Absent where no position was given. */
  readonly recovered?: boolean;
}

export interface Missed {
  readonly from: number;
  /** Absent: nobody knows how much (SUB-6). */
  readonly to?: number;
}

/** Collects the answers of one return. */
export class Outcome {
  #replayed = 0;
  #missing = 0;
  #restarted = false;

  answered(answer: Answer): void {
    if (answer.recovered === true) this.#replayed += Math.max(0, answer.top - answer.offset);
  }

  missed(missed: Missed): void {
    if (missed.to === undefined) this.#restarted = true;
    else this.#missing += missed.to - missed.from + 1;
  }

  /** What is told to the person. `awayMs`: how long the line was gone. */
  text(awayMs: number): string {
    const back = `Back after ${span(awayMs)}.`;
    if (this.#restarted) return `${back} The server was restarted and its history of before is gone. This is the present.`;
    const replayed = this.#replayed === 0 ? "Nothing happened meanwhile" : `${counted(this.#replayed, "event")} replayed`;
    if (this.#missing > 0) return `${back} ${replayed}; ${counted(this.#missing, "event")} had already been forgotten by the server.`;
    return `${back} ${replayed}, nothing was missed.`;
  }
}
