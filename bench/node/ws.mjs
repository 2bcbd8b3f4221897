// A small broadcast server on the ws package, for measuring it. Run with --expose-gc.
//
// It prints "listening PORT" and takes commands on standard input, each answered by "ok": gc collects garbage.
// A message "S" is answered by "OK" and makes its line a subscriber; any other is sent to each subscriber and answered by "OK".
import { createInterface } from "node:readline";
import { WebSocketServer } from "ws";

const subscribers = new Set();
const server = new WebSocketServer({ host: "127.0.0.1", port: 0, backlog: 4096 });
server.on("listening", () => console.log(`listening ${server.address().port}`));
server.on("connection", (line) => {
  line.on("message", (data, isBinary) => {
    if (data.length === 1) {
      subscribers.add(line);
    } else {
      for (const each of subscribers) each.send(data, { binary: isBinary });
    }
    line.send("OK");
  });
  line.on("close", () => subscribers.delete(line));
  line.on("error", () => line.terminate());
});
const commands = createInterface({ input: process.stdin });
commands.on("line", (command) => {
  if (command === "gc") globalThis.gc();
  console.log("ok");
});
commands.on("close", () => process.exit(0));
