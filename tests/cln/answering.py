"""A CLN that gives every request the same response and records requests, for responses the simulator cannot give."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from tests.helpers.scripted import ScriptedServer, http_answer, read_head

from .asking import enveloped


@dataclass(frozen=True)
class Asked:
    """A request. ``query`` is without the token; ``with_token`` is whether it had one."""

    method: str
    path: str
    query: dict[str, str]
    with_token: bool


class AnsweringCln(ScriptedServer):
    """Answers each request with ``answer``, by default no data; an empty one closes the connection instead."""

    def __init__(self) -> None:
        super().__init__(self._talk)
        self.asked: list[Asked] = []
        self.answer = http_answer(enveloped(None))

    def says(self, body: bytes | str, status: str = "200 OK", *headers: str) -> None:
        """Answer with ``body`` from now on."""
        self.answer = http_answer(body.encode() if isinstance(body, str) else body, *headers, status=status)

    def gives(self, data: object) -> None:
        """Answer with ``data`` in the envelope from now on."""
        self.says(enveloped(data))

    def _talk(self, connection: socket.socket) -> None:
        while head := read_head(connection):
            method, target, _ = head.decode("ascii").split(" ", 2)
            parts = urlsplit(target)
            pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
            query = dict(pairs)
            assert len(query) == len(pairs)
            with_token = query.pop("token", None) is not None
            self.asked.append(Asked(method, parts.path, query, with_token))
            if not self.answer:
                return
            connection.sendall(self.answer)
