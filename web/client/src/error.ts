import { disconnectCodes, errorCodes, retries, unsubscribeCodes } from "./codes.js";
import type { ErrorBody } from "./message.js";

/** What went wrong, by the code of the protocol (spec/codes.json), whether the server or the client says so. */
export class BellwireError extends Error {
  /** The code, such as 103. Unknown codes of a newer server keep their number; their range says what they are. */
  readonly code: number;
  /** The code's name, such as `permission_denied`, to be compared; the message is for people. */
  override readonly name: string;
  /** Whether the same thing may succeed later (COD-1). */
  readonly retry: boolean;

  constructor(code: number, message?: string, name = codeName(code)) {
    super(message || name);
    this.code = code;
    this.name = name;
    this.retry = retries(code);
  }
}

export function errorOf({ code, message, name }: ErrorBody): BellwireError {
  return new BellwireError(code, message, name);
}

function codeName(code: number): string {
  const all = Object.entries({ ...errorCodes, ...unsubscribeCodes, ...disconnectCodes });
  return all.find(([, known]) => known === code)?.[0] ?? `code_${code}`;
}
