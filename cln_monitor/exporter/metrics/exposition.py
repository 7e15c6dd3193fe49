"""The polled data in the text format of ``/metrics``: rendered and compressed on change, joined on each scrape."""

from __future__ import annotations

import struct
import threading
import zlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from .families import Family

_LEVEL = 1  # level 9 takes five times as long, for output that is a third smaller
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


@dataclass(frozen=True, slots=True)
class Fragment:
    """A text, and the same text as a self-contained deflate block that ends on a byte boundary and so can be joined."""

    text: bytes
    deflated: bytes

    @classmethod
    def compress(cls, text: bytes) -> Fragment:
        """Return the fragment of ``text``."""
        deflater = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        return cls(text, deflater.compress(text) + deflater.flush(zlib.Z_FULL_FLUSH))


@dataclass(frozen=True, slots=True)
class Exposition:
    """A consistent exposition of all polled data: consecutive fragments, with the size and CRC-32 of their text."""

    fragments: tuple[Fragment, ...] = ()
    size: int = 0
    checksum: int = 0

    @classmethod
    def of(cls, text: bytes) -> Exposition:
        """Return the exposition of a single ``text``."""
        return cls((Fragment.compress(text),), len(text), zlib.crc32(text))

    def plain(self, tail: bytes) -> list[bytes]:
        """Return the text followed by ``tail``, in pieces."""
        return [*(fragment.text for fragment in self.fragments), tail]

    def gzipped(self, tail: bytes) -> list[bytes]:
        """Return one gzip member of the text followed by ``tail``, in pieces."""
        deflater = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        last = deflater.compress(tail) + deflater.flush(zlib.Z_FINISH)
        trailer = struct.pack("<II", zlib.crc32(tail, self.checksum), (self.size + len(tail)) & 0xFFFFFFFF)
        return [_GZIP_HEADER, *(fragment.deflated for fragment in self.fragments), last, trailer]


class ExpositionStore:
    """The texts of all targets, joined in ``exposition``. Thread-safe.

    In an exposition, all families of a target are of the same observation.
    """

    def __init__(self, families: Sequence[Family]) -> None:
        self._headers = {family: Fragment.compress(family.header) for family in families}
        self._lock = threading.Lock()
        self._targets: dict[Hashable, dict[Family, Fragment]] = {}
        self.exposition = Exposition()

    def publish(self, target: Hashable, texts: Mapping[Family, bytes]) -> None:
        """Replace the text of ``target`` by ``texts``; unchanged families are not compressed again."""
        with self._lock:
            self._targets[target] = self._compressed(target, texts)
            self.exposition = self._joined()

    def replace(self, texts: Mapping[Hashable, Mapping[Family, bytes]]) -> None:
        """Replace the texts of all targets by ``texts``."""
        with self._lock:
            self._targets = {target: self._compressed(target, families) for target, families in texts.items()}
            self.exposition = self._joined()

    def _compressed(self, target: Hashable, texts: Mapping[Family, bytes]) -> dict[Family, Fragment]:
        before = self._targets.get(target, {})
        return {
            family: known if (known := before.get(family)) and known.text == text else Fragment.compress(text)
            for family, text in texts.items()
        }

    def _joined(self) -> Exposition:
        fragments: list[Fragment] = []
        for family, header in self._headers.items():
            parts = [target[family] for target in self._targets.values() if family in target]
            if parts:
                fragments += [header, *parts]
        size = checksum = 0
        for fragment in fragments:
            size += len(fragment.text)
            checksum = zlib.crc32(fragment.text, checksum)
        return Exposition(tuple(fragments), size, checksum)


def exposition_of(texts: Mapping[Family, bytes]) -> Exposition:
    """Return an exposition of ``texts`` alone."""
    store = ExpositionStore(list(texts))
    store.publish(None, texts)
    return store.exposition
