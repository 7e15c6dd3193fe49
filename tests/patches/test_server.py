"""The client of the patch server: what it sends, how much it reads, and what it makes of other responses."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cln_monitor.cln import ClnError, Deadline, Redactor, TimedOutError
from cln_monitor.patches import PATCHES_URL, LivePatch, PatchServer, patch_settings
from tests.helpers.clock import FakeClock
from tests.helpers.scripted import http_answer

from .answering import AnsweringPatchServer

KERNEL = "5f0c" * 10
INFO = f"/{KERNEL}/31/kpatch.info"
LATEST = f"/{KERNEL}/latest.v2"
Read = Callable[[PatchServer, Deadline], object]


def _patch(server: PatchServer, deadline: Deadline) -> LivePatch | None:
    return server.patch(KERNEL, 31, deadline)


def _newest(server: PatchServer, deadline: Deadline) -> int | None:
    return server.newest_level(KERNEL, deadline)


@pytest.fixture
def never(clock: FakeClock) -> Deadline:
    """A deadline that never comes."""
    return Deadline.never(clock)


def test_reads(server: PatchServer, answering: AnsweringPatchServer, never: Deadline) -> None:
    """A patch and the newest level take one GET each, over one connection."""
    answering.says(INFO, "kpatch-cve: CVE-2026-11111\n")
    answering.says(LATEST, "33\n")
    assert _patch(server, never) == LivePatch(KERNEL, 31, ("CVE-2026-11111",))
    assert _newest(server, never) == 33
    assert [head.split(b"\r\n")[0] for head in answering.heads] == [
        f"GET {INFO} HTTP/1.1".encode(),
        f"GET {LATEST} HTTP/1.1".encode(),
    ]
    assert answering.connections == 1


def test_no_credentials(server: PatchServer, answering: AnsweringPatchServer, never: Deadline) -> None:
    """A request has the headers that a public server needs, and no others."""
    _newest(server, never)
    names = {line.split(b":")[0].lower() for line in answering.heads[0].strip().split(b"\r\n")[1:]}
    assert names == {b"host", b"user-agent", b"accept", b"accept-encoding", b"connection"}


@pytest.mark.parametrize("read", [_patch, _newest])
def test_unknown(server: PatchServer, never: Deadline, read: Read) -> None:
    """A kernel or a patch that the server does not know is None, which is neither an error nor a level."""
    assert read(server, never) is None


@pytest.mark.parametrize("read", [_patch, _newest])
@pytest.mark.parametrize(
    ("answer", "reason", "problem"),
    [
        (http_answer(b"<html>33</html>"), "bad_answer", "unexpected response from the patch server: an HTML page"),
        (http_answer(b""), "bad_answer", "unexpected response from the patch server: no"),
        (http_answer(b"33 34"), "bad_answer", "unexpected response from the patch server: no"),
        (http_answer(b"x" * 65537), "bad_answer", "unexpected response from the patch server: larger than 64 KB"),
        (http_answer(b"33", status="206 Partial Content"), "bad_answer", "the patch server: HTTP 206"),
        (http_answer(b"", status="403 Forbidden"), "refused", "the patch server refused the request: HTTP 403"),
        (http_answer(b"", status="500 X"), "bad_answer", "unexpected response from the patch server: HTTP 500"),
        (http_answer(b"", status="429 X"), "rate_limited", "rate limited by the patch server: HTTP 429"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n33", "bad_answer", "so it may be truncated"),
        (b"SSH-2.0-x\r\n", "bad_answer", "check patches.url"),
        (b"", "unreachable", "connection closed"),
    ],
)
def test_other_answers(
    server: PatchServer,
    answering: AnsweringPatchServer,
    never: Deadline,
    *,
    read: Read,
    answer: bytes,
    reason: str,
    problem: str,
) -> None:
    """Any other response is an error that names the request, and never an empty list or a level."""
    answering.answers = {INFO: answer, LATEST: answer}
    with pytest.raises(ClnError) as raised:
        read(server, never)
    assert raised.value.reason == reason
    assert str(raised.value).startswith(f"reading /{KERNEL[:12]}…/")
    assert problem in str(raised.value)


def test_kernel_of_an_error(server: PatchServer, answering: AnsweringPatchServer, never: Deadline) -> None:
    """An error names the kernel so that a redactor, to which an id of 40 hex digits is a token, leaves it readable."""
    answering.says(LATEST, "", status="403 Forbidden")
    with pytest.raises(ClnError) as raised:
        _newest(server, never)
    assert Redactor().scrub(str(raised.value)) == str(raised.value)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"])
def test_redirects_are_not_followed(
    server: PatchServer, answering: AnsweringPatchServer, never: Deadline, status: str
) -> None:
    """A redirect is not followed, to any host."""
    with AnsweringPatchServer() as other:
        other.says(LATEST, "33\n")
        answering.says(LATEST, "", f"Location: {other.url}{LATEST}", status=status)
        with pytest.raises(ClnError, match="unexpected redirect"):
            _newest(server, never)
        assert other.heads == []


@pytest.mark.parametrize("head", ["HTTP/1.0 200 OK", "HTTP/1.1 200 OK"])
def test_without_a_length(server: PatchServer, answering: AnsweringPatchServer, never: Deadline, head: str) -> None:
    """A response that ends with the connection is read if its last line is whole."""
    info = "kpatch-name: a.patch\nkpatch-cve: CVE-2026-11111\n"
    answering.answers = {
        INFO: f"{head}\r\nConnection: close\r\n\r\n{info}".encode(),
        LATEST: f"{head}\r\nConnection: close\r\n\r\n33\n".encode(),
    }
    assert _patch(server, never) == LivePatch(KERNEL, 31, ("CVE-2026-11111",))
    assert _newest(server, never) == 33


def test_chunked(server: PatchServer, answering: AnsweringPatchServer, never: Deadline) -> None:
    """A response in chunks has an end."""
    answering.answers[LATEST] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n33\r\n0\r\n\r\n"
    assert _newest(server, never) == 33


@pytest.mark.parametrize("size", [65536, 65537])
def test_largest_description(server: PatchServer, answering: AnsweringPatchServer, never: Deadline, size: int) -> None:
    """A description of 64 KB is read, and one byte more is an error that names the limit, not the CVEs of a part."""
    answering.says(INFO, "kpatch-cve: CVE-2026-11111\n".ljust(size, "\n"))
    if size == 65536:
        assert _patch(server, never) == LivePatch(KERNEL, 31, ("CVE-2026-11111",))
        return
    with pytest.raises(ClnError, match=r"^reading /\w{12}…/31/kpatch\.info at .* larger than 64 KB$"):
        _patch(server, never)


def test_endless_body(server: PatchServer, answering: AnsweringPatchServer, never: Deadline) -> None:
    """Of a response of 500 MB no more than 64 KB and what is in flight is read."""
    answering.answers[LATEST] = b"HTTP/1.1 200 OK\r\nContent-Length: 524288000\r\n\r\n" + b"3" * (1 << 20)
    with pytest.raises(ClnError, match="larger than 64 KB"):
        _newest(server, never)


def test_deadline(server: PatchServer, answering: AnsweringPatchServer, clock: FakeClock) -> None:
    """After the deadline nothing is sent."""
    with pytest.raises(TimedOutError, match="deadline exceeded"):
        _newest(server, Deadline(0, clock))
    assert answering.heads == []


def test_a_passing_failure_is_retried(server: PatchServer, answering: AnsweringPatchServer, clock: FakeClock) -> None:
    """A server error is retried twice, with pauses."""
    answering.says(LATEST, "", status="503 Service Unavailable")
    with pytest.raises(ClnError):
        _newest(server, Deadline.never(clock))
    assert len(answering.heads) == 3
    assert len(clock.slept) == 2


@pytest.mark.parametrize("kernel_id", ["", "5F0C" * 10, "../" * 13 + "x", "5f0c" * 9])
def test_no_kernel_id(server: PatchServer, answering: AnsweringPatchServer, never: Deadline, kernel_id: str) -> None:
    """An id that is not 40 hex digits would give another path, and is not sent."""
    with pytest.raises(ValueError, match="a kernel id has 40 hex digits"):
        server.newest_level(kernel_id, never)
    with pytest.raises(ValueError, match="a kernel id has 40 hex digits"):
        server.patch(kernel_id, 1, never)
    with pytest.raises(ValueError, match="level 0 is no patch"):
        server.patch(KERNEL, 0, never)
    assert answering.heads == []


def test_default() -> None:
    """By default the patch server of KernelCare is read, over TLS."""
    assert patch_settings().api_url == PATCHES_URL == "https://patches.kernelcare.com"
