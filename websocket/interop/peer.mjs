// A peer of the interop tests: ws for Node.js, as many servers and clients as asked for. Requests and reports are
// lines of JSON on standard input and output; see process_test.go.
import { createServer } from "node:http2";
import { createInterface } from "node:readline";
import { WebSocket, WebSocketServer } from "ws";

const messageMax = 32 << 20;
const windowBits = 9;
const servers = new Map();

const report = (event) => process.stdout.write(JSON.stringify(event) + "\n");

/** What ws is told about compression. */
function deflateOptions(mode) {
  switch (mode) {
    case "off":
      return false;
    case "no-takeover":
      return { threshold: 1, serverNoContextTakeover: true, clientNoContextTakeover: true };
    case "takeover":
      return { threshold: 1 };
    case "window":
      return { threshold: 1, serverMaxWindowBits: windowBits, clientMaxWindowBits: windowBits };
  }
  throw new Error(`unknown mode ${mode}`);
}

/** Text whose characters have one to four bytes, ten together. */
const alphabet = (bytes) => Buffer.from("xé€🔔".repeat(bytes / 10));

/** Sends a message in fragments, the first one empty, with a ping after it. */
function sendFragments(socket, message, count) {
  const options = { binary: false, compress: true };
  socket.send(Buffer.alloc(0), { ...options, fin: false });
  socket.ping();
  for (let i = 0; i < count - 1; i++) {
    const from = Math.floor((message.length * i) / (count - 1));
    const to = Math.floor((message.length * (i + 1)) / (count - 1));
    socket.send(message.subarray(from, to), { ...options, fin: i === count - 2 });
  }
}

function obey(socket, request, fragmentedBytes) {
  const [verb, ...words] = request.split(" ");
  switch (verb) {
    case "fragments":
      return sendFragments(socket, alphabet(fragmentedBytes), Number(words[0]));
    case "ping":
      return socket.ping(words.join(" "));
    case "close":
      return Number(words[0]) === 1005 ? socket.close() : socket.close(Number(words[0]), words.slice(1).join(" "));
  }
  throw new Error(`unknown request ${verb}`);
}

function echo(socket, id, fragmentedBytes) {
  socket.on("message", (message, isBinary) => {
    if (!isBinary && message.subarray(0, 3).toString() === "do:") {
      obey(socket, message.subarray(3).toString(), fragmentedBytes);
    } else {
      socket.send(message, { binary: isBinary });
    }
  });
  socket.on("pong", (payload) => {
    if (payload.length > 0) socket.send(`pong ${payload}`);
  });
  socket.on("close", (code, reason) => report({ id, event: "closed", code, reason: reason.toString() }));
  socket.on("error", (error) => report({ id, event: "error", reason: String(error) }));
}

/** A server whose connections are streams of HTTP/2 (RFC 8441), which ws takes for sockets. */
function serveHTTP2({ id, subprotocol, fragmentedBytes }) {
  const server = createServer({ settings: { enableConnectProtocol: true } });
  servers.set(id, server);
  server.on("stream", (stream, headers) => {
    if (headers[":method"] !== "CONNECT" || headers[":protocol"] !== "websocket" || headers["sec-websocket-version"] !== "13") {
      stream.respond({ ":status": 400 }, { endStream: true });
      return;
    }
    stream.respond({ ":status": 200, "sec-websocket-protocol": subprotocol });
    stream.setNoDelay = () => {};
    const socket = new WebSocket(null, undefined, { autoPong: true });
    echo(socket, id, fragmentedBytes);
    socket.setSocket(stream, Buffer.alloc(0), { maxPayload: messageMax });
    report({ id, event: "opened", subprotocol, extensions: "" });
  });
  server.listen(0, "127.0.0.1", () => report({ id, event: "serving", port: server.address().port }));
}

const actions = {
  serve({ id, mode, subprotocol, fragmentedBytes, http2 }) {
    if (http2) return serveHTTP2({ id, subprotocol, fragmentedBytes });
    const server = new WebSocketServer({
      host: "127.0.0.1",
      port: 0,
      maxPayload: messageMax,
      perMessageDeflate: deflateOptions(mode),
      handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
    });
    servers.set(id, server);
    server.on("listening", () => report({ id, event: "serving", port: server.address().port }));
    server.on("connection", (socket) => {
      report({ id, event: "opened", subprotocol: socket.protocol, extensions: "" });
      echo(socket, id, fragmentedBytes);
    });
  },
  stop({ id }) {
    servers.get(id)?.close();
    servers.delete(id);
  },
  dial({ id, url, mode, subprotocols, fragmentedBytes }) {
    const socket = new WebSocket(url, subprotocols, {
      maxPayload: messageMax,
      perMessageDeflate: deflateOptions(mode),
    });
    let extensions = "";
    socket.on("upgrade", (response) => (extensions = response.headers["sec-websocket-extensions"] ?? ""));
    socket.on("open", () => report({ id, event: "opened", subprotocol: socket.protocol, extensions }));
    echo(socket, id, fragmentedBytes);
  },
};

const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const request = JSON.parse(line);
  actions[request.action](request);
});
lines.on("close", () => process.exit(0));
