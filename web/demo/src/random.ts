const alphabet = "abcdefghijkmnpqrstuvwxyz23456789";

/** So many letters and digits that nobody can foresee, without those that look alike. Five bits each. */
export function randomText(length: number): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(length)), (byte) => alphabet[byte % alphabet.length]).join("");
}
