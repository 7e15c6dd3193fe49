"""What ``/metrics`` serves of the polled data: rendered and compressed when it changes, joined at scrape."""

from __future__ import annotations

import struct
import threading
import zlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from .families import Family

_LEVEL = 1  # repetitive text: level 9 takes five times as long to save a third of what level 1 leaves
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


@dataclass(frozen=True, slots=True)
class Fragment:
    """Text, and the same as a deflate block that ends on a byte and looks back at nothing, so that any can follow."""

    text: bytes
    deflated: bytes

    @classmethod
    def of(cls, text: bytes) -> Fragment:
        """Compress ``text``."""
        deflater = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        return cls(text, deflater.compress(text) + deflater.flush(zlib.Z_FULL_FLUSH))


@dataclass(frozen=True, slots=True)
class Page:
    """One consistent state of all polled data, as fragments that follow each other."""

    fragments: tuple[Fragment, ...] = ()
    size: int = 0
    checksum: int = 0

    def plain(self, tail: bytes) -> list[bytes]:
        """Return the pieces of the text, with ``tail`` at its end."""
        return [*(fragment.text for fragment in self.fragments), tail]

    def gzipped(self, tail: bytes) -> list[bytes]:
        """Return the pieces of one gzip member that holds the text and ``tail`` at its end."""
        deflater = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        last = deflater.compress(tail) + deflater.flush(zlib.Z_FINISH)
        trailer = struct.pack("<II", zlib.crc32(tail, self.checksum), (self.size + len(tail)) & 0xFFFFFFFF)
        return [_GZIP_HEADER, *(fragment.deflated for fragment in self.fragments), last, trailer]


class Exposition:
    """Keeps the text of every target. A scrape sees a target's families all of one observation, never half of two."""

    def __init__(self, families: Sequence[Family]) -> None:
        self._headers = {family: Fragment.of(family.header) for family in families}
        self._lock = threading.Lock()
        self._targets: dict[Hashable, dict[Family, Fragment]] = {}
        self.page = Page()

    def publish(self, target: Hashable, texts: Mapping[Family, bytes]) -> None:
        """Show ``texts`` as all that there is of ``target``; what has not changed is not compressed again."""
        with self._lock:
            self._targets[target] = self._compressed(target, texts)
            self.page = self._joined()

    def replace(self, texts: Mapping[Hashable, Mapping[Family, bytes]]) -> None:
        """Show ``texts``, by target, as all that there is."""
        with self._lock:
            self._targets = {target: self._compressed(target, of_target) for target, of_target in texts.items()}
            self.page = self._joined()

    def _compressed(self, target: Hashable, texts: Mapping[Family, bytes]) -> dict[Family, Fragment]:
        before = self._targets.get(target, {})
        return {
            family: known if (known := before.get(family)) and known.text == text else Fragment.of(text)
            for family, text in texts.items()
        }

    def _joined(self) -> Page:
        fragments: list[Fragment] = []
        for family, header in self._headers.items():
            of_family = [target[family] for target in self._targets.values() if family in target]
            if of_family:
                fragments += [header, *of_family]
        size = checksum = 0
        for fragment in fragments:
            size += len(fragment.text)
            checksum = zlib.crc32(fragment.text, checksum)
        return Page(tuple(fragments), size, checksum)


def page_of(texts: Mapping[Family, bytes]) -> Page:
    """Return a page of ``texts`` alone."""
    exposition = Exposition(list(texts))
    exposition.publish(None, texts)
    return exposition.page
