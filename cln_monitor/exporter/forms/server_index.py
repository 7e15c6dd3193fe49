"""An index of the servers of an observation by address, by server id, and by key."""

from __future__ import annotations

import socket
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from ipaddress import ip_address
from itertools import accumulate
from operator import attrgetter
from typing import Any

from cln_monitor.masking import masked
from cln_monitor.probes import Observation

_HASH = (1 << 32) - 1


class ServerIndex:
    """Finds servers of a probe whose parts are keys with ``servers``; a place is the number of a part and of a server.

    It holds 16 bytes per server: sorted hashes instead of dicts, which would take ten times as much.
    """

    def __init__(self, observation: Observation[Any]) -> None:
        self.lists: list[Sequence[Any]] = [part.value.servers for part in observation.parts]
        self._starts = list(accumulate(map(len, self.lists), initial=0))
        self._addresses = self._hashed(_address_of)
        self._ids = self._hashed(_id_of)
        self._parts: dict[str, list[int]] = {}
        for number, part in enumerate(observation.parts):
            self._parts.setdefault(masked(part.name), []).append(number)
        self.cautioned = [number for number, part in enumerate(observation.parts) if part.cautions]

    def _hashed(self, value_of: Callable[[Any], str | bytes]) -> array[int]:
        servers = (server for servers in self.lists for server in servers)
        return array("Q", sorted((hash(value_of(server)) & _HASH) << 32 | row for row, server in enumerate(servers)))

    def parts_of_keys(self, keys: Iterable[str]) -> list[int]:
        """Return the numbers of the parts of license ``keys``, which are labels or masks."""
        return sorted({number for key in keys for number in self._parts.get(masked(key), ())})

    def at_address(self, ip: str) -> list[tuple[int, int]]:
        """Return the places of the servers with the address ``ip``, in any notation."""
        return self._find(self._addresses, packed(ip), _address_of)

    def with_id(self, server_id: str) -> list[tuple[int, int]]:
        """Return the places of the servers with an id."""
        return self._find(self._ids, server_id, _id_of)

    def _find(
        self, hashes: array[int], value: str | bytes, value_of: Callable[[Any], str | bytes]
    ) -> list[tuple[int, int]]:
        return [place for place in self._candidates(hashes, value) if value_of(self.server(place)) == value]

    def _candidates(self, hashes: array[int], value: str | bytes) -> Iterator[tuple[int, int]]:
        first = (hash(value) & _HASH) << 32
        for position in range(bisect_left(hashes, first), bisect_right(hashes, first | _HASH)):
            row = hashes[position] & _HASH
            part = bisect_right(self._starts, row) - 1
            yield part, row - self._starts[part]

    def server(self, place: tuple[int, int]) -> Any:
        """Return the server at a place."""
        part, number = place
        return self.lists[part][number]


_id_of: Callable[[Any], str] = attrgetter("server_id")


def _address_of(server: Any) -> bytes:
    return packed(server.ip)


def packed(ip: str) -> bytes:
    """Return the bytes of an address, which are the same for all its notations.

    For a text that is not an address, those of the text are returned.
    """
    try:
        return socket.inet_pton(socket.AF_INET6 if ":" in ip else socket.AF_INET, ip)
    except (OSError, ValueError):
        pass
    try:
        return str(ip_address(ip)).encode()  # such as one with a zone
    except ValueError:
        return ip.encode("utf-8", "surrogatepass")
