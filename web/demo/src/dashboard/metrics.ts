// The figures of one second of the machine, as `bellwire demo` publishes them, and the last five minutes of them.

import { counted } from "../format.js";
import { type Fields, fields, number, text } from "../payload.js";

export interface Sample {
  readonly timeMs: number;
  readonly cpuPercent: number;
  readonly load: readonly [number, number, number];
  readonly memoryUsed: number;
  readonly memoryTotal: number;
  readonly receivedPerSecond: number;
  readonly sentPerSecond: number;
  readonly host: string;
}

export const windowSeconds = 300;

/** The sample in a payload, or null when it has no time: then it is none. */
export function parseSample(payload: unknown): Sample | null {
  const found = fields(payload);
  const timeMs = number(found["time_ms"]);
  if (timeMs <= 0) return null;
  const load = Array.isArray(found["load"]) ? found["load"] : [];
  const memory = fields(found["memory"]);
  const network = fields(found["network"]);
  return {
    timeMs,
    cpuPercent: Math.min(100, Math.max(0, number(found["cpu"]))),
    load: [number(load[0]), number(load[1]), number(load[2])],
    memoryUsed: number(memory["used"]),
    memoryTotal: number(memory["total"]),
    receivedPerSecond: number(network["rx_bytes_per_s"]),
    sentPerSecond: number(network["tx_bytes_per_s"]),
    host: hostText(fields(found["host"])),
  };
}

/** "alder · debian 13 · 8 processors · up 3 days": whatever of it is known. */
function hostText(host: Fields): string {
  const processors = number(host["cpu_count"]);
  const days = Math.floor(number(host["uptime_s"]) / 86_400);
  const parts = [
    text(host["name"], 64),
    text(host["platform"] ?? host["os"], 64),
    processors > 0 ? counted(processors, "processor") : "",
    days > 0 ? `up ${counted(days, "day")}` : "",
  ];
  return parts.filter((part) => part !== "").join(" · ");
}

/** The samples of the window, in the order of their time. */
export class Samples {
  #list: Sample[] = [];

  get list(): readonly Sample[] {
    return this.#list;
  }

  get last(): Sample | undefined {
    return this.#list[this.#list.length - 1];
  }

  /** Takes a sample; one that is not newer than the last is dropped, as a clock that was set back gives. */
  add(sample: Sample): void {
    const last = this.last;
    if (last !== undefined && sample.timeMs <= last.timeMs) {
      if (last.timeMs - sample.timeMs < windowSeconds * 1000) return;
      this.#list = [];
    }
    this.#list.push(sample);
    const oldest = sample.timeMs - windowSeconds * 1000;
    const keep = this.#list.findIndex((kept) => kept.timeMs >= oldest);
    if (keep > 0) this.#list.splice(0, keep);
  }

  /**
   * Columns for a plot: seconds, then the values of each series. Where samples are missing for more than `gapSeconds`
   * a null breaks the line: nothing was measured there, and nothing is pretended.
   */
  columns(values: readonly ((sample: Sample) => number)[], gapSeconds = 5): [number[], ...(number | null)[][]] {
    const times: number[] = [];
    const rows: (number | null)[][] = values.map(() => []);
    let before: number | undefined;
    for (const sample of this.#list) {
      const seconds = sample.timeMs / 1000;
      if (before !== undefined && seconds - before > gapSeconds) {
        times.push((before + seconds) / 2);
        for (const row of rows) row.push(null);
      }
      times.push(seconds);
      values.forEach((value, index) => rows[index]?.push(value(sample)));
      before = seconds;
    }
    return [times, ...rows];
  }
}
