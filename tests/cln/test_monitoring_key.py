"""The registration of a monitoring key, which is sent once."""

from __future__ import annotations

import pytest

from cln_monitor.cln import (
    BadAnswerError,
    ClnError,
    Deadline,
    MonitoringKeys,
    RateLimitedError,
    RefusedError,
    TimedOutError,
    is_monitoring_key,
)
from cln_monitor.cln.endpoints import KERNELCARE_KEYS, Endpoint
from cln_monitor.simulator import Account, Fault, Served, Simulator
from tests.helpers.running import wait_until

from .asking import MONITORING_KEY, Clients, read
from .samples import PLAIN


@pytest.fixture
def keys(clients: Clients, served: Served) -> MonitoringKeys:
    """Registers keys at the simulated CLN."""
    return MonitoringKeys(clients.transport(served.url), Deadline.never(clients.clock))


def test_registered(keys: MonitoringKeys, simulator: Simulator, account: Account) -> None:
    """A key is registered in one call without a token; registering it again keeps it."""
    keys.register(MONITORING_KEY)
    keys.register(MONITORING_KEY)
    assert account.monitoring_keys == {MONITORING_KEY}
    assert [request.query for request in simulator.requests] == [{"key": MONITORING_KEY}] * 2


@pytest.mark.parametrize("key", ["", "x" * 15, "x" * 33, "x" * 15 + "-", "x" * 15 + "é", "x" * 16 + "\n"])
def test_malformed(keys: MonitoringKeys, simulator: Simulator, key: str) -> None:
    """A malformed key is refused before anything is sent."""
    assert not is_monitoring_key(key)
    with pytest.raises(ValueError, match="a monitoring key has 16 to 32 letters and digits"):
        keys.register(key)
    assert simulator.requests == []


@pytest.mark.parametrize("key", ["x" * 16, "X9" * 16])
def test_well_formed(key: str) -> None:
    """A key of 16 to 32 letters and digits is accepted."""
    assert is_monitoring_key(key)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("success:true code:1", RefusedError),
        ("success:true code:2", RefusedError),
        ("success:true code:77", RefusedError),
        (PLAIN["kcare.nagios.register_key.error.plain"], RefusedError),
        (PLAIN["error.plain"], RefusedError),
        ("success:true", BadAnswerError),
        ("success:true code:x", BadAnswerError),
        ("<html>", BadAnswerError),
        ("", BadAnswerError),
    ],
)
def test_not_registered(keys: MonitoringKeys, simulator: Simulator, body: str | bytes, kind: type[ClnError]) -> None:
    """Any code but 0 is a refusal, no code is a bad answer; the error names the call and masks the key."""
    simulator.faults.add(Fault("answer", body=body))
    with pytest.raises(ClnError) as raised:
        keys.register(MONITORING_KEY)
    assert type(raised.value) is kind
    assert raised.value.attempted.startswith("sending /kcare/nagios/register_key.plain at 127.0.0.1:")
    assert raised.value.attempted.endswith(" for key Pl4n-1ce19c80")


def test_sample_of_success(keys: MonitoringKeys, simulator: Simulator) -> None:
    """The document's sample of success is one."""
    simulator.faults.add(Fault("answer", body=PLAIN["kcare.nagios.register_key.plain"]))
    keys.register(MONITORING_KEY)


@pytest.mark.usefixtures("call_clock")
@pytest.mark.parametrize(
    "fault",
    [
        Fault("reset"),
        Fault("status", status=500),
        Fault("status", status=503, html=True),
        Fault("status", status=429, retry_after=1),
        Fault("cut_body"),
        Fault("hang"),
    ],
    ids=lambda fault: fault.kind,
)
def test_sent_once(clients: Clients, served: Served, simulator: Simulator, fault: Fault) -> None:
    """The call is never sent twice, with any fault."""
    simulator.faults.add(fault)
    deadline = Deadline(0.1 if fault.kind == "hang" else 10, clients.clock)
    with pytest.raises(ClnError):
        MonitoringKeys(clients.transport(served.url, timeout=10), deadline).register(MONITORING_KEY)
    wait_until(lambda: simulator.requests, "the request")  # sent, and maybe not read yet
    assert len(simulator.requests) == len(clients.exchanges) == 1
    assert clients.clock.slept == []


@pytest.mark.parametrize("status", [401, 403])
def test_barred_by_somebody_else(keys: MonitoringKeys, simulator: Simulator, status: int) -> None:
    """HTTP 401 or 403 without a message from CLN says nothing about the key, as the call has no login."""
    simulator.faults.add(Fault("status", status=status, html=True))
    with pytest.raises(BadAnswerError) as raised:
        keys.register(MONITORING_KEY)
    assert f"HTTP {status} without a message from CLN: our IP address is blocked, or a proxy refuses it" in str(
        raised.value
    )
    assert raised.value.outcome_unknown


def test_pause_that_cln_asks_for(clients: Clients, simulator: Simulator, served: Served) -> None:
    """A rate-limited registration pauses all calls to that host."""
    transport = clients.transport(served.url)
    simulator.faults.add(Fault("status", status=429, retry_after=7, times=1))
    with pytest.raises(RateLimitedError):
        MonitoringKeys(transport, Deadline.never(clients.clock)).register(MONITORING_KEY)
    read(transport)
    assert clients.clock.slept == [7]


def test_not_sent_after_the_deadline(clients: Clients, simulator: Simulator, served: Served) -> None:
    """Nothing is sent after the deadline."""
    with pytest.raises(TimedOutError):
        MonitoringKeys(clients.transport(served.url), Deadline(0, clients.clock)).register(MONITORING_KEY)
    assert simulator.requests == []


@pytest.mark.parametrize("endpoint", [KERNELCARE_KEYS, Endpoint("/kcare/key/delete.json", "POST")])
def test_other_calls_are_not_written(
    clients: Clients, simulator: Simulator, served: Served, endpoint: Endpoint
) -> None:
    """Only the calls on the list of writes can be sent as a write."""
    with pytest.raises(PermissionError):
        clients.transport(served.url).write(endpoint, dict, lambda answer: answer, Deadline.never(clients.clock))
    assert simulator.requests == []
