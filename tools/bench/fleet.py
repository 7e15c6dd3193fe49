"""A fleet of KernelCare servers as CLN responses, which are the same bytes for the same sizes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from random import Random

LOGIN, SECRET_KEY = "acme_login", "bench-secret-key"
_MORNING = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Fleet:
    """``servers`` KernelCare servers spread evenly over ``keys``."""

    servers: int
    keys: int = 1000

    @cached_property
    def names(self) -> list[str]:
        """The license keys."""
        random = Random(1)
        return [f"{random.getrandbits(64):016X}" for _ in range(self.keys)]

    def key_list(self) -> bytes:
        """Return the response of ``/kcare/key/list.json``."""
        return _answer(
            [
                {"key": name, "enabled": True, "created": _date(0), "limit": self.servers, "note": f"customer {number}"}
                for number, name in enumerate(self.names)
            ]
        )

    def servers_of(self, number: int, turn: int = 0) -> bytes:
        """Return the response of ``/kcare/key/servers.json`` for a key; check-ins advance with each ``turn``."""
        first, end = (self.servers * edge // self.keys for edge in (number, number + 1))
        random = Random(number)
        return _answer(
            [
                {
                    "server_id": f"{random.getrandbits(80):020x}"[:16],
                    "ip": f"{10 + (server >> 24)}.{server >> 16 & 255}.{server >> 8 & 255}.{server & 255}",
                    "hostname": f"web{server}.example.net",
                    "created": _date(random.randrange(400_000)),
                    "last_checkin": _date(600_000 + turn * 15 + random.randrange(1440)),
                }
                for server in range(first, end)
            ]
        )


def _date(minutes: int) -> str:
    return (_MORNING - timedelta(minutes=1_000_000 - minutes)).strftime("%Y-%m-%dT%H:%M-0400")


def _answer(data: object) -> bytes:
    return json.dumps({"success": True, "data": data}, separators=(",", ":")).encode()
