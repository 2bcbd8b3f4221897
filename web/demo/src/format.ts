// Numbers and times as a person reads them.

const integers = new Intl.NumberFormat("en");
const clock = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const clockSeconds = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

export function count(value: number): string {
  return integers.format(value);
}

/** "1 vote", "12 votes". */
export function counted(value: number, one: string, many = one + "s"): string {
  return `${integers.format(value)} ${value === 1 ? one : many}`;
}

const units = ["B", "kB", "MB", "GB", "TB"];

/** Bytes with three digits at most: "980 B", "12.4 kB", "1.20 MB". Decimal units. */
export function bytes(value: number): string {
  const sign = value < 0 ? "−" : "";
  let rest = Math.abs(value);
  let unit = 0;
  while (rest >= 999.5 && unit < units.length - 1) {
    rest /= 1000;
    unit++;
  }
  const digits = unit === 0 || rest >= 99.95 ? 0 : rest >= 9.995 ? 1 : 2;
  return `${sign}${rest.toFixed(digits)} ${units[unit] ?? ""}`;
}

/** Milliseconds: "0.8 ms", "12 ms", "1.4 s". */
export function duration(milliseconds: number): string {
  if (milliseconds < 9.95) return `${milliseconds.toFixed(1)} ms`;
  if (milliseconds < 999.5) return `${milliseconds.toFixed(0)} ms`;
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

/** How long something took, as one says it: "a moment", "8 s", "3 min", "2 h". */
export function span(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 2) return "a moment";
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

export function timeOfDay(instantMs: number): string {
  return clock.format(instantMs);
}

export function timeOfDayExact(instantMs: number): string {
  return clockSeconds.format(instantMs);
}

/** "a", "a and b", "a, b and c". */
export function listed(names: readonly string[]): string {
  const last = names[names.length - 1] ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} and ${last}`;
}
