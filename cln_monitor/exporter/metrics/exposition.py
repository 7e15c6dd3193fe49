"""The polled data in the text format of ``/metrics``: rendered and compressed on change, joined on each scrape."""

from __future__ import annotations

import struct
import threading
import zlib
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from .checksums import combine
from .families import Family

_LEVEL = 1  # level 9 takes five times as long, for output that is a third smaller
_SHORT = 512  # bytes; a compressor takes a quarter of a megabyte, most of it set to zero
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


class Block(NamedTuple):
    """A text as a self-contained deflate block that ends on a byte boundary and so can be joined.

    ``size``, ``checksum`` (CRC-32) and ``text_hash`` are those of the text, and identify it.
    """

    deflated: bytes | memoryview
    size: int
    checksum: int
    text_hash: int

    @classmethod
    def compress(cls, text: bytes, known: Block | None = None) -> Block:
        """Return the block of ``text``: the ``known`` one if it has the same text."""
        size, checksum, text_hash = len(text), zlib.crc32(text), hash(text)
        if known is not None and (known.size, known.checksum, known.text_hash) == (size, checksum, text_hash):
            return known
        return cls(_deflate(text), size, checksum, text_hash)


def _deflate(text: bytes) -> bytes:
    deflater = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflater.compress(text) + deflater.flush(zlib.Z_FULL_FLUSH)


class Fragment:
    """The blocks of a family of a target, joined. Only the compressed form is held: it is an eighth of the text.

    ``size`` and ``checksum`` are those of the text.
    """

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.deflated = b"".join(block.deflated for block in blocks)
        self.size = self.checksum = 0
        view, start, joined = memoryview(self.deflated), 0, []
        for block in blocks:
            end = start + len(block.deflated)
            # A part of the joined bytes, so that the blocks take no memory of their own.
            joined.append(block._replace(deflated=view[start:end]))
            self.checksum = combine(self.checksum, block.checksum, block.size)
            self.size += block.size
            start = end
        self.blocks = joined

    @classmethod
    def compress(cls, text: bytes) -> Fragment:
        """Return the fragment of ``text``."""
        return cls([Block.compress(text)])

    @cached_property
    def text(self) -> bytes:
        """The text. Once a client without gzip has requested it, it is kept until the fragment is replaced."""
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(self.deflated)


@dataclass(frozen=True, slots=True)
class Exposition:
    """A consistent exposition of all polled data: consecutive fragments, with the size and CRC-32 of their text."""

    fragments: tuple[Fragment, ...] = ()
    size: int = 0
    checksum: int = 0

    @classmethod
    def join(cls, fragments: Sequence[Fragment]) -> Exposition:
        """Return the exposition of ``fragments``."""
        size = checksum = 0
        for fragment in fragments:
            size += fragment.size
            checksum = combine(checksum, fragment.checksum, fragment.size)
        return cls(tuple(fragments), size, checksum)

    @classmethod
    def compress(cls, text: bytes) -> Exposition:
        """Return the exposition of a single ``text``."""
        return cls.join([Fragment.compress(text)])

    def plain(self, tail: bytes) -> list[bytes]:
        """Return the text followed by ``tail``, in pieces."""
        return [*(fragment.text for fragment in self.fragments), tail]

    def gzipped(self, tail: bytes) -> list[bytes]:
        """Return one gzip member of the text followed by ``tail``, in pieces."""
        trailer = struct.pack("<II", zlib.crc32(tail, self.checksum), (self.size + len(tail)) & 0xFFFFFFFF)
        return [_GZIP_HEADER, *(fragment.deflated for fragment in self.fragments), _last_block(tail), trailer]


def _last_block(text: bytes) -> bytes:
    """Return ``text`` as the end of deflated data: a short one as it is (RFC 1951, 3.2.4), for which zlib is slow."""
    if len(text) <= _SHORT:
        return struct.pack("<BHH", 1, len(text), len(text) ^ 0xFFFF) + text
    deflater = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflater.compress(text) + deflater.flush(zlib.Z_FINISH)


Texts = Mapping[Family, Sequence[Block]]
"""The text of a target: the blocks of each family."""


class ExpositionStore:
    """The texts of all targets, joined in ``exposition``. Thread-safe.

    In an exposition, all families of a target are of the same observation.
    """

    def __init__(self, families: Sequence[Family]) -> None:
        self._headers = {family: Fragment.compress(family.header) for family in families}
        self._lock = threading.Lock()
        self._targets: dict[Hashable, dict[Family, Fragment]] = {}
        self.exposition = Exposition()

    def compressor(self, target: Hashable) -> Callable[[Family, int, bytes], Block]:
        """Return the function that compresses the n-th block of a family of ``target``, unless it is unchanged."""
        before = self._targets.get(target, {})

        def compress(family: Family, number: int, text: bytes) -> Block:
            blocks = before[family].blocks if family in before else ()
            return Block.compress(text, blocks[number] if number < len(blocks) else None)

        return compress

    def publish(self, target: Hashable, texts: Texts) -> None:
        """Replace the text of ``target`` by ``texts``."""
        with self._lock:
            self._targets[target] = _joined(texts)
            self.exposition = self._exposition(self._targets.values())

    def replace(self, texts: Mapping[Hashable, Texts]) -> None:
        """Replace the texts of all targets by ``texts``."""
        with self._lock:
            self._targets = {target: _joined(families) for target, families in texts.items()}
            self.exposition = self._exposition(self._targets.values())

    def exposition_of(self, target: Hashable) -> Exposition:
        """Return the exposition of ``target`` alone, empty if it has none."""
        fragments = self._targets.get(target)
        return Exposition() if fragments is None else self._exposition([fragments])

    def _exposition(self, targets: Collection[Mapping[Family, Fragment]]) -> Exposition:
        fragments: list[Fragment] = []
        for family, header in self._headers.items():
            parts = [target[family] for target in targets if family in target]
            if family.shared and len(parts) > 1:
                parts = [_merged(parts)]
            if parts:
                fragments += [header, *parts]
        return Exposition.join(fragments)


def _merged(parts: Sequence[Fragment]) -> Fragment:
    """Return the series of all ``parts``, each once; of different values, the first."""
    lines: dict[bytes, bytes] = {}
    for part in parts:
        for line in part.text.splitlines(keepends=True):
            lines.setdefault(line.rpartition(b" ")[0], line)
    return Fragment.compress(b"".join(lines.values()))


def _joined(texts: Texts) -> dict[Family, Fragment]:
    return {family: Fragment(blocks) for family, blocks in texts.items()}
