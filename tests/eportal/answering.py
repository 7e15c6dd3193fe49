"""An ePortal whose rows and mistakes a test sets; it records its requests."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from tests.helpers.scripted import ScriptedServer, http_answer, read_head


class Asked(NamedTuple):
    """A request: its method, path and query, and its headers in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]


def row(number: int, **fields: Any) -> dict[str, Any]:
    """Return a row of ``/servers`` as documented, with invented values, and ``fields`` in place of its own."""
    documented = {
        "id": f"a1B2c3D4e5F6{number:04}",
        "ip": "10.0.4.7",
        "hostname": f"app{number}",
        "key": "web",
        "feed": "main",
        "registered": "2024-02-01 08:00:00.123456",
        "checkin": "2024-04-30 09:40:11.000000",
        "updated": "2024-04-03 04:00:00.000000",
        "euname": "4.18.0-553.90.1.el8",
        "release": "4.18.0-553.el8.x86_64",
        "kernel_id": "5f0c" * 10,
        "patch_level": 31,
        "patch_type": "default",
        "tags": None,
        "uptime": 7110032,
        "version": "#1 SMP",
        "virt": "kvm",
        "kcare_version": "3.4-1",
        "distro": "AlmaLinux",
        "distro_version": "8.10",
        "machine": "x86_64",
        "processor": "x86_64",
    }
    return {**documented, **fields}


class AnsweringEportal(ScriptedServer):
    """Answers ``/servers`` with ``rows``, of which those with an id in ``outdated`` are not up to date.

    ``most`` is the number of rows of a page that it allows. ``spoil`` may replace the fields of a response; it is
    called with the query and the fields. ``answers`` are sent, one after the other, before all others.
    """

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        super().__init__(self._talk)
        self.rows = rows
        self.outdated: set[str] = set()
        self.most = 1000
        self.spoil: Callable[[dict[str, str], dict[str, Any]], dict[str, Any]] = lambda _, fields: fields
        self.answers: list[bytes] = []
        self.asked: list[Asked] = []

    def _talk(self, connection: socket.socket) -> None:
        while head := read_head(connection):
            first, *lines = head.decode("latin-1").rstrip().split("\r\n")
            method, target, _ = first.split(" ", 2)
            parts = urlsplit(target)
            query = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            self.asked.append(Asked(method, parts.path, query, headers))
            connection.sendall(self.answers.pop(0) if self.answers else self._answer(query))

    def _answer(self, query: dict[str, str]) -> bytes:
        wanted = {"true": [True], "false": [False]}.get(query.get("is_updated", ""), [True, False])
        rows = [row for row in self.rows if (row["id"] not in self.outdated) in wanted]
        fields: dict[str, Any] = {"count": len(rows)}
        if "only_count" not in query:
            limit, offset = min(self.most, int(query.get("limit", 10))), int(query.get("offset", 0))
            fields |= {"limit": limit, "offset": offset, "result": rows[offset : offset + limit]}
        return http_answer(json.dumps(self.spoil(query, fields)).encode())
