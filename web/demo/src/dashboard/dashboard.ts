// The machine on which the server runs: metrics:host has one publication a second, and its history fills the charts at once.

import { find, oncePerFrame, setText } from "../dom.js";
import { bytes } from "../format.js";
import type { Page } from "../page.js";
import { Chart, type ChartOptions } from "./chart.js";
import { parseSample, type Sample, Samples, windowSeconds } from "./metrics.js";
import { roundUp } from "./scale.js";

const gigabyte = 1e9;

const charts: readonly ChartOptions[] = [
  {
    title: "Processors",
    series: [{ label: "used", value: (sample) => sample.cpuPercent }],
    now: (sample) => `${sample.cpuPercent.toFixed(0)} %`,
    tick: (value) => `${value} %`,
    top: () => 100,
  },
  {
    title: "Memory",
    series: [{ label: "used", value: (sample) => sample.memoryUsed }],
    now: (sample) => `${bytes(sample.memoryUsed)} of ${bytes(sample.memoryTotal)}`,
    tick: (value) => `${+(value / gigabyte).toFixed(1)} GB`,
    top: (greatest, last) => last?.memoryTotal || roundUp(greatest),
  },
  {
    title: "Network",
    series: [
      { label: "received", value: (sample) => sample.receivedPerSecond },
      { label: "sent", value: (sample) => sample.sentPerSecond },
    ],
    now: (sample) => `↓ ${bytes(sample.receivedPerSecond)}/s  ↑ ${bytes(sample.sentPerSecond)}/s`,
    tick: (value) => bytes(value),
    top: (greatest) => roundUp(Math.max(greatest * 1.1, 10_000)),
  },
  {
    title: "Load",
    series: [
      { label: "1 min", value: (sample) => sample.load[0] },
      { label: "5 min", value: (sample) => sample.load[1] },
      { label: "15 min", value: (sample) => sample.load[2] },
    ],
    now: (sample) => sample.load.map((value) => value.toFixed(2)).join("  "),
    tick: (value) => String(+value.toFixed(2)),
    top: (greatest) => roundUp(Math.max(greatest * 1.1, 1)),
  },
];

export function startDashboard(page: Page): void {
  const channel = page.open("metrics:host", { rewind: windowSeconds });
  const samples = new Samples();
  const made = charts.map((options) => new Chart(options, samples));
  find("charts", HTMLElement).append(...made.map((chart) => chart.root));
  const note = find("dashboard-host", HTMLElement);
  const draw = oncePerFrame(() => {
    for (const chart of made) chart.draw();
    const host = samples.last?.host ?? "";
    if (host !== "") setText(note, host);
  });

  channel.on("publication", ({ data }) => {
    const sample: Sample | null = parseSample(data);
    if (sample === null) return;
    samples.add(sample);
    draw();
  });
}
