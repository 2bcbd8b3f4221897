// The line itself: every message on it, its size, and the time that a question and its answer take.

import type { Connection } from "../connection/connection.js";
import type { Page } from "../page.js";
import { fields } from "../payload.js";
import { describe } from "./event.js";
import { Meter, pollingHeaders } from "./meter.js";
import { MonitorView } from "./view.js";

const pingEveryMs = 2000;
const figuresEveryMs = 500;

export function startMonitor(page: Page, connection: Connection): void {
  const { bellwire } = page;
  const view = new MonitorView();
  const meter = new Meter();
  let headers = pollingHeaders(location.host, navigator.userAgent, 0);
  let events = 0;
  let passedAtMs = performance.now();

  bellwire.on("line", ({ direction, message, bytes }) => {
    if (direction === "in") meter.received(bytes);
    else meter.sent(bytes);
    const { token } = fields(fields(message)["connect"]);
    if (typeof token === "string") headers = pollingHeaders(location.host, navigator.userAgent, token.length);
    view.add({ key: String(++events), timeMs: Date.now(), direction, bytes, ...describe(message) });
  });
  bellwire.on("state", ({ state }) => {
    if (state === "connected") meter.opened();
    view.transport(state === "connected" ? "WebSocket · bellwire.v1.json" : "no line");
  });
  bellwire.on("roundTrip", ({ ms }) => {
    view.roundTrip(ms);
    connection.roundTrip(ms);
  });

  setInterval(() => {
    const now = performance.now();
    if (bellwire.state === "connected") meter.passed((now - passedAtMs) / 1000, page.channels.length);
    passedAtMs = now;
    view.figures(meter, headers, page.channels.length);
  }, figuresEveryMs);
  setInterval(() => {
    if (bellwire.state === "connected" && !document.hidden) bellwire.ping().catch(() => undefined);
  }, pingEveryMs);
}
