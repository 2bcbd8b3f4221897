// What comes over the line was written by anybody: each field is looked at before it is used.

export type Fields = Readonly<Record<string, unknown>>;

/** The fields of a JSON object; none of anything else. */
export function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

export function text(value: unknown, charactersMax: number): string {
  return typeof value === "string" ? value.slice(0, charactersMax) : "";
}

/** A finite number, or the fallback. */
export function number(value: unknown, fallback = 0): number {
  return typeof value === "number" && Number.isFinite(value) ? value : fallback;
}

export function fraction(value: unknown): number {
  return Math.min(1, Math.max(0, number(value)));
}
