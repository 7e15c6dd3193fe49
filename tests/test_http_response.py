"""Strict HTTP responses: interim ones are skipped, invalid and incomplete ones are errors."""

from __future__ import annotations

import http.client
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cln_monitor.http_response import InvalidResponseError, NotHttpError, StrictResponse

PATIENCE = 20.0
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


class Read:
    """The result of the bytes of a server that keeps the connection open, unless it ``closes`` it."""

    def __init__(self, sent: bytes, *, closes: bool = False, kind: type[StrictResponse] = StrictResponse) -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.settimeout(PATIENCE)
            theirs.sendall(sent)
            if closes:
                theirs.shutdown(socket.SHUT_WR)
            self.response = kind(ours)
            try:
                self.response.begin()
                self.body = self.response.read()
                self.may_follow = self.response.may_follow
            finally:
                self.response.close()


def head(*lines: str, status: str = "HTTP/1.1 200 OK") -> bytes:
    """Return the status line and header of a response."""
    return "\r\n".join([status, *lines, "", ""]).encode("latin-1")


def chunked(body: bytes) -> bytes:
    """Return a response with the chunks in ``body``."""
    return head("Transfer-Encoding: chunked") + body


@pytest.mark.parametrize("interim", [HINTS, b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 102 Processing\r\n\r\n" * 32])
def test_interim_responses_are_skipped(interim: bytes) -> None:
    """The first final response counts, and its connection is not reused."""
    read = Read(interim + GOOD)
    assert (read.response.status, read.body, read.may_follow) == (200, b"hello", False)


def test_interim_responses_have_an_end() -> None:
    """Too many interim responses are an error."""
    with pytest.raises(InvalidResponseError, match=r"^more than 32 interim responses$"):
        Read(HINTS * 40)


def test_switching_protocols_is_an_answer() -> None:
    """Status 101 is final."""
    read = Read(head("Upgrade: x", status="HTTP/1.1 101 Switching Protocols") + GOOD)
    assert (read.response.status, read.body, read.may_follow) == (101, b"", False)


BODIES: dict[str, tuple[bytes, bytes]] = {
    "by length": (GOOD, b"hello"),
    "empty": (head("Content-Length: 0"), b""),
    "chunks": (chunked(b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"), b"hello world"),
    "no chunk": (chunked(b"0\r\n\r\n"), b""),
    "chunks with extensions": (chunked(b'5;a=b\r\nhello\r\n1 ; c="d"\r\n!\r\n00;x\r\n\r\n'), b"hello!"),
    "chunks with a trailer": (chunked(b"A\r\n0123456789\r\n0\r\nX-Sum: 1\r\nY: 2\r\n\r\n"), b"0123456789"),
    "lines without CR": (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", b"ok"),
    "no reason": (head("Content-Length: 2", status="HTTP/1.1 200") + b"ok", b"ok"),
    "folded header": (head("X: a\r\n b", "Content-Length: 2") + b"ok", b"ok"),
    "odd case": (head("CONTENT-LENGTH:2", "TE: x") + b"ok", b"ok"),
    "latin-1 in a header": (head("X: \xe9", "Content-Length: 2") + b"ok", b"ok"),
    "HTTP/1.0 that stays": (
        head("Content-Length: 2", "Connection: Keep-Alive", status="HTTP/1.0 200 OK") + b"ok",
        b"ok",
    ),
}


@pytest.mark.parametrize(("sent", "body"), BODIES.values(), ids=BODIES.keys())
def test_whole_response(sent: bytes, body: bytes) -> None:
    """A complete 200 is read without waiting, and its connection can be reused."""
    read = Read(sent)
    assert (read.body, read.may_follow) == (body, True)


LAST: dict[str, bytes] = {
    "closes": head("Content-Length: 2", "Connection: foo, Close") + b"ok",
    "HTTP/1.0": head("Content-Length: 2", status="HTTP/1.0 200 OK") + b"ok",
    "by its end": head() + b"ok",
    "last chunk and then the end": chunked(b"2\r\nok\r\n0\r\n"),
    "more than its length": head("Content-Length: 2") + b"okay",
    "a second response": head("Content-Length: 2") + b"ok" + GOOD,
    "an error": head("Content-Length: 2", status="HTTP/1.1 404 Not Found") + b"ok",
    "a part": head("Content-Length: 2", status="HTTP/1.1 206 Partial Content") + b"ok",
}


class _KeptAfterErrors(StrictResponse):
    kept_after = frozenset({200, 404})


@pytest.mark.parametrize(("status", "may_follow"), [("404 Not Found", True), ("500 Error", False)])
def test_a_connection_can_be_kept_after_errors(status: str, may_follow: bool) -> None:
    """A class of responses declares the statuses after which the connection is reused."""
    read = Read(head("Content-Length: 2", status=f"HTTP/1.1 {status}") + b"ok", kind=_KeptAfterErrors)
    assert read.may_follow == may_follow


@pytest.mark.parametrize("sent", LAST.values(), ids=LAST.keys())
def test_last_response_of_its_connection(sent: bytes) -> None:
    """A connection that ends, or may be out of step, is not reused."""
    read = Read(sent, closes=True)
    assert (read.body, read.may_follow) == (b"ok", False)


@pytest.mark.parametrize("status", [204, 304])
def test_status_without_a_body(status: int) -> None:
    """Status codes without a body have none, with any Content-Length."""
    read = Read(head("Content-Length: 5", status=f"HTTP/1.1 {status} x"))
    assert (read.response.status, read.body, read.may_follow) == (status, b"", False)


INVALID: dict[str, tuple[bytes, str]] = {
    "a list of equal lengths": (head("Content-Length: 5, 5") + b"hello", "more than one Content-Length"),
    "two equal lengths": (head("Content-Length: 5", "Content-Length: 5") + b"hello", "more than one Content-Length"),
    "two lengths": (head("Content-Length: 5", "Content-Length: 6") + b"hello", "more than one Content-Length"),
    "a negative length": (head("Content-Length: -5"), "malformed Content-Length"),
    "a signed length": (head("Content-Length: +5") + b"hello", "malformed Content-Length"),
    "a length with a _": (head("Content-Length: 1_0"), "malformed Content-Length"),
    "a length in other digits": (head("Content-Length: \xb2"), "malformed Content-Length"),
    "a length without end": (head("Content-Length: " + "9" * 40), "malformed Content-Length"),
    "no length": (head("Content-Length:"), "malformed Content-Length"),
    "length and chunks": (
        head("Content-Length: 5", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
        "both Transfer-Encoding and Content-Length",
    ),
    "another coding": (head("Transfer-Encoding: gzip, chunked"), "Transfer-Encoding other than chunked"),
    "chunked twice": (
        head("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
        "Transfer-Encoding other than chunked",
    ),
    "no coding": (head("Transfer-Encoding: identity"), "Transfer-Encoding other than chunked"),
    "chunks in HTTP/1.0": (
        head("Transfer-Encoding: chunked", status="HTTP/1.0 200 OK"),
        "Transfer-Encoding other than chunked",
    ),
    "a header without a colon": (head("Content-Type text/html", "Content-Length: 5") + b"hello", "malformed header"),
    "a header without a name": (head(": x"), "malformed header"),
    "a blank before the colon": (head("Content-Length : 5") + b"hello", "malformed header"),
    "a first header that is folded": (head(" Content-Length: 5"), "malformed header"),
    "a CR in a header": (head("X: a\rContent-Length: 9"), "malformed header"),
    "a NUL in a header": (head("X: a\0b"), "malformed header"),
    "many headers": (head(*["X: y"] * 101), "more than 100 header lines"),
    "a long header": (head("X: " + "y" * 70_000), "header of more than 65536 bytes"),
    "a long status line": (b"HTTP/1.1 200 " + b"x" * 70_000, "status line of more than 65536 bytes"),
    "no status": (head(status="HTTP/1.1"), "malformed status line"),
    "a status of two digits": (head(status="HTTP/1.1 20 OK"), "malformed status line"),
    "a status of four digits": (head(status="HTTP/1.1 2000 OK"), "malformed status line"),
    "a status below 100": (head(status="HTTP/1.1 099 OK"), "malformed status line"),
    "a status that is no number": (head(status="HTTP/1.1 OK"), "malformed status line"),
    "HTTP/2": (head(status="HTTP/2 200"), "malformed status line"),
    "HTTP/9.9": (head(status="HTTP/9.9 200 OK"), "malformed status line"),
    "HTTP in small letters": (head(status="http/1.1 200 OK"), "no HTTP status line"),
    "ICY": (head(status="ICY 200 OK"), "no HTTP status line"),
    "HTTP/0.9": (b"<html>hello</html>", "no HTTP status line"),
    "JSON": (b'{"success":true}', "no HTTP status line"),
    "SSH": (b"SSH-2.0-OpenSSH_9.6\r\n", "no HTTP status line"),
    "TLS": (b"\x15\x03\x01\x00\x02\x02\x46", "no HTTP status line"),
    "a blank line first": (b"\r\n" + GOOD, "no HTTP status line"),
    "one byte": (b"x", "no HTTP status line"),
    "an invalid interim response": (head("nothing", status="HTTP/1.1 103 Hints") + GOOD, "malformed header"),
    "a chunk size that is none": (chunked(b"hello\r\n"), "malformed chunk size"),
    "a negative chunk size": (chunked(b"-5\r\nhello\r\n"), "malformed chunk size"),
    "a chunk size with 0x": (chunked(b"0x5\r\nhello\r\n"), "malformed chunk size"),
    "a chunk size with _": (chunked(b"1_0\r\nhello\r\n"), "malformed chunk size"),
    "no chunk size": (chunked(b"\r\nhello\r\n"), "malformed chunk size"),
    "a chunk size without end": (chunked(b"f" * 99 + b"\r\n"), "malformed chunk size"),
    "a chunk longer than its size": (chunked(b"5\r\nhello world\r\n"), "chunk longer than its size"),
    "a malformed trailer": (chunked(b"0\r\nhello\r\n\r\n"), "malformed trailer"),
}


@pytest.mark.parametrize(("sent", "why"), INVALID.values(), ids=INVALID.keys())
def test_invalid_response(sent: bytes, why: str) -> None:
    """Invalid HTTP is an error while the connection is open, without quoting it."""
    with pytest.raises(InvalidResponseError) as raised:
        Read(sent)
    assert str(raised.value) == why
    assert isinstance(raised.value, NotHttpError) == why.startswith("no HTTP status line")


CUT: dict[str, bytes] = {
    "in its status line": b"HTTP/1.1 20",
    "in its first letters": b"HT",
    "in its headers": b"HTTP/1.1 200 OK\r\nContent-",
    "behind a header": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n",
    "before its body": head("Content-Length: 5"),
    "in its body": GOOD[:-1],
    "in a chunk": chunked(b"5\r\nhel"),
    "behind a chunk": chunked(b"5\r\nhello"),
    "before its last chunk": chunked(b"5\r\nhello\r\n"),
    "in a chunk size": chunked(b"5\r\nhello\r\n1"),
    "behind an interim one": HINTS,
}


@pytest.mark.parametrize("sent", CUT.values(), ids=CUT.keys())
def test_cut_response(sent: bytes) -> None:
    """A response that ends early is incomplete, at any position."""
    with pytest.raises(http.client.IncompleteRead):
        Read(sent, closes=True)


def test_no_response() -> None:
    """A connection that closes without a byte is not an incomplete response."""
    with pytest.raises(http.client.RemoteDisconnected):
        Read(b"", closes=True)


def test_body_is_read_as_it_comes() -> None:
    """A read returns the available bytes, up to the given size."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        response = StrictResponse(ours)
        theirs.sendall(GOOD[:-2])
        response.begin()
        assert response.has_begun
        assert [response.read(2), response.read(9)] == [b"he", b"l"]
        theirs.sendall(b"lo")
        assert not response.may_follow
        assert [response.read(9), response.read(9)] == [b"lo", b""]
        response.close()


def test_in_the_place_of_the_standard_response() -> None:
    """A connection of the standard library works with it, and is reused where possible."""
    ours, theirs = socket.socketpair()
    with theirs:
        connection = http.client.HTTPConnection("127.0.0.1")
        connection.response_class = StrictResponse
        connection.sock = ours
        for sent in (GOOD, chunked(b"5\r\nhello\r\n0\r\n\r\n"), HINTS + GOOD):
            theirs.sendall(sent)
            connection.request("GET", "/")
            with connection.getresponse() as response:
                assert response.read() == b"hello"
                assert response.getheader("Content-Length", "5") == "5"
        assert ours.fileno() == -1  # as an interim response came before the last
        connection.close()


_LINES = [
    "HTTP/1.1 200 OK",
    "HTTP/1.1 103 x",
    "Content-Length: 3",
    "Transfer-Encoding: chunked",
    "",
    "3",
    "abc",
    "0",
    " x",
]


@given(st.binary() | st.lists(st.sampled_from(_LINES)).map(lambda lines: "\r\n".join(lines).encode()))
def test_any_bytes(sent: bytes) -> None:
    """Any bytes of a server give a response or one of the documented errors."""
    try:
        read = Read(sent, closes=True)
    except (InvalidResponseError, http.client.IncompleteRead, http.client.RemoteDisconnected):
        pass
    else:
        assert read.response.status >= 200
        assert read.may_follow <= (read.response.status == 200)
