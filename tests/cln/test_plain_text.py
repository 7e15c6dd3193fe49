"""Plain-text responses: every sample of the API document, every known text, and any bytes."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cln_monitor.cln import ClnError
from cln_monitor.cln.plain_text import plain_items

from .answers import answer, plain_problem
from .samples import PLAIN

STATUS_FLAGS = {
    "db_clweb_connected": "true",
    "db_clweb_online": "false",
    "db_rhn_connected": "true",
    "db_rhn_online": "true",
    "rhn_overloaded": "false",
    "rhn_queue_full": "true",
    "xmlrpc": "false",
    "ip_server_reg": "false",
}


@pytest.mark.parametrize("name", sorted(PLAIN))
def test_plain_sample_as_printed(name: str) -> None:
    """Plain-text samples are read as printed: on one line, with comments, truncated by the PDF."""
    readings: dict[str, object] = {
        "success.plain": {"code": "0"},
        "kcare.nagios.register_key.plain": {"code": "0"},
        "status.plain": STATUS_FLAGS,
        "error.plain": "RefusedError: CLN refused the request: Unexpected server error",
        "kcare.nagios.register_key.error.plain": "RefusedError: CLN refused the request: no reason given",
    }
    meant = readings[name]
    read = plain_problem(PLAIN[name]) if isinstance(meant, str) else plain_items(answer(PLAIN[name]))
    assert read == meant


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("success:true\ncode:0", {"code": "0"}),
        ("success:true\r\ncode:0\r\n", {"code": "0"}),
        ("success: true\ncode: 2", {"code": "2"}),
        ("success : true code : 2", {"code": "2"}),
        ("SUCCESS:TRUE\nCode:1", {"code": "1"}),
        ("success:true", {}),
        (
            "success:true\nxmlrpc:true, // a comment: with a colon\nrhn_queue_rejects:3",
            {"xmlrpc": "true", "rhn_queue_rejects": "3"},
        ),
        ("success:true\nmessage:code:7 is not a code\ncode:0", {"code": "0"}),
        ("success:true\nfree text\ncode:0", {"code": "0"}),
        ("success:true\nurl:https://cln.cloudlinux.com", {"url": "https://cln.cloudlinux.com"}),
    ],
)
def test_plain_items(text: str, items: dict[str, str]) -> None:
    """Items are separated by line ends or spaces; a message extends to the end of its line."""
    assert plain_items(answer(text)) == items


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ("success:false", 200, "RefusedError: CLN refused the request: no reason given"),
        ("success:false\nmessage:Key: not found", 200, "RefusedError: CLN refused the request: Key: not found"),
        ("success:false message:success:true", 200, "RefusedError: CLN refused the request: success:true"),
        ("success:false\ncode:1", 500, "RefusedError: CLN refused the request: no reason given"),
        ("success:true", 500, "BadAnswerError: unexpected response from CLN: a body that reports success (HTTP 500)"),
        ("success:maybe", 200, "BadAnswerError: unexpected response from CLN: undocumented text (HTTP 200)"),
        ("success", 200, "BadAnswerError: unexpected response from CLN: undocumented text (HTTP 200)"),
        ("code:0", 200, "BadAnswerError: unexpected response from CLN: undocumented text (HTTP 200)"),
        ("", 200, "BadAnswerError: unexpected response from CLN: an empty body (HTTP 200)"),
        ("<html>success:true", 200, "BadAnswerError: unexpected response from CLN: an HTML page (HTTP 200)"),
        ('{"success": false, "message": "Key not found"}', 200, "RefusedError: CLN refused the request: Key not found"),
        (' {"success": false}', 500, "RefusedError: CLN refused the request: no reason given"),
        (
            '{"success": false, "message": "Authorization failed"}',
            200,
            "AuthorizationError: CLN refused the token: Authorization failed",
        ),
        (
            '{"success": true, "data": {"code": 0}}',
            200,
            "BadAnswerError: unexpected response from CLN: JSON instead of plain text (HTTP 200)",
        ),
        ('{"code": 0}', 200, "BadAnswerError: unexpected response from CLN: JSON instead of plain text (HTTP 200)"),
        (
            '{"success": false',
            200,
            "BadAnswerError: unexpected response from CLN: truncated or malformed JSON (HTTP 200)",
        ),
        (
            '["success:true"]',
            200,
            "BadAnswerError: unexpected response from CLN: JSON instead of plain text (HTTP 200)",
        ),
        (
            '{"success": true}',
            500,
            "BadAnswerError: unexpected response from CLN: a body that reports success (HTTP 500)",
        ),
        (
            "success:true\nxmlrpc:true\nrhn_q",
            200,
            "BadAnswerError: unexpected response from CLN: truncated text (HTTP 200)",
        ),
        (
            "success:true\nxmlrpc:true\nrhn_queue_full:",
            200,
            "BadAnswerError: unexpected response from CLN: truncated text (HTTP 200)",
        ),
        (
            "success:true xmlrpc:true rhn_queue_full: ",
            200,
            "BadAnswerError: unexpected response from CLN: truncated text (HTTP 200)",
        ),
        (
            "success:true\nxmlrpc:true\nrhn_queue_full:fal",
            200,
            "BadAnswerError: unexpected response from CLN: truncated text (HTTP 200)",
        ),
    ],
)
def test_plain_failures(body: str, status: int, text: str) -> None:
    """A plain-text failure gives the same error as a JSON one."""
    assert plain_problem(body, status) == text


@given(
    st.binary() | st.text(alphabet="success:true fal\nmge,/ ").map(lambda text: f"success{text}".encode()),
    st.sampled_from([200, 302, 401, 404, 500]),
)
def test_any_bytes_of_plain_text(body: bytes, status: int) -> None:
    """Any bytes give items or a ClnError, and items only with a good status and ``success``."""
    try:
        items = plain_items(answer(body, status))
    except ClnError:
        return
    assert status == 200
    assert body.strip().lower().startswith(b"success")
    assert "success" not in items


HOSTILE = [
    b"success:true\n" + b"a" * 200_000,
    b"success:false message:" + b"\n a" * 100_000,
    b"success:" + b" \t" * 100_000,
]


@pytest.mark.parametrize("body", HOSTILE, ids=["a long word", "a long message", "blanks"])
def test_plain_text_that_is_slow_to_search(body: bytes) -> None:
    """No text takes long to search, as no timeout could interrupt it."""
    started = time.thread_time()
    with contextlib.suppress(ClnError):
        plain_items(answer(body))
    assert time.thread_time() - started < 1


@pytest.mark.parametrize("status", [203, 206])
def test_plain_text_with_another_status_of_success(status: int) -> None:
    """Plain text with a 2xx status other than 200 is a bad answer."""
    assert plain_problem("success:true xmlrpc:true", status) == (
        f"BadAnswerError: unexpected response from CLN: a body that reports success (HTTP {status})"
    )
