"""A script for a scripted server that answers HTTP requests one by one, and records them."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import NamedTuple

from tests.helpers.scripted import Script, read_head


class Request(NamedTuple):
    """A request as it was received; the names of ``headers`` are lower-case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


def read_request(connection: socket.socket) -> Request | None:
    """Return the next request, or None at the end of the connection."""
    lines = read_head(connection).decode("latin-1").split("\r\n")
    if lines == [""]:
        return None
    method, target, version = lines[0].split(" ")
    assert version == "HTTP/1.1"
    headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines[1:] if line)}
    body = b""
    while len(body) < int(headers["content-length"]):
        piece = connection.recv(1 << 16)
        if not piece:
            return None
        body += piece
    assert len(body) == int(headers["content-length"])
    return Request(method, target, headers, body)


def serving(answer: Callable[[Request], bytes], requests: list[Request] | None = None) -> Script:
    """Return a script that sends ``answer(request)`` for each request, and adds it to ``requests``.

    After an empty answer, or one with ``Connection: close``, the connection is closed.
    """

    def script(connection: socket.socket) -> None:
        while (request := read_request(connection)) is not None:
            if requests is not None:
                requests.append(request)
            response = answer(request)
            connection.sendall(response)
            if not response or b"\r\nConnection: close\r\n" in response:
                return

    return script
