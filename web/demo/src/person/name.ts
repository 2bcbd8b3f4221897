// Names of people: friendly ones to begin with, and what is accepted of those they choose.

export const nameCharactersMax = 32;
export const tones = 12;

const manners = [
  "Amber", "Brisk", "Calm", "Clever", "Cosy", "Curious", "Gentle", "Golden", "Happy", "Honest", "Jolly", "Kind",
  "Lively", "Lucky", "Merry", "Mellow", "Nimble", "Patient", "Proud", "Quiet", "Rapid", "Silver", "Sunny", "Witty",
];
const animals = [
  "Otter", "Heron", "Badger", "Falcon", "Lynx", "Marten", "Robin", "Beaver", "Finch", "Hare", "Ibis", "Jackdaw",
  "Kestrel", "Lark", "Mole", "Newt", "Owl", "Puffin", "Quail", "Raven", "Seal", "Swift", "Tern", "Wren",
];

function pick<T>(list: readonly T[], random: () => number): T {
  return list[Math.floor(random() * list.length)] as T;
}

export function friendlyName(random: () => number = Math.random): string {
  return `${pick(manners, random)} ${pick(animals, random)}`;
}

/** A name as it is shown: no control or direction characters, single spaces, bounded; empty when nothing is left. */
export function cleanName(raw: string): string {
  const plain = raw.replace(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu, " ").replace(/\s+/gu, " ").trim();
  return Array.from(plain).slice(0, nameCharactersMax).join("");
}

/** One or two letters that stand for the name. */
export function initials(name: string): string {
  const words = name.split(" ").filter((word) => word !== "");
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : [words[0]];
  const first = letters.map((word) => Array.from(word ?? "")[0] ?? "").join("");
  return first === "" ? "?" : first.toUpperCase();
}

/** A tone from 0 to 11 of whatever came; unknown ones are told apart by the user's name. */
export function toneOf(value: unknown, user: string): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value < tones) return value;
  let sum = 0;
  for (const character of user) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 4093;
  return sum % tones;
}
