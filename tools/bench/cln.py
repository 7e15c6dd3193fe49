"""A CLN with little overhead: it sends prepared responses after a latency, optionally over TLS.

It runs as a separate process, ``python -m tools.bench.cln``, so that its CPU time is not measured. It prints two ports:
that of the API, and a plain one for control, where ``/turn`` lets all servers check in, and ``/connections`` returns
the number of API connections since the previous request.
"""

from __future__ import annotations

import argparse
import asyncio
import ssl
from urllib.parse import parse_qs, urlsplit

from .fleet import Fleet

_STATUS = b'{"available":true,"rhn_online":true,"rhn_overloaded":false,"rhn_queue_full":false}'


class Cln:
    """The responses of a fleet; those of a key are created on first use."""

    def __init__(self, fleet: Fleet, latency: float) -> None:
        self.latency = latency
        self.connections = 0
        self._fleet = fleet
        self._turn = 0
        self._numbers = {name: number for number, name in enumerate(fleet.names)}
        self._keys = _response(fleet.key_list())
        self._servers: dict[int, bytes] = {}

    def answer(self, target: str) -> bytes:
        """Return the HTTP response for the request ``target``."""
        parts = urlsplit(target)
        match parts.path:
            case "/api/status.json":
                return _response(_STATUS)
            case "/api/kcare/key/list.json":
                return self._keys
            case "/api/kcare/key/servers.json":
                number = self._numbers[parse_qs(parts.query)["key"][0]]
                if number not in self._servers:
                    self._servers[number] = _response(self._fleet.servers_of(number, self._turn))
                return self._servers[number]
            case "/turn":
                self._turn += 1
                self._servers = {}
                self.prepare()
                return _response(b"")
            case "/connections":
                count, self.connections = self.connections, 0
                return _response(b"%d" % count)
        return _response(b"")

    def prepare(self) -> None:
        """Create all responses now, so that no request waits for it."""
        for number in self._numbers.values():
            self._servers[number] = _response(self._fleet.servers_of(number, self._turn))


class _Connection(asyncio.Protocol):
    def __init__(self, cln: Cln, *, is_control: bool = False) -> None:
        self._cln = cln
        self._received = b""
        self._delay = 0.0 if is_control else cln.latency
        cln.connections += not is_control

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            request, _, self._received = self._received.partition(b"\r\n\r\n")
            target = request.split(b" ", 2)[1].decode()
            asyncio.get_running_loop().call_later(self._delay, self._send, self._cln.answer(target))

    def _send(self, response: bytes) -> None:
        self._transport.write(response)


def _response(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


async def _serve(cln: Cln, context: ssl.SSLContext | None) -> None:
    loop = asyncio.get_running_loop()
    api = await loop.create_server(lambda: _Connection(cln), "127.0.0.1", 0, ssl=context, backlog=512)
    control = await loop.create_server(lambda: _Connection(cln, is_control=True), "127.0.0.1", 0)
    ports = [server.sockets[0].getsockname()[1] for server in (api, control)]
    print(f"port={ports[0]} control={ports[1]}", flush=True)  # noqa: T201 # the parent process waits for this line
    await control.serve_forever()


def main() -> None:
    """Serve until the process is terminated."""
    parser = argparse.ArgumentParser()
    parser.add_argument("servers", type=int)
    parser.add_argument("keys", type=int)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    options = parser.parse_args()
    context = None
    if options.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate, options.key)
    cln = Cln(Fleet(options.servers, options.keys), options.latency)
    cln.prepare()
    asyncio.run(_serve(cln, context))


if __name__ == "__main__":
    main()
