"""docs/api.md: each call of the API document, and what sends it, as observed on the wire."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cln_monitor.cln import Client, ClnError, Secret, SystemClock
from cln_monitor.cln.endpoints import READS, WRITES
from cln_monitor.probes import PROBES, ProbeContext, run_probe
from cln_monitor.simulator import REVISIONS, Fault, calls_of
from tests.cli.account import KEY, Cln
from tests.cli.commands import ALL
from tests.cli.inside import ask
from tests.helpers.pages import keep_block

from .document import CALLS, Call, call_of

pytestmark = pytest.mark.unmeasured

PAGE = Path(__file__).parents[3] / "docs" / "api.md"
_CHANGES = {(endpoint.method, endpoint.template) for endpoint in WRITES}


def calls_sent(cln: Cln) -> Iterator[Call]:
    """Yield the calls that were sent."""
    for method, path, _ in cln.sent():
        yield call_of(method, path)


def test_both_sides_have_each_call() -> None:
    """The calls of the client, the simulator and the list written by hand are the same."""
    by_hand = {(call.method, call.path) for call in CALLS}
    assert len(by_hand) == len(CALLS)
    assert {(endpoint.method, endpoint.template) for endpoint in READS | WRITES} == by_hand
    for revision in REVISIONS:
        of_revision = [call for call in CALLS if revision == REVISIONS[-1] or not call.is_of_v2]
        assert set(calls_of(revision)) == {call.in_revision(revision) for call in of_revision}
    assert set(calls_of(REVISIONS[-1])) == by_hand


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.method} {call.path}")
def test_client(call: Call, cln: Cln, client: Client, revision: str) -> None:
    """The client's method on the page sends that call, and no other; one whose method has changed is sent again."""
    if call.path == "/status.plain":
        cln.simulator.faults.add(Fault("html", "/status.json"))
    if call.is_of_v2 and revision == REVISIONS[0]:
        with pytest.raises(ClnError, match="404"):
            call.make(client)
        return
    call.make(client)
    assert list(calls_sent(cln))[-1] is call
    is_sent_again = revision == REVISIONS[0] and call.older
    assert len(cln.sent()) == 1 + (call.path == "/status.plain" or bool(is_sent_again))
    assert cln.sent()[-1][:2] == call.in_revision(revision) or "{" in call.path
    family, _, method = call.client.partition(".")
    assert callable(getattr(getattr(client, family), method))


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.method} {call.path}")
def test_command(call: Call, cln: Cln, revision: str) -> None:
    """The command on the page sends that call; one of v2 fails at a CLN of the older revision."""
    if call.path == "/status.plain":
        cln.simulator.faults.add(Fault("html", "/status.json"))
    commands = [command for command in ALL if f"{command.typed} ".startswith(f"{call.command} ")]
    assert commands
    is_answered = revision == REVISIONS[-1] or not call.is_of_v2
    assert (ask(cln, *commands[0].arguments).code == 0) is is_answered
    assert call in list(calls_sent(cln))


def senders(cln: Cln, client: Client) -> dict[Call, list[str]]:
    """Return the probes that send each call."""
    found: dict[Call, list[str]] = {}
    clock = SystemClock()
    with ThreadPoolExecutor(1) as pool:
        for name, probe in PROBES.items():
            cln.simulator.clear_requests()
            for _ in range(2):
                probe_settings: Any = probe.settings  # each kind has its own defaults
                source = ProbeContext(client, probe_settings(), "acme", str, lambda: [Secret(KEY)])
                run_probe(probe, source, pool, clock)
                cln.simulator.faults.add(Fault("html", "/status.json"))
            cln.simulator.faults.clear()
            for call in dict.fromkeys(calls_sent(cln)):
                found.setdefault(call, []).append(f"`{name}`")
    return found


@pytest.mark.parametrize("revision", REVISIONS[-1:], indirect=True)
def test_page(cln: Cln, client: Client, request: pytest.FixtureRequest) -> None:
    """The table on the page is the one observed in these tests."""
    used = senders(cln, client)
    assert not [call for call in used if (call.method, call.path) in _CHANGES], "a probe that changes something"
    heads = ("call", "revision", "changes", "client", "clntool", "simulator", "read by the probe")
    rows = [f"| {' | '.join(heads)} |", "| --- " * len(heads) + "|"]
    for call in CALLS:
        changes = "yes" if (call.method, call.path) in _CHANGES else ""
        simulated = "yes" if (call.method, call.path) in calls_of(REVISIONS[-1]) else "no"
        of_both = f"2024-10; in 2024-03 {call.older}" if call.older else "2024-03"
        revisions = of_both if call.in_revision(REVISIONS[0]) in calls_of(REVISIONS[0]) else "2024-10 (v2)"
        probes = ", ".join(used.get(call, ()))
        cells = (
            f"`{call.method} {call.path}`",
            revisions,
            changes,
            f"`{call.client}`",
            f"`{call.command}`",
            simulated,
            probes,
        )
        rows.append(f"| {' | '.join(cells)} |")
    keep_block(PAGE, "calls", "\n".join(rows), update=request.config.getoption("--update-golden"))
