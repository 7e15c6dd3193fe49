"""Bodies with a Content-Encoding: decompressed completely, or an error."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import pytest

from cln_monitor.http_body import BodyError, UnfinishedBodyError, in_utf8, unpack

TEXT = b"success:true\nrhn_overloaded:false\n" * 40
ZLIB = zlib.compress(TEXT)


def _raw(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


PACKERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": (" X-GZip ", gzip.compress),
    "zlib": ("deflate", zlib.compress),
    "deflate without its header": ("deflate", _raw),
    "gzip twice": ("gzip, gzip", lambda data: gzip.compress(gzip.compress(data, mtime=0))),
    "deflate in gzip": ("deflate, gzip", lambda data: gzip.compress(zlib.compress(data))),
    "nothing": ("", bytes),
    "identity": ("identity", bytes),
}
PACKED = {name: value for name, value in PACKERS.items() if value[1] is not bytes}


def unpacked(body: bytes, coding: str, size: int = 7) -> bytes:
    """Return ``body``, received in pieces of ``size`` bytes, decompressed."""
    return b"".join(unpack((body[start : start + size] for start in range(0, len(body), size)), coding))


@pytest.mark.parametrize("size", [1, 7, 1 << 16])
@pytest.mark.parametrize(("coding", "pack"), PACKERS.values(), ids=PACKERS.keys())
def test_whole_body(coding: str, pack: Callable[[bytes], bytes], size: int) -> None:
    """A complete body is decompressed, in pieces of any size."""
    assert unpacked(pack(TEXT), coding, size) == TEXT


@pytest.mark.parametrize("size", [1, 1 << 16])
@pytest.mark.parametrize(("coding", "pack"), PACKED.values(), ids=PACKED.keys())
def test_cut_body(coding: str, pack: Callable[[bytes], bytes], size: int) -> None:
    """A truncated stream is an error, at any position."""
    body = pack(TEXT)
    for length in range(1, len(body)):
        with pytest.raises(UnfinishedBodyError, match=r"^the (gzip|deflate) stream ends early$"):
            unpacked(body[:length], coding, size)


@pytest.mark.parametrize("size", [1, 1 << 16])
def test_members(size: int) -> None:
    """Several gzip members are one body, and each must be complete."""
    one, two = gzip.compress(TEXT, mtime=0), gzip.compress(b"more")
    assert unpacked(one + two, "gzip", size) == TEXT + b"more"
    for length in range(1, len(two)):
        with pytest.raises(UnfinishedBodyError):
            unpacked(one + two[:length], "gzip", size)


@pytest.mark.parametrize("size", [1, 7, 1 << 16])
@pytest.mark.parametrize("behind", [b"\0", b"\0" * 600, b"junk", b"\0\0junk", b"\x1fjunk", b"\r\n"])
def test_what_follows_the_end(behind: bytes, size: int) -> None:
    """Padding and junk after the last member are ignored."""
    assert unpacked(gzip.compress(TEXT, mtime=0) + behind, "gzip", size) == TEXT
    assert unpacked(zlib.compress(TEXT) + behind, "deflate", size) == TEXT


def test_all_is_read() -> None:
    """Bytes after the end are read, so that the connection stays in step."""
    left = iter([gzip.compress(TEXT, mtime=0), b"junk", b"more junk"])
    assert b"".join(unpack(left, "gzip")) == TEXT
    assert list(left) == []


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_empty_body(coding: str) -> None:
    """A body without bytes is empty with any Content-Encoding."""
    assert unpacked(b"", coding) == b""


@pytest.mark.parametrize(
    ("body", "coding", "problem"),
    [
        (b"no gzip", "gzip", "invalid gzip data"),
        (gzip.compress(TEXT, mtime=0)[:-8] + b"\0" * 8, "gzip", "invalid gzip data"),
        (
            gzip.compress(TEXT, mtime=0) + gzip.compress(TEXT, mtime=0)[:-8] + b"\0" * 8,
            "gzip",
            "invalid gzip data",
        ),
        (ZLIB[:-1] + bytes([ZLIB[-1] ^ 1]), "deflate", "invalid deflate data"),
        (b"x", "br", "unsupported Content-Encoding (supported: gzip, deflate)"),
        (b"x", "gzip, zstd", "unsupported Content-Encoding (supported: gzip, deflate)"),
        (b"x", "gzip, gzip, gzip, gzip", "unsupported Content-Encoding (supported: gzip, deflate)"),
    ],
)
def test_what_it_is_not(body: bytes, coding: str, problem: str) -> None:
    """A body that is invalid, or has an unsupported coding, is an error that says so."""
    with pytest.raises(BodyError) as raised:
        unpacked(body, coding)
    assert str(raised.value) == problem
    assert not isinstance(raised.value, UnfinishedBodyError)


def test_unpacked_by_pieces() -> None:
    """A decompression bomb is decompressed in pieces, so that its reader can stop."""
    body = gzip.compress(bytes(50 << 20))
    pieces = unpack([body], "gzip")
    assert max(len(next(pieces)) for _ in range(10)) <= 1 << 16


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ("Büro".encode(), "application/json", "Büro"),
        ("Büro".encode(), "", "Büro"),
        ("Büro".encode(), "application/json; charset=utf-8", "Büro"),
        ("Büro".encode("latin-1"), "application/json;charset=ISO-8859-1", "Büro"),
        ("Büro".encode("latin-1"), 'text/plain; format=flowed; Charset="iso-8859-1"', "Büro"),
        ("5 €".encode("cp1252"), "text/plain; charset=windows-1252", "5 €"),
        ("бюро".encode("koi8-r"), "text/plain; charset=KOI8-R", "бюро"),
        ("Büro".encode("utf-16"), "application/json; charset=utf-16", "Büro"),
        ("Büro".encode("utf-8-sig"), "application/json", "Büro"),
        ("Büro".encode("utf-8-sig"), "application/json; charset=ISO-8859-1", "Büro"),
        ("Büro".encode(), "application/json; charset=nobody-knows", "Büro"),
        (b"\\u0042", "application/json; charset=unicode_escape", "\\u0042"),
        (b"QUJD", "application/json; charset=base64", "QUJD"),
        (b"a", "application/json; charset=", "a"),
    ],
)
def test_charset(body: bytes, content_type: str, text: str) -> None:
    """A text is decoded by the charset in its header, if Python knows it."""
    assert in_utf8(body, content_type).decode() == text


@pytest.mark.parametrize(("charset", "name"), [("us-ascii", "ascii"), ("utf-16", "utf-16"), ("euc-jp", "euc_jp")])
def test_bytes_of_another_charset(charset: str, name: str) -> None:
    """A text that is invalid in its charset is an error."""
    with pytest.raises(BodyError, match=f"^invalid {name} text$"):
        in_utf8("Büros".encode("latin-1"), f"application/json; charset={charset}")


def test_bytes_that_are_no_utf8() -> None:
    """Without a charset, invalid UTF-8 is kept, as one broken note must not spoil the list."""
    assert in_utf8(b"\xff", "application/json") == b"\xff"
