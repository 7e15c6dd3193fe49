"""Decode the body of an HTTP response completely: decompressed by its Content-Encoding, and in UTF-8."""

from __future__ import annotations

import codecs
import http.client
import re
import zlib
from collections.abc import Generator, Iterable, Iterator

_PIECE = 1 << 16  # bytes decompressed at a time, so that the size of a decompression bomb is noticed
_MOST_CODINGS = 3
_GZIP, _ZLIB, _RAW_DEFLATE = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS
_GZIP_MAGIC = b"\x1f\x8b"
_CHARSET = r"""(?i);\s*charset\s*=\s*["']?([^\s;"']+)"""
# Python has these as text encodings, but no server uses them as a charset.
_NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"})


class BodyError(http.client.HTTPException):
    """The body does not match its header; the text says why and contains nothing of the body."""


class UnfinishedBodyError(BodyError):
    """The compressed stream in a body ends early, although the body has its declared length."""


def unpack(pieces: Iterable[bytes], content_encoding: str) -> Iterator[bytes]:
    """Yield the body in ``pieces``, some bytes at a time, decompressed by the header ``content_encoding``.

    Raises UnfinishedBodyError when a compressed stream ends early, BodyError when it is invalid or its coding is not
    supported.
    """
    names = (name.strip().lower() for name in content_encoding.split(","))
    codings = [name for name in names if name not in {"", "identity"}]
    if len(codings) > _MOST_CODINGS or any(coding not in _UNPACKERS for coding in codings):
        raise BodyError("unsupported Content-Encoding (supported: gzip, deflate)")
    for coding in reversed(codings):
        pieces = _UNPACKERS[coding](iter(pieces))
    yield from pieces


def _gunzip(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Decompress the members of a gzip file. Trailing bytes that are not a member, such as zeros, are ignored."""
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
    """Decompress deflate, which some servers send without the zlib header. Trailing bytes are ignored."""
    data = b""
    while len(data) < 2 and (piece := next(pieces, None)) is not None:
        data += piece
    if data:
        has_header = data[0] & 0x0F == zlib.DEFLATED and int.from_bytes(data[:2], "big") % 31 == 0
        yield from _unpack_stream(_ZLIB if has_header else _RAW_DEFLATE, "deflate", data, pieces)
    _read_on(pieces)


def _unpack_stream(wbits: int, coding: str, data: bytes, pieces: Iterator[bytes]) -> Generator[bytes, None, bytes]:
    """Decompress the stream in ``data`` and ``pieces``, and return the bytes after its end."""
    decompressor = zlib.decompressobj(wbits)
    while True:
        try:
            unpacked = decompressor.decompress(data, _PIECE)
        except zlib.error:
            raise BodyError(f"invalid {coding} data") from None
        if unpacked:
            yield unpacked
        if decompressor.eof:
            return decompressor.unused_data
        data = decompressor.unconsumed_tail
        if not data and len(unpacked) < _PIECE:
            piece = next(pieces, None)
            if piece is None:
                raise UnfinishedBodyError(f"the {coding} stream ends early")
            data = piece


def _read_on(pieces: Iterator[bytes]) -> None:
    """Read to the end of the response, so that its connection can be used again."""
    for _ in pieces:
        pass


_UNPACKERS = {"gzip": _gunzip, "x-gzip": _gunzip, "deflate": _inflate}


def in_utf8(body: bytes, content_type: str) -> bytes:
    """Return a text ``body`` in UTF-8 without a byte order mark, decoded by the charset in ``content_type``.

    Without a charset, or with one unknown to Python, the body is taken as UTF-8. Raises BodyError when the body is not
    valid in its charset.
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
            raise BodyError(f"invalid {charset} text") from None
        return body  # unknown, or not a text encoding
