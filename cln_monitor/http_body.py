"""The body of an HTTP response as it was before it was packed for the way: whole, or an error; and in UTF-8."""

from __future__ import annotations

import codecs
import http.client
import re
import zlib
from collections.abc import Generator, Iterable, Iterator

_PIECE = 1 << 16  # bytes that are unpacked at a time, so that a small body cannot become a large one unseen
_MOST_CODINGS = 3
_GZIP, _ZLIB, _RAW_DEFLATE = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS
_GZIP_MAGIC = b"\x1f\x8b"
_CHARSET = r"""(?i);\s*charset\s*=\s*["']?([^\s;"']+)"""
# Python calls them encodings of text, and no server means them.
_NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"})


class BodyError(http.client.HTTPException):
    """A body is not what its header declares; the text says what it is not, with nothing of what was sent."""


class UnfinishedBodyError(BodyError):
    """The packed stream in a body has no end: some of it is missing, whatever its length promised."""


def unpack(pieces: Iterable[bytes], content_encoding: str) -> Iterator[bytes]:
    """Yield the body that ``pieces`` are, some bytes at a time, unpacked as the header ``content_encoding`` declares.

    Raises UnfinishedBodyError when it is cut, BodyError when it is not packed as declared, or in an unknown way.
    """
    codings = [
        coding for each in content_encoding.split(",") if (coding := each.strip().lower()) not in {"", "identity"}
    ]
    if len(codings) > _MOST_CODINGS or any(coding not in _UNPACKERS for coding in codings):
        raise BodyError("a supported Content-Encoding (gzip, deflate)")
    for coding in reversed(codings):
        pieces = _UNPACKERS[coding](iter(pieces))
    yield from pieces


def _gunzip(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Unpack the members of a gzip file. What follows them without being one, such as zeros, is left out."""
    data, members = b"", 0
    while True:
        while len(data) < len(_GZIP_MAGIC) and (piece := next(pieces, None)) is not None:
            data = (data + piece).lstrip(b"\0") if members else data + piece
        if not data or (members and not _GZIP_MAGIC.startswith(data[:2])):
            break
        data = yield from _unpack_stream(_GZIP, "gzip", data, pieces)
        members += 1
    _read_on(pieces)


def _inflate(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Unpack deflate, which some servers send without the header that belongs to it. What follows it is left out."""
    data = b""
    while len(data) < 2 and (piece := next(pieces, None)) is not None:
        data += piece
    if data:
        has_header = data[0] & 0x0F == zlib.DEFLATED and int.from_bytes(data[:2], "big") % 31 == 0
        yield from _unpack_stream(_ZLIB if has_header else _RAW_DEFLATE, "deflate", data, pieces)
    _read_on(pieces)


def _unpack_stream(wbits: int, coding: str, data: bytes, pieces: Iterator[bytes]) -> Generator[bytes, None, bytes]:
    """Unpack what begins with ``data`` and goes on in ``pieces``, and return the bytes behind its end."""
    decompressor = zlib.decompressobj(wbits)
    while True:
        try:
            unpacked = decompressor.decompress(data, _PIECE)
        except zlib.error:
            raise BodyError(f"the {coding} that its header declares") from None
        if unpacked:
            yield unpacked
        if decompressor.eof:
            return decompressor.unused_data
        data = decompressor.unconsumed_tail
        if not data and len(unpacked) < _PIECE:
            piece = next(pieces, None)
            if piece is None:
                raise UnfinishedBodyError(f"its {coding} stream has no end")
            data = piece


def _read_on(pieces: Iterator[bytes]) -> None:
    """Read to the end of the response, which its connection is to be used after."""
    for _ in pieces:
        pass


_UNPACKERS = {"gzip": _gunzip, "x-gzip": _gunzip, "deflate": _inflate}


def in_utf8(body: bytes, content_type: str) -> bytes:
    """Return a text ``body`` in UTF-8, without a byte order mark, by the charset in the header ``content_type``.

    Where that names none, or one that Python does not know, it is taken as UTF-8. Raises BodyError when the body has
    bytes that mean nothing in its charset.
    """
    if body.startswith(codecs.BOM_UTF8):
        return body.removeprefix(codecs.BOM_UTF8)
    if not body or (found := re.search(_CHARSET, content_type)) is None:
        return body
    try:
        charset = codecs.lookup(found[1]).name
        if charset == "utf-8" or charset in _NO_CHARSETS:
            return body
        return body.decode(charset).encode().removeprefix(codecs.BOM_UTF8)
    except (LookupError, ValueError) as error:
        if isinstance(error, UnicodeError):
            raise BodyError(f"the {charset} that its header declares") from None
        return body  # unknown, or no encoding of text
