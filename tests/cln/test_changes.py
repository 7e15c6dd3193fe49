"""Each change of the API document: its request, its result, and its errors."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cln_monitor.cln import (
    AuthorizationError,
    BadAnswerError,
    Client,
    ClnError,
    ConvertedServer,
    Deadline,
    Group,
    InvalidArgumentError,
    NotDoneError,
    RateLimitedError,
    RateLimiter,
    ReadOnlyClient,
    Redactor,
    RefusedError,
    RemovedServer,
    TimedOutError,
    Transport,
    TransportSettings,
    UnreachableError,
)
from cln_monitor.cln.endpoints import WRITES
from cln_monitor.cln.http.answer import HttpAnswer, Reply
from cln_monitor.simulator import Account, Served
from tests.helpers.certificates import Authority
from tests.helpers.clock import FakeClock
from tests.helpers.scripted import Script, ScriptedServer, answering, http_answer, read_head

from .answering import AnsweringCln
from .answers import texts_of
from .asking import IMUNIFY_KEY, KEY, LOGIN, SECRET_KEY, SPELLINGS, Clients, credentials, enveloped, refused
from .changes import CHANGES, IN_JSON, Change, named

OPEN = "; the change may have been made; check before you repeat it"
REGISTERED = "; the key may be registered; run this again"

each_change = pytest.mark.parametrize("change", CHANGES, ids=named)
each_in_json = pytest.mark.parametrize("change", IN_JSON, ids=named)
_ONE_OF_EACH = {"kernelcare.delete_key", "groups.create", "groups.add_servers", "groups.remove_servers"}
one_of_each_method = pytest.mark.parametrize(
    "change", [change for change in CHANGES if change.call in _ONE_OF_EACH], ids=named
)


@pytest.fixture
def client(clients: Clients, cln: AnsweringCln) -> Client:
    """A client that can change the account."""
    return clients.writer(cln.url)


def test_all_writes_are_here() -> None:
    """Each endpoint that changes something has a method, and the method sends its request."""
    assert {(change.method, change.path) for change in CHANGES} == {(each.method, each.template) for each in WRITES}


@each_change
def test_sample(client: Client, cln: AnsweringCln, change: Change) -> None:
    """Each change sends the documented request once, and the sample response gives the expected result."""
    cln.says(change.body)
    assert change.make(client) == change.result
    assert cln.asked == [change.asked]


@each_in_json
def test_sample_in_the_envelope(client: Client, cln: AnsweringCln, change: Change) -> None:
    """The samples without an envelope give the same result within one."""
    cln.gives(change.data)
    assert change.make(client) == change.result


@each_change
def test_a_client_that_reads_has_no_such_method(clients: Clients, change: Change) -> None:
    """The read-only client has no method that changes something."""
    family, _, name = change.call.partition(".")
    assert not hasattr(getattr(clients.client("http://127.0.0.1:9"), family, None), name)


@each_in_json
def test_nothing_was_done(client: Client, cln: AnsweringCln, change: Change) -> None:
    """Success without a change is an error with CLN's message, and the outcome is known."""
    for nothing in change.nothing:
        for message in ("Server not found", None, ""):
            cln.says(json.dumps({"message": message, "success": True, "data": nothing}))
            with pytest.raises(NotDoneError) as raised:
                change.make(client)
            assert raised.value.problem == f"CLN reported success but changed nothing: {message or 'no reason given'}"
            assert isinstance(raised.value, RefusedError)
            assert not raised.value.outcome_unknown
    cln.says('{"success": true}')
    with pytest.raises(NotDoneError):
        change.make(client)


@each_change
@pytest.mark.parametrize("status", ["200 OK", "401 Unauthorized", "500 Oops"])
def test_cln_says_no(client: Client, cln: AnsweringCln, change: Change, status: str) -> None:
    """A refusal with any HTTP status is an error, and the outcome is known."""
    message = "Authorization failed" if "401" in status else "Limit reached"
    plain = f"success:false\nmessage:{message}"
    cln.says(refused(message) if change in IN_JSON else plain, status)
    with pytest.raises(AuthorizationError if "401" in status else RefusedError) as raised:
        change.make(client)
    assert raised.value.problem.endswith(f": {message}")
    assert not raised.value.outcome_unknown
    assert not isinstance(raised.value, NotDoneError)
    assert len(cln.asked) == 1


@each_in_json
@pytest.mark.parametrize("data", ["", [7], [[]], 1.5, {"key": {}, "name": {}, "code": "x"}])
def test_answers_of_another_shape(client: Client, cln: AnsweringCln, change: Change, data: Any) -> None:
    """Success with unreadable data leaves the outcome unknown; descriptive fields may be missing."""
    cln.gives(data)
    identified_by_the_call = isinstance(change.data, list | dict) and not change.call.endswith(
        ("create_key", "set_cidrs")
    )
    if isinstance(data, dict) and identified_by_the_call:
        change.make(client)
        return
    with pytest.raises(BadAnswerError) as raised:
        change.make(client)
    assert raised.value.outcome_unknown
    assert raised.value.problem.endswith(OPEN)


LOST: dict[str, tuple[bytes, type[ClnError], str]] = {
    "closed": (b"", UnreachableError, "connection closed while waiting for the response"),
    "an HTML page": (http_answer(b"<html>"), BadAnswerError, "unexpected response from CLN: an HTML page (HTTP 200)"),
    "nothing": (http_answer(b""), BadAnswerError, "unexpected response from CLN: an empty body (HTTP 200)"),
    "cut JSON": (
        http_answer(b'{"success": tr'),
        BadAnswerError,
        "unexpected response from CLN: truncated or malformed JSON (HTTP 200)",
    ),
    "no HTTP": (
        b"hello\r\n\r\n",
        BadAnswerError,
        "unexpected response from CLN: not valid HTTP (no HTTP status line); check api_url",
    ),
    "500": (
        http_answer(b"<html>", status="500 Oops"),
        BadAnswerError,
        "unexpected response from CLN: an HTML page (HTTP 500)",
    ),
    "500 and success": (
        http_answer(enveloped(None), status="500 Oops"),
        BadAnswerError,
        "unexpected response from CLN: a body that reports success (HTTP 500)",
    ),
    "503 that asks to wait": (
        http_answer(b"", "Retry-After: 5", status="503 Busy"),
        RateLimitedError,
        "rate limited by CLN: HTTP 503, retry after 5 s",
    ),
    "a redirect": (
        http_answer(b"", "Location: http://192.0.2.1/", status="302 Found"),
        BadAnswerError,
        "unexpected redirect to 192.0.2.1 (HTTP 302), not followed; check api_url",
    ),
    "bad gzip": (
        http_answer(b"no gzip at all", "Content-Encoding: gzip"),
        BadAnswerError,
        "unexpected response from CLN: invalid gzip data",
    ),
    "success that is none": (
        http_answer(b'{"success": "true", "data": true}'),
        BadAnswerError,
        "unexpected response from CLN: JSON with a success field that is neither true nor false (HTTP 200)",
    ),
}


@one_of_each_method
@pytest.mark.parametrize(("answer", "kind", "problem"), LOST.values(), ids=LOST.keys())
def test_answer_that_is_lost(
    *, client: Client, cln: AnsweringCln, change: Change, answer: bytes, kind: type[ClnError], problem: str
) -> None:
    """After a request was sent, a missing response leaves the outcome unknown, and there is no retry."""
    cln.answer = answer
    with pytest.raises(ClnError) as raised:
        change.make(client)
    assert type(raised.value) is kind
    assert raised.value.problem == problem + OPEN
    assert str(raised.value).startswith(f"sending {change.path} at {client.api}")
    assert raised.value.args == (raised.value.problem,)
    assert raised.value.outcome_unknown
    assert len(cln.asked) == 1


def test_registration_that_is_lost(client: Client, cln: AnsweringCln) -> None:
    """After a lost registration of a monitoring key, the error says to register it again."""
    cln.says("<html>")
    with pytest.raises(BadAnswerError) as raised:
        client.monitoring_keys.register("x" * 16)
    assert raised.value.problem == f"unexpected response from CLN: an HTML page (HTTP 200){REGISTERED}"
    assert raised.value.outcome_unknown


def _cut(connection: socket.socket) -> None:
    read_head(connection)
    connection.sendall(http_answer(enveloped(True))[:-3])


def _silent(connection: socket.socket) -> None:
    read_head(connection)
    connection.recv(1)


def _reset(connection: socket.socket) -> None:
    read_head(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


@pytest.mark.usefixtures("call_clock")
@pytest.mark.parametrize("script", [_cut, _silent, _reset], ids=["cut", "silence", "reset"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
def test_connection_that_is_lost(clients: Clients, authority: Authority, script: Script, tls: bool) -> None:
    """Silence, a reset or a truncated response leaves the outcome unknown, with and without TLS."""
    context = authority.server_context("localhost") if tls else None
    timeout = 10.0
    if script is _silent:
        timeout = 2.0 if tls else 0.1  # a handshake comes before what is waited for in vain
    with ScriptedServer(script, tls=context) as server, pytest.raises(ClnError) as raised:
        clients.writer(server.url, timeout=timeout, ca_file=str(authority.file)).kernelcare.delete_key(KEY)
    assert raised.value.outcome_unknown
    assert server.connections == 1


def test_too_large(clients: Clients, cln: AnsweringCln, monkeypatch: pytest.MonkeyPatch) -> None:
    """A response that is too large leaves the outcome unknown."""
    monkeypatch.setattr("cln_monitor.cln.http.answer.LARGEST_BODY", 10)
    with pytest.raises(BadAnswerError) as raised:
        clients.writer(cln.url).kernelcare.delete_key(KEY)
    assert raised.value.outcome_unknown


def test_connection_that_is_closed_upon_a_change(clients: Clients) -> None:
    """A change is sent over a new connection, and not retried if that is closed."""
    heads = []

    def script(connection: socket.socket) -> None:
        heads.append(read_head(connection))
        if heads[-1].startswith(b"GET"):
            connection.sendall(http_answer(enveloped([])))
            read_head(connection)

    with ScriptedServer(script) as server:
        client = clients.writer(server.url)
        client.kernelcare.keys()
        with pytest.raises(UnreachableError) as raised:
            client.groups.add_servers("web", ["a"])
        assert raised.value.outcome_unknown
        assert server.connections == 2
    assert [head.split(b" ")[0] for head in heads] == [b"GET", b"PUT"]


def test_kept_connection_that_was_closed_before(clients: Clients) -> None:
    """If the server closed the idle connection, the change is sent once, over a new one."""
    heads, closed = [], threading.Event()

    def script(connection: socket.socket) -> None:
        heads.append(read_head(connection))
        connection.sendall(http_answer(enveloped(data.pop(0))))
        connection.shutdown(socket.SHUT_RDWR)
        closed.set()

    data: list[object] = [[], True]
    with ScriptedServer(script) as server:
        client = clients.writer(server.url)
        client.kernelcare.keys()
        assert closed.wait(5)
        client.kernelcare.delete_key(KEY)
        assert server.connections == 2
    assert [head.split(b"?")[0] for head in heads] == [b"GET /kcare/key/list.json", b"GET /kcare/key/delete.json"]


@contextlib.contextmanager
def _closed_port() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    yield f"http://127.0.0.1:{port}"


def assert_nothing_happened(client: Client, kind: type[ClnError], problem: str) -> None:
    """Fail unless a change fails with ``problem`` before anything was sent."""
    with pytest.raises(kind) as raised:
        client.kernelcare.delete_key(KEY)
    assert problem in raised.value.problem
    assert OPEN not in raised.value.problem
    assert not raised.value.outcome_unknown


def test_nobody_is_reached(clients: Clients) -> None:
    """Without a connection the outcome of a change is known."""
    with _closed_port() as url:
        assert_nothing_happened(clients.writer(url), UnreachableError, "connection refused")
    assert_nothing_happened(clients.writer("http://nowhere.invalid"), UnreachableError, "cannot resolve the host name")


def test_certificate_that_is_not_trusted(clients: Clients, authority: Authority) -> None:
    """A failed TLS handshake comes before the request, so that the outcome is known."""
    with ScriptedServer(answering(http_answer()), tls=authority.server_context("localhost")) as server:
        assert_nothing_happened(clients.writer(server.url), UnreachableError, "certificate")
    with ScriptedServer(lambda connection: connection.recv(1)) as server:
        https = server.url.replace("http:", "https:")
        assert_nothing_happened(clients.writer(https), UnreachableError, "during the TLS handshake")


@pytest.mark.usefixtures("call_clock")
@pytest.mark.parametrize(
    ("script", "problem"),
    [
        (answering(http_answer(status="403 Forbidden")), "the proxy refused the connection: 403 Forbidden"),
        (read_head, "proxy"),
        (answering(b"hello\r\n\r\n"), ""),
        (_silent, "while waiting for the proxy"),
    ],
    ids=["refuses", "closes", "no HTTP", "silence"],
)
def test_proxy_that_lets_nothing_through(clients: Clients, script: Script, problem: str) -> None:
    """A CONNECT request to a proxy does not count as a sent request."""
    with ScriptedServer(script) as proxy:
        client = clients.writer("https://cln.example", proxy=proxy.url, timeout=0.1 if script is _silent else 10)
        assert_nothing_happened(client, ClnError, problem)  # type: ignore[type-abstract,unused-ignore] # any kind


def test_nothing_sent_in_time(clients: Clients, cln: AnsweringCln) -> None:
    """Nothing is sent after the deadline, or in a pause that CLN asked for."""
    client = clients.writer(cln.url)
    assert_nothing_happened(client.within(Deadline(0, clients.clock)), TimedOutError, "request not sent")
    assert cln.asked == []
    cln.says("", "429 Slow Down", "Retry-After: 60")
    assert_nothing_happened(client, RateLimitedError, "rate limited by CLN: HTTP 429, retry after 60 s")
    assert_nothing_happened(client, RateLimitedError, "rate limited for another")
    assert len(cln.asked) == 1
    assert clients.clock.slept == []


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
def test_token_that_is_refused(client: Client, cln: AnsweringCln, status: str) -> None:
    """With refused credentials nothing was changed."""
    cln.says("<html>", status)
    assert_nothing_happened(client, AuthorizationError, f"HTTP {status[:3]} without a reason")


def test_reads_leave_nothing_open(client: Client, cln: AnsweringCln) -> None:
    """The error of a read never has an unknown outcome."""
    cln.says("<html>")
    with pytest.raises(BadAnswerError) as raised:
        client.kernelcare.keys()
    assert not raised.value.outcome_unknown


QUOTED = " ".join(spell(secret) for secret in (LOGIN, SECRET_KEY, KEY, IMUNIFY_KEY) for spell in SPELLINGS.values())
QUOTING = {
    "refusal": http_answer(refused(QUOTED)),
    "refused token": http_answer(refused(f"Authorization failed {QUOTED}")),
    "nothing done": http_answer(json.dumps({"success": True, "message": QUOTED, "data": None}).encode()),
    "odd data": http_answer(json.dumps({"success": True, "message": QUOTED, "data": QUOTED}).encode()),
    "odd rows": http_answer(json.dumps({"success": True, "message": QUOTED, "data": [QUOTED]}).encode()),
    "page": http_answer(f"<html>{QUOTED}".encode()),
    "plain": http_answer(f"success:false\nmessage:{QUOTED}".encode()),
    "redirect": http_answer(b"", f"Location: https://{KEY}.example.com/", status="302 Found"),
    "closed": b"",
}


@each_change
@pytest.mark.parametrize("answer", QUOTING.values(), ids=QUOTING.keys())
@pytest.mark.many_inputs
def test_no_secret_shows(
    clients: Clients, cln: AnsweringCln, caplog: pytest.LogCaptureFixture, change: Change, answer: bytes
) -> None:
    """No secret is in an error or its causes, in any form that CLN may quote it."""
    caplog.set_level("DEBUG")
    client = clients.writer(cln.url)
    secrets = {name: value for name, value in (("key", KEY), ("new_key", IMUNIFY_KEY)) if name in change.arguments}
    if change.call == "monitoring_keys.register":
        secrets = {"key": KEY}
    for key in (KEY, IMUNIFY_KEY):
        client._caller.redactor.hide_key(key)
    client._caller.token()
    cln.answer = answer
    shown = caplog.text + repr(client)
    try:
        change.make(client, **secrets)
    except ClnError as error:
        shown += "\n".join(texts_of(error))
    hidden = {spell(secret) for secret in (LOGIN, SECRET_KEY, KEY, IMUNIFY_KEY) for spell in SPELLINGS.values()}
    assert not [secret for secret in {*hidden, KEY[5:], IMUNIFY_KEY[5:]} if secret in shown]


@pytest.mark.parametrize(
    "change", [each for each in IN_JSON if "key" in each.query or "create_key" in each.call], ids=named
)
def test_keys_in_answers_are_hidden(client: Client, cln: AnsweringCln, change: Change) -> None:
    """A key in a response is returned in full, and masked in all later texts."""
    row = {"key": KEY, "id": "a", "server_id": "a", "code": 0}
    cln.gives([row] if isinstance(change.data, list) else (True if change.data is True else row))
    result = change.make(client)
    if result is None:
        return
    first = result[0] if isinstance(result, list) else result
    assert (first if isinstance(first, str) else first.key) == KEY
    assert KEY not in client.scrub(f"about {KEY}")


class CannedTransport(Transport):
    """A transport that gives every request the same response, without a network."""

    body = b""

    def _send(self, *_: Any, **__: Any) -> Reply:
        return Reply(HttpAnswer(200, self.body), None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**20) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "key", "server_id", "code", "limit", "name", "ip", "type", "registered", "x"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def canned() -> Client:
    """A client with made-up responses."""
    clock = FakeClock()
    transport = CannedTransport(TransportSettings("http://127.0.0.1:9"), RateLimiter(1, 0, clock), clock, Redactor())
    return Client.over(transport, credentials())


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=JSON, bare=st.booleans())
def test_any_data(canned: Client, data: object, bare: bool) -> None:
    """With any JSON data, a change returns or raises a ClnError."""
    transport = canned._caller.transport
    assert isinstance(transport, CannedTransport)
    transport.body = json.dumps(data).encode() if bare else enveloped(data)
    for change in CHANGES:
        with contextlib.suppress(ClnError):
            change.make(canned)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=60))
def test_any_bytes(canned: Client, body: bytes) -> None:
    """No bytes in a response make a change seem done that was not."""
    transport = canned._caller.transport
    assert isinstance(transport, CannedTransport)
    transport.body = body
    for change in IN_JSON[:2]:
        with contextlib.suppress(ClnError):
            change.make(canned)


WRONG: dict[str, list[Any]] = {
    "limit": [-1, 1_000_001, True, 1.0, "2", float("nan"), [1]],
    "note": ["x" * 101, "a\nb", "\x00", "\ud800", "\u202e", 7, ["x"]],
    "key": ["", "abc", "x" * 129, "ab cd", "WsTs-1a2b3c4d", *(f"abcd{bad}" for bad in "/?#&%\n\x7f\u00e9"), None, 7],
    "new_key": ["", "IMUN-1a2b3c4d", "a/../b", None, b"IMUNNEWKEYVALUE"],
    "server_id": ["", "a b", "a,b", "a/b", "a?b", "a#b", "a&b", "a%b", "x" * 129, "\u00e9", "a\n", None, 7],
    "server_ids": [[], "SERVER-1", None, 7, [""], ["a", "a,b"], [None], ["a", 7], [["a"]]],
    "cidrs": [
        [],
        "192.0.2.0/24",
        None,
        ["192.0.2.0"],
        ["192.0.2.0/255.255.255.0"],
        ["192.0.2.1/24"],
        ["192.0.2.0/33"],
        ["2001:db8::/129"],
        ["192.0.2/24"],
        ["192.0.2.0/ 24"],
        ["192.0.2.0/-1"],
        ["host.example/24"],
        ["fe80::%1/64"],
        ["192.0.2.0/24", ""],
        ["192.0.2.0/24,192.0.3.0/24"],
        [None],
        [3221225984],
    ],
    "product": ["", " ", "x/y", "x" * 33, "CL\n", None, 360, ["CL"]],
    "code": ["", " ", "x/y", "x" * 33, "CELS\n", None, 360, ["AVP"]],
    "ip": [
        "",
        "192.0.2",
        "192.0.2.1/32",
        "192.0.2.01",
        "fe80::1%1",
        "a.example",
        "192.0.2.1,192.0.2.2",
        None,
        3221225985,
    ],
    "type": [0, -1, 100_000, True, "16", 16.0, [16]],
    "type_to": [0, -1, 100_000, True, None, "43", 41],
    "els_allowed": ["true", 1, 0, []],
    "name": ["", " ", "x" * 101, "a\nb", "\x1b", "\ud800", None, 7],
    "description": ["", "x" * 256, "a\tb", 7],
}
WRONG_CASES = [
    pytest.param(change, name, id=f"{change.call}-{name}") for change in CHANGES for name in change.arguments
]


@pytest.mark.parametrize(("change", "name"), WRONG_CASES)
def test_argument_that_is_wrong(client: Client, cln: AnsweringCln, change: Change, name: str) -> None:
    """An invalid argument is refused by its name before anything is sent."""
    for value in WRONG[name]:
        with pytest.raises(InvalidArgumentError) as raised:
            change.make(client, **{name: value})
        assert raised.value.argument == name
        assert str(raised.value).startswith(name)
        if name in {"key", "new_key"} and value:
            assert str(value) not in str(raised.value)
    assert cln.asked == []


def test_a_note_that_is_empty(client: Client, cln: AnsweringCln) -> None:
    """A new key has a note or none; the note of a key can be removed."""
    for create in (client.kernelcare.create_key, client.imunify.create_key, client.els.create_key):
        codes = {} if create == client.kernelcare.create_key else {"code": "AVP"}
        with pytest.raises(InvalidArgumentError):
            create(**codes, limit=1, note="")
    assert cln.asked == []
    cln.gives({})
    client.imunify.update_key("IMKEYVALUE", note="")
    assert cln.asked[0].query == {"key": "IMKEYVALUE", "note": ""}


def test_nothing_to_change(client: Client, cln: AnsweringCln) -> None:
    """An update without a limit or note is refused."""
    for update in (client.imunify.update_key, client.els.update_key):
        with pytest.raises(InvalidArgumentError) as raised:
            update("IMKEYVALUE")
        assert str(raised.value) == "limit: a limit or a note is required"
    assert cln.asked == []


def test_optional_arguments_are_left_out(client: Client, cln: AnsweringCln) -> None:
    """Arguments that are None are not sent, so that CLN keeps their values."""
    cln.gives({"key": "ABCD", "name": "a"})
    client.kernelcare.create_key(0)
    client.imunify.update_key("IMKEYVALUE", note="new")
    client.els.update_key("CELS-key", limit=0)
    client.groups.create("a")
    cln.gives(True)
    client.ip_licenses.remove("192.0.2.1")
    client.ip_licenses.update("2001:DB8::0:1", False)
    assert [asked.query for asked in cln.asked] == [
        {"limit": "0"},
        {"key": "IMKEYVALUE", "note": "new"},
        {"key": "CELS-key", "limit": "0"},
        {"name": "a"},
        {"ip": "192.0.2.1"},
        {"ip": "2001:db8::1", "els_allowed": "false"},
    ]


def test_without_credentials(clients: Clients, cln: AnsweringCln) -> None:
    """A client without credentials can only register a monitoring key."""
    client = Client.over(clients.transport(cln.url))
    with pytest.raises(ValueError, match="this client has no login and secret key"):
        client.kernelcare.delete_key(KEY)
    assert cln.asked == []
    cln.says("success:true code:0")
    client.monitoring_keys.register("x" * 16)


def test_the_reading_client_is_one_of_its_kind(clients: Clients, cln: AnsweringCln) -> None:
    """``Client`` is a ``ReadOnlyClient``, and derived clients keep their type."""
    client = clients.writer(cln.url)
    assert isinstance(client, ReadOnlyClient)
    assert type(client.within(Deadline.never(clients.clock))) is Client
    cln.gives([{"key": "A"}])
    assert [key.key for key in client.imunify.keys()] == ["A"]


def test_simulated_kernelcare(clients: Clients, served: Served) -> None:
    """A KernelCare key of the simulator can be created, opened to networks, and deleted once."""
    kernelcare = clients.writer(served.url).kernelcare
    key = kernelcare.create_key(2, "web & mail")
    assert [(each.key, each.limit, each.note) for each in kernelcare.keys()] == [(key, 2, "web & mail")]
    kernelcare.set_cidrs(key, ["192.0.2.0/24", "2001:db8::/32"])
    kernelcare.delete_key(key)
    assert kernelcare.keys() == []
    with pytest.raises(NotDoneError):
        kernelcare.delete_key(key)
    with pytest.raises(NotDoneError) as raised:
        kernelcare.remove_server("nobody")
    assert raised.value.problem == "CLN reported success but changed nothing: Server not found"


def test_simulated_imunify_and_els(clients: Clients, served: Served) -> None:
    """A key of the simulator can be created, updated and removed."""
    client = clients.writer(served.url)
    imunify = client.imunify.create_key("360_30", 0, "one")
    els = client.els.create_key("ELS_FOR_CENTOS7_PLUS_SLA", 3)
    assert (imunify.code, imunify.limit, els.code, els.limit) == ("360_30", 0, "ELS_FOR_CENTOS7_PLUS_SLA", 3)
    assert client.imunify.update_key(imunify.key, limit=7).limit == 7
    assert client.els.update_key(els.key, limit=8, note="two").limit == 8
    assert [(each.key, each.limit, each.note) for each in client.els.keys("ELS_FOR_CENTOS7_PLUS_SLA")] == [
        (els.key, 8, "two")
    ]
    assert [(each.key, each.limit) for each in client.imunify.keys()] == [(imunify.key, 7)]
    assert client.imunify.remove_key(imunify.key) == []
    assert client.els.remove_key(els.key) == []
    assert client.imunify.keys() == []
    assert client.els.keys("ELS_FOR_CENTOS7_PLUS_SLA") == []


def test_simulated_licenses(clients: Clients, served: Served) -> None:
    """An IP license of the simulator can be registered, converted, and removed once."""
    licenses = clients.writer(served.url).ip_licenses
    bought = licenses.register("192.0.2.1", 41, els_allowed=True)
    assert (bought.ip, bought.type) == ("192.0.2.1", 41)
    licenses.convert("192.0.2.1", 41, 43)
    assert licenses.check("192.0.2.1") == licenses.availability("192.0.2.1").owned == [43]
    licenses.update("192.0.2.1", False)
    licenses.remove("192.0.2.1")
    assert licenses.licenses() == []
    with pytest.raises(NotDoneError):
        licenses.remove("192.0.2.1", 43)


def test_simulated_servers_and_groups(clients: Clients, served: Served, account: Account) -> None:
    """Servers of the simulator can be moved to a key, added to a group, and removed."""
    client = clients.writer(served.url)
    account.add_imunify_key(IMUNIFY_KEY).add_server("a", ip="192.0.2.1")
    another = client.imunify.create_key("360_UN", 5)
    assert client.imunify.convert_server("a", another.key) == ConvertedServer("a", another.key)
    assert client.groups.create("web", "all of them") == Group("web", "all of them")
    assert [each.server_id for each in client.groups.add_servers("web", ["a"])] == ["a"]
    assert [each.server_id for each in client.groups.servers("web")] == ["a"]
    assert [each.server_id for each in client.groups.remove_servers("web", ["a"])] == ["a"]
    with pytest.raises(NotDoneError):
        client.groups.remove_servers("web", ["a"])
    assert client.groups.groups() == [Group("web", "all of them")]
    assert client.imunify.remove_server("a") == RemovedServer("a", another.key)
    with pytest.raises(RefusedError) as raised:
        client.imunify.remove_server("a")
    assert not raised.value.outcome_unknown
