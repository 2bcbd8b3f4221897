import { sizeOf } from "../codec/json.js";
import type { Command } from "../message.js";

/** One command of the application on its way to its answer. */
export interface Request {
  readonly number: number;
  readonly command: Command;
  readonly bytes: number;
  /** CLI-7: idempotent, so it is sent again on the next line. */
  readonly resend: boolean;
  /** On this line or an earlier one, so that it may have been carried out. */
  wasSent?: boolean;
}

/** The application's commands that were not sent yet, and the count of all that have no answer (CLI-7). */
export class Requests {
  readonly waiting: Request[] = [];
  #count = 0;
  #bytes = 0;
  readonly #countMax: number;
  readonly #bytesMax: number;

  constructor(countMax: number, bytesMax: number) {
    this.#countMax = countMax;
    this.#bytesMax = bytesMax;
  }

  /** Takes a command to be sent; false when there are too many already. */
  add(number: number, command: Command, resend: boolean): boolean {
    const bytes = sizeOf({ id: 1, ...command });
    if (this.#count >= this.#countMax || this.#bytes + bytes > this.#bytesMax) return false;
    this.#count++;
    this.#bytes += bytes;
    this.waiting.push({ number, command, bytes, resend });
    return true;
  }

  /** The command has its answer, or will have none. */
  done(request: Request): void {
    this.#count--;
    this.#bytes -= request.bytes;
  }
}
