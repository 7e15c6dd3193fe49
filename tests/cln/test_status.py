"""The status flags of CLN's services."""

from __future__ import annotations

import json

import pytest

from cln_monitor.cln import BadAnswerError, ClnError, ReadOnlyClient, ServiceStatus, UnreachableError
from cln_monitor.cln.status import DOCUMENTED
from cln_monitor.simulator import Fault, Served, Simulator

from .asking import Clients, enveloped
from .samples import LITERAL, MEANT

GOOD_FLAGS = {
    "db_clweb_connected": True,
    "db_clweb_online": True,
    "db_rhn_connected": True,
    "db_rhn_online": True,
    "ip_server_reg": True,
    "rhn_overloaded": False,
    "rhn_queue_full": False,
    "xmlrpc": True,
}


@pytest.fixture
def client(clients: Clients, served: Served) -> ReadOnlyClient:
    """A client without credentials."""
    return ReadOnlyClient.over(clients.transport(served.url))


def answers(simulator: Simulator, body: bytes | str, path: str = "/status.json", status: int = 200) -> None:
    """Let the simulator respond to a call with ``body``."""
    simulator.faults.add(Fault("answer", path, body=body, status=status))


def test_flags(client: ReadOnlyClient, simulator: Simulator) -> None:
    """The flags are sorted, and read in one call without a token."""
    assert client.status.flags() == ServiceStatus(GOOD_FLAGS)
    assert list(client.status.flags().flags) == sorted(GOOD_FLAGS)
    assert [(request.path, request.query) for request in simulator.requests] == [("/status.json", {})] * 2


@pytest.mark.parametrize("enveloping", [True, False], ids=["in the envelope", "bare"])
def test_sample_of_the_document(client: ReadOnlyClient, simulator: Simulator, enveloping: bool) -> None:
    """All flags are true in the document's sample."""
    sample = MEANT["status.json"]
    answers(simulator, enveloped(json.loads(sample)) if enveloping else sample)
    assert client.status.flags() == ServiceStatus(dict.fromkeys(GOOD_FLAGS, True))


def test_good_state_of_each_flag() -> None:
    """Overloaded and full flags are bad when true, all others when false, including undocumented ones."""
    flags = {"rhn_overloaded": True, "rhn_queue_full": False, "xmlrpc": True, "db_rhn_online": False, "newer": False}
    status = ServiceStatus(flags)
    good = {name: status.is_good(name) for name in flags}
    assert good == {
        "rhn_overloaded": False,
        "rhn_queue_full": True,
        "xmlrpc": True,
        "db_rhn_online": False,
        "newer": False,
    }


def test_flags_vary_by_year(client: ReadOnlyClient, simulator: Simulator) -> None:
    """An item that is not a boolean is ignored; a flag may be a string."""
    answers(
        simulator,
        enveloped({"xmlrpc": True, "rhn_queue_rejects": 3, "acronis": [], "x": None, "y": "false", "z\n": True}),
    )
    assert client.status.flags().flags == {"xmlrpc": True, "y": False, "z": True}


UNREADABLE = ["0", "1", "null", '"down"', '"0"', '""', "[]", "{}", "-1", "0.5", "9007199254740993"]


@pytest.mark.parametrize("name", sorted(DOCUMENTED))
@pytest.mark.parametrize("value", UNREADABLE)
def test_documented_flag_that_cannot_be_read(
    name: str, value: str, client: ReadOnlyClient, simulator: Simulator
) -> None:
    """An unreadable documented flag is a bad answer with its value, without trying the other form."""
    flags = ", ".join(f'"{each}": {value if each == name else json.dumps(good)}' for each, good in GOOD_FLAGS.items())
    answers(simulator, f'{{"success": true, "data": {{{flags}}}}}')
    with pytest.raises(BadAnswerError, match=rf"a status whose {name} is .*, neither true nor false \(HTTP 200\)$"):
        client.status.flags()
    assert [request.path for request in simulator.requests] == ["/status.json"]
    simulator.faults.clear()
    answers(simulator, "<html>")
    plain = {each: str(value).lower() for each, value in GOOD_FLAGS.items()} | {name: "1"}
    lines = ["success:true", *(f"{each}:{value}" for each, value in plain.items())]
    answers(simulator, "\n".join(lines), "/status.plain")
    with pytest.raises(
        BadAnswerError, match=f"; and /status.plain: .* a status whose {name} is .*, neither true nor false"
    ):
        client.status.flags()


@pytest.mark.parametrize(
    ("body", "status"),
    [(LITERAL["status.json"], 200), (b"", 200), (b"<html>", 502), (b'{"success": false}', 401), (b"<html>", 404)],
    ids=["JSON as the PDF broke it", "an empty body", "a page of 502", "a refusal", "a page of 404"],
)
def test_plain_text_when_there_is_no_json(
    client: ReadOnlyClient, simulator: Simulator, body: bytes, status: int
) -> None:
    """If the JSON form fails, the flags are read as plain text, as in the document's sample."""
    answers(simulator, body, status=status)
    answers(simulator, LITERAL["status.plain"], "/status.plain")
    flags = {
        "db_clweb_connected": True,
        "db_clweb_online": False,
        "db_rhn_connected": True,
        "db_rhn_online": True,
        "ip_server_reg": False,
        "rhn_overloaded": False,
        "rhn_queue_full": True,
        "xmlrpc": False,
    }
    assert client.status.flags() == ServiceStatus(flags, plain=True)


def test_plain_text_of_the_simulator(client: ReadOnlyClient, simulator: Simulator) -> None:
    """Both forms give the same flags, and ``plain`` says which was used."""
    simulator.faults.add(Fault("html", "/status.json"))
    assert client.status.flags() == ServiceStatus(GOOD_FLAGS, plain=True)
    assert [request.path for request in simulator.requests] == ["/status.json", "/status.plain"]


def test_error_of_the_json_form_counts(client: ReadOnlyClient, simulator: Simulator) -> None:
    """If both forms fail, the error is that of the JSON form and names that of the other."""
    simulator.faults.add(Fault("html", "/status.json"))
    simulator.faults.add(Fault("empty", "/status.plain"))
    with pytest.raises(BadAnswerError) as raised:
        client.status.flags()
    assert str(raised.value) == (
        f"reading /status.json at {client.api}: unexpected response from CLN: an HTML page (HTTP 200); "
        "and /status.plain: unexpected response from CLN: an empty body (HTTP 200)"
    )
    assert raised.value.__suppress_context__


def test_both_forms_cut(client: ReadOnlyClient, simulator: Simulator) -> None:
    """Truncated flags are a bad answer in both forms, as bad flags may be missing."""
    simulator.faults.add(Fault("cut"))
    with pytest.raises(BadAnswerError) as raised:
        client.status.flags()
    assert raised.value.problem == (
        "unexpected response from CLN: truncated or malformed JSON (HTTP 200); "
        "and /status.plain: unexpected response from CLN: truncated text (HTTP 200)"
    )


def test_unreachable_is_not_asked_again(client: ReadOnlyClient, simulator: Simulator) -> None:
    """If CLN is unreachable, the other form is not tried."""
    simulator.faults.add(Fault("reset"))
    with pytest.raises(UnreachableError):
        client.status.flags()
    assert {request.path for request in simulator.requests} == {"/status.json"}


@pytest.mark.parametrize("data", [{}, {"rhn_queue_rejects": 3}])
def test_no_flags(client: ReadOnlyClient, simulator: Simulator, data: dict[str, int]) -> None:
    """A status without flags is a bad answer."""
    answers(simulator, enveloped(data))
    answers(simulator, "success:true", "/status.plain")
    with pytest.raises(ClnError) as raised:
        client.status.flags()
    assert str(raised.value) == (
        f"reading /status.json at {client.api}: unexpected response from CLN: a status without flags (HTTP 200)"
    )
