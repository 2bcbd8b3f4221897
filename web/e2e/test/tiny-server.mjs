// A server that speaks just enough HTTP for the tests of the harness: `serve --dev --listen host:port`.
// /readyz, a page that counts the ticks of /events and shows which life of the server they come from, /broken with an error.

import { createServer } from "node:http";

const [host, port] = process.argv[process.argv.indexOf("--listen") + 1].split(":");
const life = String(process.pid);

const page = `<!doctype html><title>tiny</title><link rel="icon" href="data:,">
<output id="state">waiting</output> <output id="life"></output> <output id="ticks">0</output>
<script>
  let ticks = 0;
  const show = (id, text) => (document.getElementById(id).textContent = text);
  addEventListener("offline", () => show("state", "offline"));
  function open() {
    const events = new EventSource("/events");
    events.onmessage = (event) => {
      show("state", "connected");
      show("life", event.data);
      show("ticks", ++ticks);
    };
    events.onerror = () => {
      if (navigator.onLine) show("state", "waiting");
      events.close();
      setTimeout(open, 50);
    };
  }
  open();
</script>`;

const broken = `<!doctype html><link rel="icon" href="data:,"><script>console.error("on purpose"); throw new Error("also on purpose");</script>`;

function answer(request, response) {
  if (request.url === "/events") {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const timer = setInterval(() => response.write(`data: ${life}\n\n`), 20);
    response.on("close", () => clearInterval(timer));
  } else if (request.url === "/readyz") {
    response.end("ready\n");
  } else {
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.end(request.url === "/broken" ? broken : page);
  }
}

const server = createServer(answer).listen(Number(port), host);
console.log("listening");
process.on("SIGTERM", () => {
  console.log("draining");
  server.closeAllConnections();
  server.close(() => process.exit(0));
});
