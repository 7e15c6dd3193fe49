"""The client as its users call it, and the promise that no secret is ever shown."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cln_monitor.cln import Client, ClnError, Deadline, InvalidArgumentError, ReadOnlyClient, Redactor, RefusedError
from cln_monitor.cln.endpoints import READS, STATUS_PLAIN
from cln_monitor.cln.http import answer as answer_module
from cln_monitor.simulator import Account, Fault, Served, Simulator, serve
from cln_monitor.simulator.faults import KINDS
from tests.helpers.clock import FakeClock

from .answers import texts_of
from .asking import (
    IMUNIFY_KEY,
    KEY,
    LOGIN,
    MONITORING_KEY,
    REGISTRATION_TOKEN,
    SECRET_KEY,
    SECRETS,
    SPELLINGS,
    Clients,
    refused,
)

CALLS: dict[str, Callable[[ReadOnlyClient], object]] = {
    "status": lambda client: client.status.flags(),
    "kernelcare.keys": lambda client: client.kernelcare.keys(),
    "kernelcare.servers": lambda client: client.kernelcare.servers(KEY),
    "imunify.keys": lambda client: client.imunify.keys(),
    "imunify.servers": lambda client: client.imunify.servers(IMUNIFY_KEY),
    "ip_licenses.licenses": lambda client: client.ip_licenses.licenses(),
    "ip_licenses.servers": lambda client: client.ip_licenses.servers(["192.0.2.1"]),
    "els.keys": lambda client: client.els.keys("CELS"),
    "els.servers": lambda client: client.els.servers("CELS"),
    "ip_licenses.availability": lambda client: client.ip_licenses.availability("192.0.2.1"),
    "ip_licenses.check": lambda client: client.ip_licenses.check("192.0.2.1"),
    "groups.groups": lambda client: client.groups.groups(),
    "groups.servers": lambda client: client.groups.servers("web"),
    "awp.usage": lambda client: client.awp.usage("2023-12"),
    "cloudlinux.keys": lambda client: client.cloudlinux.keys("CL"),
    "cloudlinux.servers": lambda client: client.cloudlinux.servers("CL"),
    "cloudlinux.sub_account_servers": lambda client: client.cloudlinux.sub_account_servers(),
    "patch_status.for_key": lambda client: client.patch_status.for_key(MONITORING_KEY),
    "patch_status.for_reseller": lambda client: client.patch_status.for_reseller(),
}

ALL_SPELLED = sorted({spell(secret) for secret in SECRETS[:-1] for spell in SPELLINGS.values()})
QUOTING = " ".join(ALL_SPELLED)

FIELDS: dict[str, dict[str, Any]] = {
    "answer": {"body": refused(QUOTING)},
    "raw": {"body": f"HTTP/1.1 200 OK\r\n{QUOTING}\r\n\r\n"},
    "huge": {"size": 2 << 20},
    "redirect": {"location": f"https://{LOGIN}:{KEY}@{MONITORING_KEY}.example.com/{QUOTING}"},
    "skew": {"seconds": 1e6},
    "status": {"status": 429, "retry_after": KEY},
    "drip": {"seconds": 0.01},
    "drip_headers": {"seconds": 0.01},
    "latency": {"seconds": 60},
}
WITHOUT_END = {"hang", "drip", "drip_headers", "latency"}
"""What a call is cut off from: others have all the time that they need."""
FAULTS = [(kind, FIELDS.get(kind, {})) for kind in KINDS] + [
    ("huge", {"size": 1 << 30, "gzip": True}),
    ("status", {"status": 403, "html": True}),
    ("status", {"status": 503, "retry_after": 60}),
    ("answer", {"body": f"success:false\nmessage:{QUOTING}"}),
    ("answer", {"body": f"Servers not found for key {QUOTING}"}),
    ("answer", {"body": f"Registration token not found for reseller {QUOTING}"}),
    ("answer", {"body": f"<html>{QUOTING}"}),
    ("answer", {"body": b'[{"key": "\xff' + QUOTING.encode() + b'"'}),
    ("answer", {"body": [{"key": "A", "limit": SECRET_KEY}]}),
    ("answer", {"body": [{"server_id": "A", "id": "A", "last_checkin": QUOTING}]}),
    ("answer", {"body": {QUOTING: KEY}}),
]


def spelled(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a fault, with a body that is data as JSON."""
    body = fields.get("body")
    return fields if body is None or isinstance(body, str | bytes) else {**fields, "body": json.dumps(body)}


@contextlib.contextmanager
def furnished_cln() -> Iterator[tuple[Simulator, Served]]:
    """Serve a CLN with one account that has a key of each product."""
    simulator = Simulator(clock=FakeClock().time)
    account = simulator.add_account(LOGIN, SECRET_KEY, REGISTRATION_TOKEN)
    account.add_kernelcare_key(KEY).add_server()
    account.add_imunify_key(IMUNIFY_KEY).add_server()
    account.add_monitoring_key(MONITORING_KEY)
    with serve(simulator) as served:
        yield simulator, served


@pytest.fixture(scope="module")
def furnished() -> Iterator[tuple[Simulator, Served]]:
    """The CLN of the tests with faults; its account has a key of each product."""
    with furnished_cln() as furnished:
        yield furnished


@pytest.fixture(scope="module")
def knowing(furnished: tuple[Simulator, Served], one_ca: Path) -> Iterator[tuple[Clients, ReadOnlyClient]]:
    """A client that has made each call, and so knows all secrets."""
    _, served = furnished
    with Clients(FakeClock(), Redactor(), one_ca) as clients:
        clients.client(served.url).patch_status.for_reseller()
        client = clients.client(served.url, timeout=20, registration_token=REGISTRATION_TOKEN)
        for call in CALLS.values():
            with contextlib.suppress(RefusedError):  # there is no such group
                call(client)
        yield clients, client


def test_each_read_is_here(clients: Clients) -> None:
    """CALLS has every read-only call, so that each is checked for secrets."""
    with furnished_cln() as (simulator, served):
        client = clients.client(served.url, timeout=20, registration_token=REGISTRATION_TOKEN)
        for call in CALLS.values():
            with contextlib.suppress(RefusedError):  # there is no such group
                call(client)
    sent = [request.path for request in simulator.requests]
    forms = {each.template: re.sub(r"\{\w+\}", ".+", each.template) for each in READS - {STATUS_PLAIN}}
    assert [path for path, form in forms.items() if not any(re.fullmatch(form, each) for each in sent)] == []


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
@pytest.mark.parametrize(
    ("kind", "fields"), FAULTS, ids=[f"{kind}-{number}" for number, (kind, _) in enumerate(FAULTS)]
)
@pytest.mark.many_inputs
def test_no_secret_shows(
    *,
    knowing: tuple[Clients, ReadOnlyClient],
    furnished: tuple[Simulator, Served],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    call: Callable[[ReadOnlyClient], object],
    kind: str,
    fields: dict[str, Any],
) -> None:
    """No secret is in an error of any call or in its causes, with any fault, in any form."""
    monkeypatch.setattr(answer_module, "LARGEST_BODY", 1 << 20)
    caplog.set_level("DEBUG")
    clients, client = knowing
    simulator, _ = furnished
    clients.clock.advance(1000)  # beyond any pause that the test before this one was asked for
    simulator.faults.clear()
    simulator.faults.add(Fault(kind, **spelled(fields)))
    if kind in WITHOUT_END:
        client = client.within(Deadline(0.05, clients.clock))
    try:
        call(client)
    except ClnError as error:
        shown = "\n".join(texts_of(error))
    else:
        shown = ""
    shown += caplog.text + repr(client) + repr(clients.exchanges)
    digests = {digest for request in simulator.requests for digest in re.findall("%7C([0-9a-f]{40})", request.target)}
    assert digests
    assert not [
        secret for secret in {*ALL_SPELLED, *digests, KEY[5:], IMUNIFY_KEY[5:], MONITORING_KEY[5:]} if secret in shown
    ]


def test_most_faults_are_errors(clients: Clients, furnished: tuple[Simulator, Served]) -> None:
    """All faults except interim responses cause an error, so that the test above has errors to check."""
    simulator, served = furnished
    kinds = set()
    for kind, fields in FAULTS:
        simulator.faults.clear()
        simulator.faults.add(Fault(kind, **spelled(fields)))
        try:
            clients.client(served.url, timeout=0.05 if kind in WITHOUT_END else 20).kernelcare.keys()
        except ClnError:
            kinds.add(kind)
    assert kinds == set(KINDS) - {"interim"}


def test_objects_show_no_secrets(clients: Clients, served: Served) -> None:
    """The representations of client objects contain no secret."""
    client = clients.client(served.url, proxy=f"http://me:{KEY}@127.0.0.1:9", registration_token=REGISTRATION_TOKEN)
    caller = client._caller
    shown = repr([client, caller, caller.transport, caller.transport.settings, caller.credentials, caller.redactor])
    assert not [secret for secret in SECRETS if secret in shown]


def test_api(clients: Clients) -> None:
    """A client names the host of its API root."""
    assert clients.client("https://cln.cloudlinux.com/api").api == "cln.cloudlinux.com"


def test_scrub(clients: Clients, redactor: Redactor, served: Served) -> None:
    """A client replaces its secrets in any text."""
    client = clients.client(served.url)
    client.kernelcare.keys()
    assert client.scrub(f"{LOGIN} and {SECRET_KEY}") == "<login> and <secret>"
    assert redactor.scrub(SECRET_KEY) == "<secret>"


def test_within_asks_over_the_same_connection(clients: Clients, simulator: Simulator, served: Served) -> None:
    """A client with a deadline uses the same account and connections."""
    client = clients.client(served.url)
    client.kernelcare.keys()
    client.within(Deadline(5, clients.clock)).imunify.keys()
    assert len({request.client_port for request in simulator.requests}) == 1


def test_close(clients: Clients, simulator: Simulator, served: Served) -> None:
    """A closed client holds no connection, and reconnects for the next call."""
    client = clients.client(served.url)
    client.kernelcare.keys()
    client.close()
    client.kernelcare.keys()
    assert len({request.client_port for request in simulator.requests}) == 2


@pytest.mark.parametrize("failure_status", [200, 401, 500])
def test_wrong_secret_key(
    clients: Clients, simulator: Simulator, account: Account, served: Served, failure_status: int
) -> None:
    """A wrong secret key is reported as auth with any HTTP status, and not retried."""
    simulator.failure_status = failure_status
    account.secret_key = "another"
    client = clients.client(served.url)
    with pytest.raises(ClnError) as raised:
        client.kernelcare.keys()
    assert str(raised.value) == (
        f"reading /kcare/key/list.json at {client.api}: CLN refused the token: Authorization failed"
    )
    assert raised.value.reason == "auth"
    assert len(simulator.requests) == 1


@pytest.mark.parametrize(("skew", "how"), [(3600, "3600 s behind"), (-7200, "7200 s ahead of")])
def test_clock_that_is_wrong(clients: Clients, simulator: Simulator, served: Served, skew: int, how: str) -> None:
    """With a clock an hour off, the error and the observed request explain the refused token."""
    simulator.faults.add(Fault("skew", seconds=skew))
    client = clients.client(served.url)
    for call, text in (
        (client.kernelcare.keys, "Authorization failed"),
        (client.patch_status.for_reseller, "Registration token not found for reseller <login> not found"),
    ):
        with pytest.raises(ClnError) as raised:
            call()
        assert raised.value.problem == f"CLN refused the token: {text}; the local clock is {how} the clock of CLN"
        assert raised.value.reason == "auth"
    assert [exchange.clock_skew for exchange in clients.exchanges] == [skew, skew]


@pytest.mark.parametrize("kind", [ReadOnlyClient, Client])
def test_made_of_texts(kind: type[ReadOnlyClient], served: Served, simulator: Simulator) -> None:
    """A client is made from a login and a secret key, and closes its connections on exit."""
    with kind(LOGIN, SECRET_KEY, api_url=f"{served.url}/", registration_token=REGISTRATION_TOKEN) as client:
        # The simulator's clock stands still, so the token is of another time; that it came to an answer is enough.
        with contextlib.suppress(ClnError):
            client.kernelcare.keys()
        assert client.patch_status.for_reseller().ok
        assert repr(client) == f"<{kind.__name__} of {client.api}>"
        assert not [secret for secret in SECRETS if secret in repr([client, vars(client), client._caller])]
        assert type(client.within(Deadline(5, FakeClock()))) is kind
    assert simulator.requests[0].path == "/kcare/key/list.json"
    assert client._caller.transport.settings.timeout == 15


def test_default_is_cln_itself() -> None:
    """By default the client uses CLN itself, and verifies its certificate."""
    with Client("me", "a secret") as client:
        settings = client._caller.transport.settings
    assert settings.api_url == "https://cln.cloudlinux.com/api"
    assert (settings.proxy, settings.ca_file, settings.insecure_skip_verify) == (None, None, False)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("login", ["", None, "me|1", "a\nb", 7]),
        ("secret_key", ["", None, b"bytes"]),
        ("registration_token", ["", 7]),
        (
            "api_url",
            ["", None, "cln.cloudlinux.com/api", "ftp://cln", "https://", "https://cln/api?x=1", "https://a b"],
        ),
        ("timeout", [0, -1, None, "15", True, float("nan"), float("inf"), 10**400]),
        ("insecure_skip_verify", ["false", 0, None]),
        ("proxy", ["", "proxy:3128", 3128]),
        ("ca_file", ["", 7]),
    ],
)
def test_made_of_something_wrong(name: str, values: list[Any]) -> None:
    """An invalid argument of the client is reported by its name."""
    for value in values:
        with pytest.raises(InvalidArgumentError) as raised:
            Client(**{"login": LOGIN, "secret_key": SECRET_KEY, name: value})
        assert raised.value.argument == name
        assert not [secret for secret in (LOGIN, SECRET_KEY) if secret in repr(raised.value)]


def test_ca_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing CA bundle raises an error when the client is made."""
    with pytest.raises(FileNotFoundError):
        Client(LOGIN, SECRET_KEY, ca_file=str(tmp_path / "none.pem"))
