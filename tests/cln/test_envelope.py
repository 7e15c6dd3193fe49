"""JSON responses: every sample of the API document, every known text, and any bytes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cln_monitor.cln import AuthorizationError, BadAnswerError, ClnError, RefusedError
from cln_monitor.cln.envelope import _decode_slowly, changed_data, describe_body, json_data
from cln_monitor.cln.http.answer import HttpAnswer

from .answers import answer, plain_problem
from .asking import enveloped
from .samples import LITERAL, MEANT, REPAIRED

BROKEN = sorted({name for name in LITERAL if name.endswith(".json")} & set(REPAIRED))
UNAUTHORIZED = "kcare.srv.remove.unauthorized.json"

CALLS = [
    "status",
    "els.key.create",
    "els.key.update",
    "els.key.remove",
    "els.key.list",
    "els.srv.list",
    "els.srv.remove",
    "im.key.create",
    "im.key.update",
    "im.key.remove",
    "im.key.list",
    "im.srv.list",
    "im.srv.remove",
    "im.srv.convert",
    "ipl.availability",
    "ipl.check",
    "ipl.register",
    "ipl.convert",
    "ipl.remove",
    "ipl.list",
    "ipl.server",
    "ipl.update",
    "kcare.key.create",
    "kcare.key.delete",
    "kcare.key.list",
    "kcare.key.servers",
    "kcare.key.set_cidr",
    "kcare.srv.remove",
    "group.create",
    "group.list",
    "group.servers.list",
    "group.servers.put",
    "group.servers.remove",
    "cl.awp",
]


def problem(body: bytes | str, status: int = 200, location: str = "", kind: Any = Any) -> str:
    """Return the type and the text of the error that a JSON response raises."""
    with pytest.raises(ClnError) as raised:
        json_data(answer(body, status, location), kind)
    return f"{type(raised.value).__name__}: {raised.value}"


@pytest.mark.parametrize("call", CALLS)
def test_each_call_has_a_sample(call: str) -> None:
    """Every JSON call of the API document has a sample."""
    assert f"{call}.json" in MEANT


@pytest.mark.parametrize("name", BROKEN)
def test_literal_sample_that_is_broken(name: str) -> None:
    """A sample that the PDF broke is a bad answer, and never a crash."""
    assert (
        problem(LITERAL[name]) == "BadAnswerError: unexpected response from CLN: truncated or malformed JSON (HTTP 200)"
    )


@pytest.mark.parametrize("name", sorted(set(MEANT) - {UNAUTHORIZED}))
def test_sample_as_it_was_meant(name: str) -> None:
    """Each repaired sample gives its data, as printed and within the envelope."""
    document = json.loads(MEANT[name])
    has_envelope = isinstance(document, dict) and "success" in document
    data = document["data"] if has_envelope else document
    assert json_data(answer(MEANT[name]), object) == data
    assert json_data(answer(enveloped(data)), object) == data


def test_sample_of_a_refusal() -> None:
    """The document's sample of an error is a refusal."""
    assert problem(MEANT[UNAUTHORIZED]) == "AuthorizationError: CLN refused the token: Authorization failed"


def test_done_and_not_done_can_be_told_apart() -> None:
    """Removing a missing server gives ``success:true`` without data, which is not "done"."""
    assert json_data(answer(MEANT["kcare.srv.remove.json"]), object) == {"server_id": "", "key": ""}
    assert json_data(answer(MEANT["kcare.srv.remove.not-found.json"]), object) is None
    assert json_data(answer(MEANT["ipl.remove.not-done.json"]), bool) is False


@pytest.mark.parametrize(
    ("body", "data"),
    [
        ('{"data": 1, "type": null, "message": null, "success": true}', 1),
        ('{"success": true, "data": 1, "newer": {"than": ["us"]}}', 1),
        ('{"success": true}', None),
        (' \r\n{"success" :\ttrue , "data": [1 , 2]}\n', [1, 2]),
        ('{"success": true, "message": {"odd": 1}, "data": 2}', 2),
        ('{"a": 1}', {"a": 1}),
        ("[]", []),
        ("true", True),
        ('"key"', "key"),
        ('{"success": true, "data": "\\ud800"}', "?"),
        (b'{"success": true, "data": "\xff"}', "\ufffd"),
        (b'{"success": true, "data": "a", "note": "\xed\xa0\x80"}', "a"),
    ],
)
def test_data(body: bytes | str, data: object) -> None:
    """Fields are accepted in any order, unknown ones are ignored, and invalid UTF-8 does not spoil the rest."""
    assert json_data(answer(body), object) == data


@pytest.mark.parametrize("status", [200, 400])
def test_false_is_a_refusal(status: int) -> None:
    """A ``success`` field that is false is a refusal."""
    body = '{"success": false, "message": "Limit reached", "data": [1]}'
    assert problem(body, status) == "RefusedError: CLN refused the request: Limit reached"


@pytest.mark.parametrize("success", ["null", "1", '"true"', '"false"', '"yes"', "[true]", '{"true": true}', "0", "1.0"])
def test_neither_true_nor_false(success: str) -> None:
    """Any other ``success`` is a bad answer that keeps the message of CLN."""
    said = (
        "BadAnswerError: unexpected response from CLN: "
        "JSON with a success field that is neither true nor false (HTTP 200)"
    )
    assert problem(f'{{"success": {success}, "data": [1]}}') == said
    with_message = f'{{"success": {success}, "message": "Limit reached"}}'
    assert problem(with_message) == f"{said}; message: Limit reached"
    assert problem(with_message, 400) == f"{said.replace('200', '400')}; message: Limit reached"


@pytest.mark.parametrize("status", [200, 401, 403, 404, 500, 503])
def test_refused_token(status: int) -> None:
    """A refused token is recognized by the body, with any HTTP status."""
    assert problem(LITERAL[UNAUTHORIZED], status) == "AuthorizationError: CLN refused the token: Authorization failed"


@pytest.mark.parametrize(
    "message",
    [
        "Authorization failed",
        "Authorisation is missing",
        "Not authorized",
        "Invalid token",
        "Authentication required",
        "Forbidden",
        "Access denied for this customer",
    ],
)
def test_words_for_a_refused_token(message: str) -> None:
    """Any message about a token or authorization counts as auth."""
    body = json.dumps({"success": False, "message": message})
    assert problem(body) == f"AuthorizationError: CLN refused the token: {message}"
    assert plain_problem(f"success:false\nmessage:{message}") == f"AuthorizationError: CLN refused the token: {message}"


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        (
            '{"success": false, "message": "Server not found"}',
            200,
            "RefusedError: CLN refused the request: Server not found",
        ),
        ('{"success": false}', 200, "RefusedError: CLN refused the request: no reason given"),
        ('{"success": false, "message": null}', 500, "RefusedError: CLN refused the request: no reason given"),
        ('{"success": false, "message": 42}', 200, "RefusedError: CLN refused the request: 42"),
        (
            '{"success": false, "message": "two\\nlines \\u202e"}',
            200,
            "RefusedError: CLN refused the request: two lines",
        ),
        ('{"success": false}', 401, "AuthorizationError: CLN refused the token: HTTP 401"),
        ('{"success": false, "message": "Key"}', 403, "AuthorizationError: CLN refused the token: Key"),
    ],
)
def test_refusals(body: str, status: int, text: str) -> None:
    """A refusal has the message of CLN, on one line."""
    assert problem(body, status) == text


@pytest.mark.parametrize(("status", "transient"), [(200, False), (401, False), (404, False), (500, True), (503, True)])
def test_which_refusals_may_pass(status: int, transient: bool) -> None:
    """A refusal with HTTP 5xx is transient; a refused token never is."""
    for body in ('{"success": false, "message": "Unexpected server error"}', LITERAL[UNAUTHORIZED]):
        with pytest.raises(ClnError) as raised:
            json_data(answer(body, status), object)
        assert raised.value.transient is (transient and isinstance(raised.value, RefusedError))


BAD = {
    "an empty body": ("", 200, "unexpected response from CLN: an empty body (HTTP 200)"),
    "blanks": (" \n ", 200, "unexpected response from CLN: an empty body (HTTP 200)"),
    "a page": ("<!DOCTYPE html><html>…", 200, "unexpected response from CLN: an HTML page (HTTP 200)"),
    "a page behind many blanks": (" " * 300 + "<html>", 200, "unexpected response from CLN: an HTML page (HTTP 200)"),
    "a cut list": (
        '{"success": true, "data": [{"ke',
        200,
        "unexpected response from CLN: truncated or malformed JSON (HTTP 200)",
    ),
    "text": ("All fine", 200, "unexpected response from CLN: undocumented text (HTTP 200)"),
    "other bytes": (b"\x00\xff\xfe", 200, "unexpected response from CLN: undocumented text (HTTP 200)"),
    "constants of JavaScript": (
        "[NaN, Infinity]",
        200,
        "unexpected response from CLN: truncated or malformed JSON (HTTP 200)",
    ),
    "no envelope but a message": (
        '{"message": "hello"}',
        200,
        "unexpected response from CLN: JSON without a success field (HTTP 200)",
    ),
    "no envelope but data": (
        '{"data": []}',
        200,
        "unexpected response from CLN: JSON without a success field (HTTP 200)",
    ),
    "a page of 404": (
        "<html>",
        404,
        "unexpected response from CLN: an HTML page (HTTP 404); check api_url",
    ),
    "a page of 502": ("<html>", 502, "unexpected response from CLN: an HTML page (HTTP 502)"),
    "success with 500": (
        '{"success": true, "data": []}',
        500,
        "unexpected response from CLN: a body that reports success (HTTP 500)",
    ),
    "JSON of a web framework": (
        '{"timestamp": 1, "status": 500, "error": "Internal Server Error", "path": "/api"}',
        500,
        "unexpected response from CLN: JSON without a success field (HTTP 500)",
    ),
    "nothing, with 204": ("", 204, "unexpected response from CLN: an empty body (HTTP 204)"),
    "too deep": ("[" * 100_000, 200, "unexpected response from CLN: JSON that is nested too deeply (HTTP 200)"),
}


@pytest.mark.parametrize(("body", "status", "text"), BAD.values(), ids=BAD.keys())
def test_bad_answers(body: bytes | str, status: int, text: str) -> None:
    """A bad answer describes the unexpected body."""
    assert problem(body, status) == f"BadAnswerError: {text}"


@pytest.mark.parametrize("status", [401, 403])
def test_authorization_without_a_body_of_cln(status: int) -> None:
    """HTTP 401 and 403 are reported as auth, with any body."""
    text = (
        f"AuthorizationError: HTTP {status} without a reason: "
        "the login, secret key or token is wrong, or our IP address is blocked"
    )
    assert problem("<html>", status) == text
    assert plain_problem("", status) == text


@pytest.mark.parametrize(
    ("location", "where"),
    [
        ("https://login.example.com/?next=token", "login.example.com"),
        ("https://me:planted@login.example.com:8443/", "login.example.com:8443"),
        ("/login", "another path"),
        ("", "another path"),
        ("http://[broken", "another path"),
    ],
)
def test_redirects(location: str, where: str) -> None:
    """A redirect names the host of its target, and nothing else of the URL."""
    for body in ("<html>", "", '{"success": true, "data": []}'):
        assert problem(body, 302, location) == _redirect(where, 302)
    assert plain_problem("success:true", 301, location) == _redirect(where, 301)


def _redirect(where: str, status: int) -> str:
    return f"BadAnswerError: unexpected redirect to {where} (HTTP {status}), not followed; check api_url"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("null", "Expected `array`, got `null`"),
        ('{"key": "X"}', "Expected `array`, got `object`"),
        ('[{"key": {}}]', "Expected `str`, got `object` - at `$[0][...]`"),
    ],
)
def test_other_shapes(data: str, text: str) -> None:
    """Data of an undocumented shape is a bad answer that says where."""
    body = f'{{"success": true, "data": {data}}}'
    said = (
        f"BadAnswerError: unexpected response from CLN: JSON that does not match the API document ({text}) (HTTP 200)"
    )
    assert problem(body, kind=list[dict[str, str]]) == said
    mended = f'{{"success": true, "note": "\\ud800", "data": {data}}}'
    assert problem(mended, kind=list[dict[str, str]]) == said


def test_message_beside_data_of_another_shape() -> None:
    """The message of CLN is kept if the data has an undocumented shape."""
    assert problem('{"success": true, "message": "No keys found", "data": null}', kind=list[Any]) == (
        "BadAnswerError: unexpected response from CLN: JSON that does not match the API document "
        "(Expected `array`, got `null`) (HTTP 200); message: No keys found"
    )


@pytest.mark.parametrize(("status", "transient"), [(200, False), (404, False), (500, True), (502, True), (504, True)])
def test_which_bad_answers_may_pass(status: int, transient: bool) -> None:
    """A bad answer is transient with HTTP 5xx only."""
    with pytest.raises(BadAnswerError) as raised:
        json_data(answer("<html>", status), object)
    assert raised.value.transient is transient


def test_reason_is_not_cut_before_it_is_scrubbed() -> None:
    """The message of CLN is not truncated before its secrets are replaced."""
    text = problem(json.dumps({"success": False, "message": "x" * 1000 + " secret"}))
    assert text.endswith(" secret")


@given(
    st.binary()
    | st.text().map(str.encode)
    | st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists, max_leaves=4).map(
        lambda data: json.dumps({"success": True, "data": data}).encode()
    ),
    st.sampled_from([200, 302, 401, 404, 500]),
)
def test_any_bytes_of_json(body: bytes, status: int) -> None:
    """Any bytes give data or a ClnError, and data only with a good status."""
    for kind in (object, list[dict[str, Any]], bool):
        try:
            json_data(answer(body, status), kind)
        except ClnError:
            continue
        assert status == 200


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"", "an empty body"),
        (b"<?xml version", "an HTML page"),
        (b"  [1", "truncated or malformed JSON"),
        (b"plain", "undocumented text"),
    ],
)
def test_describe_body(body: bytes, what: str) -> None:
    """A bad body is described in a few words."""
    assert describe_body(body) == what


def test_authorization_is_a_type_of_its_own() -> None:
    """A refused token and a refused request have different types."""
    assert not issubclass(AuthorizationError, RefusedError)


VALUES = st.sampled_from([True, False, None, 1, "true", "text", [], [{"id": 1}], [1], {}, {"id": "a"}, "\ud800"])


@given(
    st.lists(st.tuples(st.sampled_from(["success", "data", "message", "id", "other"]), VALUES), max_size=4),
    st.sampled_from([200, 204, 302, 401, 500]),
    st.sampled_from([Any, list[dict[str, Any]], list[int], str]),
    st.sampled_from([slice(None), slice(-1), slice(1, -1)]),
)
def test_most_answers_are_read_at_one_go(members: list[tuple[str, Any]], status: int, kind: Any, part: slice) -> None:
    """The fast decoder gives the same data or error as the slow one, for any fields or truncation."""
    body = "{" + ",".join(f"{json.dumps(name)}:{json.dumps(value)}" for name, value in members) + "}"
    whole = answer(body[part], status)
    assert _outcome(json_data, whole, kind) == _outcome(_decode_slowly, whole, kind)


def _outcome(read: Callable[[HttpAnswer, Any], object], whole: HttpAnswer, kind: Any) -> tuple[object, str]:
    try:
        return read(whole, kind), ""
    except ClnError as error:
        return type(error), str(error)


@pytest.mark.parametrize("status", [201, 202, 203, 204, 205, 206, 207, 226])
@pytest.mark.parametrize("body", [enveloped([]), b"[]"], ids=["in the envelope", "bare"])
def test_list_with_another_status_of_success(body: bytes, status: int) -> None:
    """A list is complete with status 200 only: a 206 is partial, and others are not from CLN."""
    with pytest.raises(BadAnswerError, match=rf"\(HTTP {status}\)$") as raised:
        json_data(HttpAnswer(status, body), list)
    assert not raised.value.transient


@pytest.mark.parametrize(("status", "good"), [(200, True), (201, True), (202, True), (203, False), (206, False)])
def test_change_with_another_status_of_success(status: int, good: bool) -> None:
    """A change may succeed with 201 or 202, and not with a partial response."""
    if good:
        assert changed_data(HttpAnswer(status, enveloped(True)), bool) is True
    else:
        with pytest.raises(BadAnswerError, match=rf"a body that reports success \(HTTP {status}\)"):
            changed_data(HttpAnswer(status, enveloped(True)), bool)


@pytest.mark.parametrize("status", [304, 306, 399])
def test_status_that_redirects_nowhere(status: int) -> None:
    """A 304 is an unexpected response, and not a redirect."""
    assert problem(b"", status) == f"BadAnswerError: unexpected response from CLN: an empty body (HTTP {status})"


def test_refusal_with_another_status_of_success() -> None:
    """A refusal by CLN counts with any status."""
    assert problem('{"success": false, "message": "no"}', 206) == "RefusedError: CLN refused the request: no"


@pytest.mark.processes
def test_threads_that_read_a_kind_for_the_first_time_at_once() -> None:
    """Threads that decode a new type at the same time do not crash the process."""
    program = """
import sys, threading
import msgspec
from cln_monitor.cln.envelope import json_data
from cln_monitor.cln.http.answer import HttpAnswer
sys.setswitchinterval(1e-6)
answer = HttpAnswer(status=200, body=b'{"success": true, "data": [{"f1": 1}]}')
for number in range(200):
    kind = list[msgspec.defstruct(f"Kind{number}", [(f"f{field}", int | None, None) for field in range(30)])]
    meeting = threading.Barrier(4)
    def read():
        meeting.wait()
        assert json_data(answer, kind)[0].f1 == 1
    threads = [threading.Thread(target=read) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
