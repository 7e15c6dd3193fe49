"""Shards: the distribution of a fleet over several exporters."""

from __future__ import annotations

import re
from hashlib import blake2b

import msgspec

MOST_SHARDS = 1000


class Shard(msgspec.Struct, frozen=True):
    """One of ``count`` exporters that share a fleet; ``index`` counts from 0, as in the ``hashmod`` of Prometheus.

    Rendezvous hashing assigns each part to the shard with the highest score for it, and all shards compute the same
    result without communication. Each part has exactly one reader, and adding a shard moves only the parts that the
    new shard reads, 1 in ``count``.
    """

    index: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Return the shard of ``text`` such as ``0/3``, ``1/3``, or ``2/3``. Raises ValueError."""
        match = re.fullmatch(r"(\d{1,4})/(\d{1,4})", text, re.ASCII)
        if match is None:
            raise ValueError(f"expected a shard such as 0/3, the first of three, got {text!r}")
        index, count = map(int, match.groups())
        if not 1 <= count <= MOST_SHARDS:
            raise ValueError(f"expected 1 to {MOST_SHARDS} shards in all, got {count}")
        if index >= count:
            allowed = f"0/{count} to {count - 1}/{count}" if count > 1 else "0/1"
            raise ValueError(f"expected {allowed}, as shards count from 0, got {index}/{count}")
        return cls(index, count)

    def __str__(self) -> str:
        """Return the shard as in the option: ``0/3``."""
        return f"{self.index}/{self.count}"

    def owner(self, account: str, name: str) -> Shard:
        """Return the shard that reads the part ``name`` of ``account``, such as a license key."""
        part = f"{account}\0{name}".encode("utf-8", "surrogatepass")
        return Shard(max(range(self.count), key=lambda index: _score(index, part)), self.count)

    def reads(self, account: str, name: str) -> bool:
        """Return whether this shard reads the part ``name`` of ``account``."""
        return self.count == 1 or self.owner(account, name) == self


WHOLE = Shard(0, 1)
"""The shard of an exporter that does not share its fleet."""


def _score(index: int, part: bytes) -> bytes:
    # Never change this: between versions or machines, parts would be read twice or not at all for a while.
    return blake2b(b"%d\0%s" % (index, part), digest_size=8).digest()
