"""Lists of service discovery that are kept: until their data change, and not without end."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator

from cln_monitor.exporter.web.discovery_lists import CompressedList, DiscoveryLists


def test_both_forms() -> None:
    """A list has the same text with and without gzip, however long it is."""
    pieces = [b"[", b"0123456789abcdef" * 200_000, b"]"]
    made = CompressedList.compress(pieces)

    async def unzipped() -> list[bytes]:
        return [piece async for piece in made.unzipped()]

    found = asyncio.run(unzipped())
    assert b"".join(found) == gzip.decompress(made.zipped) == b"".join(pieces)
    assert made.size == len(b"".join(pieces))
    assert max(map(len, found)) <= 1 << 20


class Made:
    """Counts how often a list is made."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> Iterator[bytes]:
        self.count += 1
        return iter([b"[]"])


def test_when_it_is_made() -> None:
    """A list is made once for the same data, and again after any of them has changed."""
    lists, made, source, other = DiscoveryLists(), Made(), object(), object()
    first = lists.get("a", [source, None], made)
    assert lists.get("a", [source, None], made) is first
    assert made.count == 1
    for sources in ([other, None], [other, source], [other]):
        lists.get("a", sources, made)
    assert made.count == 4


def test_how_many_are_kept() -> None:
    """Only the lists requested last are kept."""
    lists, made, source = DiscoveryLists(), Made(), object()
    for number in range(9):
        lists.get(number, [source], made)
        lists.get(0, [source], made)
    assert made.count == 9
    lists.get(1, [source], made)
    assert made.count == 10
