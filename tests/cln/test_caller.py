"""Credentials, tokens, deadlines, and the context of errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest

from cln_monitor.cln import (
    AuthorizationError,
    BadAnswerError,
    Client,
    ClnError,
    Credentials,
    Deadline,
    ReadOnlyClient,
    Secret,
    TimedOutError,
)
from cln_monitor.cln.caller import Caller
from cln_monitor.cln.endpoints import KERNELCARE_KEYS
from cln_monitor.cln.fields import identity
from cln_monitor.simulator import Account, Fault, Served, Simulator
from tests.helpers.clock import NOW

from .answering import AnsweringCln
from .asking import (
    KEY,
    LOGIN,
    MONITORING_KEY,
    REGISTRATION_TOKEN,
    SECRET_KEY,
    Clients,
    credentials,
    enveloped,
    refused,
)


def test_token_that_the_simulator_takes(clients: Clients, simulator: Simulator, served: Served) -> None:
    """The simulator accepts the token of login, timestamp and digest."""
    assert clients.client(served.url).kernelcare.keys() == []
    login, stamp, digest = simulator.requests[0].query["token"].split("|")
    assert (login, stamp, len(digest)) == (LOGIN, str(int(NOW)), 40)
    assert "%7C" in simulator.requests[0].target
    assert "|" not in simulator.requests[0].target


def test_changed_secret_key_is_seen(clients: Clients, account: Account, served: Served) -> None:
    """The secret key is read for each request, so that a new one needs no restart."""
    current = [SECRET_KEY]
    client = ReadOnlyClient.over(clients.transport(served.url), Credentials(LOGIN, lambda: Secret(current[0])))
    client.kernelcare.keys()
    account.secret_key = "another secret key"
    with pytest.raises(AuthorizationError):
        client.kernelcare.keys()
    current[0] = "another secret key"
    assert client.kernelcare.keys() == []
    assert client.scrub("another secret key") == "<secret>"


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (FileNotFoundError(2, "No such file or directory", "/etc/planted"), "No such file or directory"),
        (PermissionError(13, "Permission denied", "/etc/planted"), "Permission denied"),
        (ValueError("is empty"), "it is empty"),
    ],
)
def test_secret_that_cannot_be_read(
    clients: Clients, simulator: Simulator, served: Served, error: Exception, why: str
) -> None:
    """A secret that cannot be read is reported as auth, and nothing is sent."""

    def source() -> Secret:
        raise error

    client = ReadOnlyClient.over(clients.transport(served.url), Credentials(LOGIN, source, source))
    with pytest.raises(AuthorizationError) as raised:
        client.kernelcare.keys()
    assert raised.value.problem == f"cannot read the secret key ({why}); request not sent"
    with pytest.raises(AuthorizationError) as raised:
        client.patch_status.for_reseller()
    assert raised.value.problem == f"cannot read the registration token ({why}); request not sent"
    assert raised.value.__context__ is None
    assert simulator.requests == []


def test_without_credentials(clients: Clients, simulator: Simulator, served: Served) -> None:
    """Without credentials only the status can be read; other calls raise ValueError."""
    client = ReadOnlyClient.over(clients.transport(served.url))
    assert client.status.flags().is_good("xmlrpc")
    simulator.clear_requests()
    for call in (client.kernelcare.keys, client.imunify.keys, client.patch_status.for_reseller):
        with pytest.raises(ValueError, match="this client has no login and secret key; it can only read the status"):
            call()
    assert simulator.requests == []


CALLS: dict[str, tuple[Callable[[ReadOnlyClient], object], str]] = {
    "status": (lambda client: client.status.flags(), "reading /status.json at {api}"),
    "kernelcare.keys": (lambda client: client.kernelcare.keys(), "reading /kcare/key/list.json at {api}"),
    "kernelcare.servers": (
        lambda client: client.kernelcare.servers(KEY),
        "reading /kcare/key/servers.json at {api} for key Pl4n-87d3e7eb",
    ),
    "imunify.keys": (lambda client: client.imunify.keys(), "reading /im/key/list.json at {api}"),
    "imunify.servers": (
        lambda client: client.imunify.servers(KEY),
        "reading /im/srv/list.json at {api} for key Pl4n-87d3e7eb",
    ),
    "patch_status.for_key": (
        lambda client: client.patch_status.for_key(MONITORING_KEY),
        "reading /kcare/nagios/{{key}} at {api} for key Pl4n-1ce19c80",
    ),
    "patch_status.for_reseller": (
        lambda client: client.patch_status.for_reseller(),
        "reading /kcare/nagios-res/{{login}}/{{token}} at {api}",
    ),
}


@pytest.mark.parametrize(("call", "attempted"), CALLS.values(), ids=CALLS.keys())
def test_errors_name_what_was_attempted(
    clients: Clients,
    simulator: Simulator,
    served: Served,
    call: Callable[[ReadOnlyClient], object],
    attempted: str,
) -> None:
    """Each error names the call, the host, and the masked key."""
    simulator.faults.add(Fault("garbage"))
    client = clients.client(served.url)
    with pytest.raises(ClnError) as raised:
        call(client)
    assert str(raised.value) == (
        f"{attempted.format(api=client.api)}: unexpected response from CLN: "
        "not valid HTTP (no HTTP status line); check api_url"
    )


@pytest.mark.parametrize("data", [{"no": "list"}, [""]], ids=["data of another shape", "a row of another shape"])
def test_errors_in_data_are_named(clients: Clients, simulator: Simulator, served: Served, data: object) -> None:
    """An error in the data or in a row names the call as well."""
    simulator.faults.add(Fault("answer", body=enveloped(data)))
    caller = Caller(clients.transport(served.url), credentials(), Deadline.never(clients.clock))
    with pytest.raises(ClnError) as raised:
        caller.get_rows(KERNELCARE_KEYS, str, lambda row: identity(row, "key"))
    assert raised.value.attempted == f"reading /kcare/key/list.json at {caller.transport.settings.host}"


@pytest.mark.parametrize(
    ("call", "secret"),
    [
        ("kernelcare.servers", LOGIN),
        ("kernelcare.servers", SECRET_KEY),
        ("kernelcare.servers", KEY),
        ("patch_status.for_reseller", LOGIN),
        ("patch_status.for_reseller", REGISTRATION_TOKEN),
    ],
)
@pytest.mark.parametrize("before", [0, 245, 390])
def test_secrets_in_a_reason_of_cln(
    *, clients: Clients, simulator: Simulator, served: Served, call: str, secret: str, before: int
) -> None:
    """Secrets that CLN quotes in a message are replaced, also where a long message is truncated."""
    simulator.faults.add(Fault("answer", body=refused("x" * before + secret + " and more")))
    with pytest.raises(ClnError) as raised:
        CALLS[call][0](clients.client(served.url, registration_token=REGISTRATION_TOKEN))
    assert secret[:6] not in raised.value.problem.replace("Pl4n-87d3e7eb", "")


UNUSED = f"{LOGIN} {SECRET_KEY} {REGISTRATION_TOKEN} {MONITORING_KEY}"
"""What a client may be given, of which no call carries all."""

KNOWN_BY: dict[str, Callable[[Clients, str], Client]] = {
    "texts": lambda _, url: Client(LOGIN, SECRET_KEY, registration_token=REGISTRATION_TOKEN, api_url=url),
    "sources": lambda clients, url: Client.over(
        clients.transport(url), Credentials(LOGIN, lambda: Secret(SECRET_KEY), lambda: Secret(REGISTRATION_TOKEN))
    ),
}
EVERY_CALL: dict[str, Callable[[Client], object]] = {
    **{name: call for name, (call, _) in CALLS.items()},
    "monitoring_keys.register": lambda client: client.monitoring_keys.register(MONITORING_KEY),
    "kernelcare.delete_key": lambda client: client.kernelcare.delete_key(KEY),
}


@pytest.mark.parametrize("known_by", KNOWN_BY)
@pytest.mark.parametrize("call", EVERY_CALL)
def test_secrets_that_a_call_does_not_carry(clients: Clients, cln: AnsweringCln, call: str, known_by: str) -> None:
    """The secrets of a client are replaced from its very first error on, in every call."""
    cln.says(refused(UNUSED))
    with KNOWN_BY[known_by](clients, cln.url) as client, pytest.raises(ClnError) as raised:
        EVERY_CALL[call](client)
    told = f"{raised.value} {raised.value!r}"
    assert not [secret for secret in (LOGIN, SECRET_KEY, REGISTRATION_TOKEN) if secret in told]


@pytest.mark.parametrize("known_by", KNOWN_BY)
def test_secrets_before_the_first_call(clients: Clients, cln: AnsweringCln, known_by: str) -> None:
    """A client replaces its secrets in texts before its first call."""
    with KNOWN_BY[known_by](clients, cln.url) as client:
        assert client.scrub(f"{LOGIN} {SECRET_KEY} {REGISTRATION_TOKEN}") == "<login> <secret> <secret>"
        assert client.may_show_secret(REGISTRATION_TOKEN)


def test_password_of_the_api(clients: Clients, cln: AnsweringCln) -> None:
    """A password in the API URL is replaced, as written and as the header has it."""
    cln.says(refused("bWU6cGw0bnRlZC3DqQ== pl4nted-é pl4nted-%C3%A9"))
    client = clients.client(cln.url.replace("//", "//me:pl4nted-%C3%A9@"))
    with pytest.raises(ClnError) as raised:
        client.kernelcare.keys()
    assert raised.value.problem == "CLN refused the request: <secret> <secret> <secret>"


class Rotated:
    """Sources whose secrets change while a response is awaited; ``changed`` has the new ones."""

    def __init__(self, cln: AnsweringCln) -> None:
        self._cln = cln
        self.changed = ["n3w-pl4nted-key", "n3w-pl4nted-token"]

    def credentials(self) -> Credentials:
        """Return credentials that change with each request."""
        return Credentials(LOGIN, lambda: self._text(0), lambda: self._text(1))

    def _text(self, which: int) -> Secret:
        return Secret(self.changed[which] if self._cln.asked else (SECRET_KEY, REGISTRATION_TOKEN)[which])


@pytest.mark.parametrize("call", EVERY_CALL)
def test_secrets_that_change_during_a_call(clients: Clients, cln: AnsweringCln, call: str) -> None:
    """Secrets from before and after a change are replaced in the error, and in later texts."""
    rotated = Rotated(cln)
    cln.says(refused(f"{UNUSED} {' '.join(rotated.changed)}"))
    client = Client.over(clients.transport(cln.url), rotated.credentials())
    with pytest.raises(ClnError) as raised:
        EVERY_CALL[call](client)
    told = f"{raised.value} {raised.value!r}"
    assert not [secret for secret in (LOGIN, SECRET_KEY, REGISTRATION_TOKEN, *rotated.changed) if secret in told]
    assert client.scrub(" ".join(rotated.changed)) == "<secret> <secret>"


def test_secrets_that_change_before_an_answer_is_shown(clients: Clients, cln: AnsweringCln) -> None:
    """After a call the new secrets are known as well, as a note may contain one."""
    rotated = Rotated(cln)
    cln.says("[]")
    client = Client.over(clients.transport(cln.url), rotated.credentials())
    assert client.kernelcare.keys() == []
    assert client.scrub(" ".join(rotated.changed)) == "<secret> <secret>"


@pytest.mark.parametrize(
    "error", [FileNotFoundError(2, "No such file"), ValueError("is empty"), RuntimeError("sealed")]
)
def test_other_secrets_that_cannot_be_read(
    clients: Clients, account: Account, served: Served, error: Exception
) -> None:
    """A secret that a call does not need may be unreadable."""
    assert account.login == LOGIN
    readable = False

    def token() -> Secret:
        if not readable:
            raise error
        return Secret(REGISTRATION_TOKEN)

    def keys() -> Sequence[Secret]:
        raise error

    client = Client.over(clients.transport(served.url), Credentials(LOGIN, lambda: Secret(SECRET_KEY), token, keys))
    assert client.kernelcare.keys() == []
    assert client.status.flags().is_good("xmlrpc")
    assert client.scrub(SECRET_KEY) == "<secret>"
    readable = True
    client.kernelcare.keys()
    assert client.scrub(REGISTRATION_TOKEN) == "<secret>"


def test_monitoring_keys_are_known(clients: Clients, cln: AnsweringCln) -> None:
    """Monitoring keys are replaced in texts; new ones are known after ``hide_secrets``."""
    keys = [Secret(MONITORING_KEY)]
    sources = Credentials(LOGIN, lambda: Secret(SECRET_KEY), monitoring_keys=lambda: keys)
    client = Client.over(clients.transport(cln.url), sources)
    assert client.scrub(MONITORING_KEY) == "Pl4n-1ce19c80"
    keys.append(Secret("N3wMonitoringKey001"))
    client.hide_secrets()
    assert "N3wMonitoringKey001" not in client.scrub("its note: N3wMonitoringKey001")


def test_secrets_in_a_row(clients: Clients, simulator: Simulator, served: Served) -> None:
    """A secret in the wrong field of a row is replaced in the error."""
    row = {"server_id": "A", "last_checkin": f"{SECRET_KEY} and {LOGIN}"}
    simulator.faults.add(Fault("answer", body=enveloped([row])))
    with pytest.raises(ClnError) as raised:
        clients.client(served.url).kernelcare.servers(KEY)
    assert raised.value.problem == "unexpected response from CLN: last_checkin is '<secret> and <login>', not a date"


def test_secrets_in_a_message_beside_no_data(clients: Clients, simulator: Simulator, served: Served) -> None:
    """A secret in the message of CLN is replaced if the data has the wrong shape."""
    body = json.dumps({"success": True, "message": f"No keys found for {LOGIN}", "data": None}).encode()
    simulator.faults.add(Fault("answer", body=body))
    with pytest.raises(BadAnswerError) as raised:
        clients.client(served.url).kernelcare.keys()
    assert raised.value.problem.endswith("; message: No keys found for <login>")


@pytest.mark.usefixtures("call_clock")
def test_a_deadline_that_has_a_name(clients: Clients, simulator: Simulator, served: Served) -> None:
    """The error of a run's deadline names its option; the timeout of a call does not."""
    client = clients.client(served.url, requests_per_second=0.1).within(Deadline(5, clients.clock, "-t/--timeout"))
    client.kernelcare.keys()
    with pytest.raises(TimedOutError) as raised:
        client.kernelcare.keys()
    assert raised.value.problem == (
        "timed out waiting for the rate limit (requests_per_second); request not sent; increase -t/--timeout"
    )
    simulator.faults.add(Fault("hang"))
    hurried = clients.client(served.url).within(Deadline(0.1, clients.clock, "-t/--timeout"))
    with pytest.raises(TimedOutError) as raised:
        hurried.kernelcare.keys()
    assert raised.value.problem == ("timed out after 0.1 s while waiting for the response; increase -t/--timeout")
    patient = clients.client(served.url, timeout=0.1).within(Deadline(60, clients.clock, "-t/--timeout"))
    with pytest.raises(TimedOutError) as raised:
        patient.kernelcare.keys()
    assert raised.value.problem == "timed out after 0.1 s while waiting for the response"


def test_within_a_deadline(clients: Clients, simulator: Simulator, served: Served) -> None:
    """Several calls share one deadline, which does not affect the original client."""
    client = clients.client(served.url, requests_per_second=0.1)
    hurried = client.within(Deadline(15, clients.clock))
    hurried.kernelcare.keys()
    hurried.kernelcare.keys()
    with pytest.raises(TimedOutError) as raised:
        hurried.kernelcare.keys()
    assert raised.value.problem == "timed out waiting for the rate limit (requests_per_second); request not sent"
    client.kernelcare.keys()
    assert len(simulator.requests) == 3
