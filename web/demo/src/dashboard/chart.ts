// One chart of the dashboard: a title, the present figure and the last five minutes of one to three series.

import uPlot from "uplot";
import { element, oncePerFrame, setText } from "../dom.js";
import { timeOfDayExact } from "../format.js";
import { colour, onTheme } from "../theme.js";
import { type Sample, type Samples, windowSeconds } from "./metrics.js";

export interface ChartOptions {
  readonly title: string;
  readonly series: readonly { readonly label: string; readonly value: (sample: Sample) => number }[];
  /** The present figure. */
  readonly now: (sample: Sample) => string;
  /** A value on the axis. */
  readonly tick: (value: number) => string;
  /** The top of the axis for the greatest value shown. */
  readonly top: (greatest: number, last: Sample | undefined) => number;
}

const height = 128;
const axisWidth = 52;

export class Chart {
  readonly root: HTMLElement;
  readonly #options: ChartOptions;
  readonly #samples: Samples;
  readonly #plotPlace = element("div", { class: "chart-plot" });
  readonly #empty = element("div", { class: "chart-empty" }, "Waiting for the first figures");
  readonly #now = element("span", { class: "chart-now" }, "–");
  readonly #title: HTMLElement;
  #plot: uPlot | null = null;

  constructor(options: ChartOptions, samples: Samples) {
    this.#options = options;
    this.#samples = samples;
    this.#title = element("span", { class: "chart-title" }, options.title);
    const keys = options.series.length < 2 ? [] : options.series.map(({ label }, index) =>
      element("span", { class: `chart-key series-${index}` }, label));
    this.#plotPlace.append(this.#empty);
    this.root = element("figure", { class: "chart", attributes: { role: "group", "aria-label": options.title } },
      element("figcaption", { class: "chart-head" }, this.#title, this.#now),
      this.#plotPlace,
      element("div", { class: "chart-legend", attributes: { "aria-hidden": "true" } }, ...keys));
    const resize = oncePerFrame(() => this.#plot?.setSize({ width: this.#plotPlace.clientWidth, height }));
    new ResizeObserver(resize).observe(this.#plotPlace);
    onTheme(() => this.#rebuild());
  }

  draw(): void {
    if (this.#samples.list.length === 0) return;
    this.#empty.hidden = true;
    if (this.#plot === null) this.#rebuild();
    else this.#plot.setData(this.#columns());
    this.#showFigure(null);
  }

  #columns(): uPlot.AlignedData {
    return this.#samples.columns(this.#options.series.map(({ value }) => value));
  }

  /** uPlot takes its colours when it is made. */
  #rebuild(): void {
    if (this.#samples.list.length === 0) return;
    this.#plot?.destroy();
    this.#plot = new uPlot(this.#plotOptions(), this.#columns(), this.#plotPlace);
    this.#plotPlace.dataset["points"] = String(this.#samples.list.length);
  }

  #plotOptions(): uPlot.Options {
    const colours = [colour("brass"), "oklch(0.62 0.12 235)", "oklch(0.6 0.1 165)"];
    const axis = { stroke: colour("ink-soft"), font: `11px ${colour("font")}`, ticks: { show: false } };
    const grid = { stroke: colour("rule"), width: 1 };
    return {
      width: this.#plotPlace.clientWidth, height,
      padding: [8, 8, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, sync: { key: "host" }, points: { size: 7 } },
      scales: {
        x: { time: true, range: () => this.#window() },
        y: { range: (_plot, _min, greatest) => [0, this.#options.top(greatest ?? 0, this.#samples.last)] },
      },
      axes: [
        { ...axis, grid: { show: false }, size: 24, space: 60, values: (_plot, splits) => splits.map((seconds) => timeOfDayExact(seconds * 1000).slice(0, 5)), incrs: [60, 120, 300] },
        { ...axis, grid, size: axisWidth, gap: 6, space: 34, values: (_plot, splits) => splits.map(this.#options.tick) },
      ],
      series: [{}, ...this.#options.series.map(({ label }, index) => ({
        label, stroke: colours[index] ?? colour("ink"), width: 1.75,
        ...(this.#options.series.length === 1 ? { fill: colour("brass-soft") } : {}),
        points: { show: false },
      }))],
      hooks: { setCursor: [(plot) => this.#showFigure(plot.cursor.idx ?? null)] },
    };
  }

  /** Always the whole window, so that the line moves through it and its scale stays. */
  #window(): [number, number] {
    const last = (this.#samples.last?.timeMs ?? 0) / 1000;
    return [last - windowSeconds, last];
  }

  /** The figure under the pointer with its time, or the present one. */
  #showFigure(index: number | null): void {
    const seconds = index === null ? undefined : this.#plot?.data[0][index];
    const pointed = seconds === undefined ? undefined : this.#samples.list.find((sample) => sample.timeMs === Math.round(seconds * 1000));
    const sample = pointed ?? this.#samples.last;
    if (sample === undefined) return;
    setText(this.#now, this.#options.now(sample));
    setText(this.#title, pointed === undefined ? this.#options.title : `${this.#options.title}, ${timeOfDayExact(pointed.timeMs)}`);
    this.#plotPlace.dataset["points"] = String(this.#samples.list.length);
  }
}
