"""Several exporters that share a fleet: which of them reads what."""

from __future__ import annotations

import re
from hashlib import blake2b

import msgspec

MOST_SHARDS = 1000


class Shard(msgspec.Struct, frozen=True):
    """One exporter of ``of`` that share a fleet; ``index`` counts from 0, as Prometheus' ``hashmod`` does.

    All of them work out alike, and without talking to each other, which one reads what (rendezvous hashing): whoever
    has the highest score for it. So each thing has exactly one reader, and with one exporter more only what that one
    gets moves, 1 in ``of``.
    """

    index: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Return the shard that ``text`` spells, ``0/3``, ``1/3`` or ``2/3``. Raises ValueError."""
        match = re.fullmatch(r"(\d{1,4})/(\d{1,4})", text, re.ASCII)
        if match is None:
            raise ValueError(f"expected a shard such as 0/3, the first of three, got {text!r}")
        index, of = map(int, match.groups())
        if not 1 <= of <= MOST_SHARDS:
            raise ValueError(f"expected 1 to {MOST_SHARDS} shards in all, got {of}")
        if index >= of:
            some = f"0/{of} to {of - 1}/{of}" if of > 1 else "0/1"
            raise ValueError(f"expected {some}, as shards count from 0, got {index}/{of}")
        return cls(index, of)

    def __str__(self) -> str:
        """Return it as it is given: ``0/3``."""
        return f"{self.index}/{self.of}"

    def owner(self, account: str, name: str) -> Shard:
        """Return the one that reads ``name`` of ``account``: a licence key, or whatever else is read in one go."""
        what = f"{account}\0{name}".encode("utf-8", "surrogatepass")
        return Shard(max(range(self.of), key=lambda index: _score(index, what)), self.of)

    def reads(self, account: str, name: str) -> bool:
        """Tell whether this one reads ``name`` of ``account``."""
        return self.of == 1 or self.owner(account, name) == self


WHOLE = Shard(0, 1)
"""The exporter that shares with no other."""


def _score(index: int, what: bytes) -> bytes:
    # What moved between versions or machines would be read twice or by nobody for a while: never change this.
    return blake2b(b"%d\0%s" % (index, what), digest_size=8).digest()
