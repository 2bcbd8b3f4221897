"""A peer of the interop tests: websockets for Python, as many servers and clients as asked for.

Requests and reports are lines of JSON on standard input and output; see process_test.go.
"""

import asyncio
import json
import sys

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory,
    ServerPerMessageDeflateFactory,
)

WINDOW_BITS = 9


def report(**event):
    print(json.dumps(event), flush=True)


def extensions(factory, mode):
    """What websockets is told about compression."""
    if mode == "off":
        return None
    if mode == "no-takeover":
        return [factory(server_no_context_takeover=True, client_no_context_takeover=True)]
    if mode == "takeover":
        if factory is ClientPerMessageDeflateFactory:
            return [factory(client_max_window_bits=True)]
        return [factory()]
    return [factory(server_max_window_bits=WINDOW_BITS, client_max_window_bits=WINDOW_BITS)]


def fragments(size, count):
    """Text whose characters have one to four bytes, cut inside of them; the first fragment is empty."""
    message = "x\u00e9\u20ac\U0001f514".encode() * (size // 10)
    pieces = [b""]
    for i in range(count - 1):
        pieces.append(message[len(message) * i // (count - 1) : len(message) * (i + 1) // (count - 1)])
    return pieces


async def send_fragments(connection, size, count):
    """Sends them with a ping after the first."""

    async def pieces():
        for i, piece in enumerate(fragments(size, count)):
            yield piece
            if i == 0:
                await connection.ping()

    await connection.send(pieces(), text=True)


async def ping(connection, payload):
    pong = await connection.ping(payload)
    await pong
    await connection.send("pong " + payload)


class Peer:
    def __init__(self):
        self.tasks = set()
        self.stops = {}

    def start(self, coroutine):
        task = asyncio.create_task(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def obey(self, connection, request, fragmented_bytes):
        verb, _, rest = request.partition(" ")
        if verb == "fragments":
            await send_fragments(connection, fragmented_bytes, int(rest))
        elif verb == "ping":
            self.start(ping(connection, rest))
        elif verb == "close":
            code, _, reason = rest.partition(" ")
            await connection.close(int(code), reason)

    async def echo(self, connection, id, fragmented_bytes):
        try:
            while True:
                message = await connection.recv()
                if isinstance(message, str) and message.startswith("do:"):
                    await self.obey(connection, message[3:], fragmented_bytes)
                else:
                    await connection.send(message)
        except ConnectionClosed as closed:
            if closed.rcvd is not None:
                report(id=id, event="closed", code=closed.rcvd.code, reason=closed.rcvd.reason)
        finally:
            await connection.close()

    async def serve(self, request):
        id, stop = request["id"], asyncio.Event()
        self.stops[id] = stop

        async def handle(connection):
            report(id=id, event="opened", subprotocol=connection.subprotocol or "", extensions="")
            await self.echo(connection, id, request["fragmentedBytes"])

        async with serve(
            handle,
            "127.0.0.1",
            0,
            max_size=None,
            compression=None,
            extensions=extensions(ServerPerMessageDeflateFactory, request["mode"]),
            subprotocols=[request["subprotocol"]],
        ) as server:
            report(id=id, event="serving", port=server.sockets[0].getsockname()[1])
            await stop.wait()

    async def dial(self, request):
        id = request["id"]
        async with connect(
            request["url"],
            max_size=None,
            compression=None,
            proxy=None,
            extensions=extensions(ClientPerMessageDeflateFactory, request["mode"]),
            subprotocols=request["subprotocols"],
        ) as connection:
            report(
                id=id,
                event="opened",
                subprotocol=connection.subprotocol or "",
                extensions=connection.response.headers.get("Sec-WebSocket-Extensions", ""),
            )
            await self.echo(connection, id, request["fragmentedBytes"])

    async def run(self):
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            request = json.loads(line)
            if request["action"] == "serve":
                self.start(self.serve(request))
            elif request["action"] == "dial":
                self.start(self.dial(request))
            else:
                self.stops.pop(request["id"]).set()


asyncio.run(Peer().run())
