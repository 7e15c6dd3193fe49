"""`clntool servers prune`: the checks before each removal, and the conditions that refuse or stop it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from unittest import mock

import pytest

from cln_monitor.cli.fleet.inventory import ListedServer
from cln_monitor.cli.fleet.registrations import ServerStatus
from cln_monitor.cli.fleet.removal import Removal
from cln_monitor.simulator import Fault

from .account import IMUNIFY_KEY, KEY, OTHER_KEY, Cln
from .fleet import DAY, REMOVE, add_server, empty, five_dead, prune, removals
from .inside import Outcome, ask


def during(cln: Cln, change: Callable[[], object], *arguments: str) -> Outcome:
    """Return the outcome of a prune with a ``change`` between its lists and its first removal."""
    check = Removal._check
    left = [change]

    def then(removal: Removal, status: ServerStatus) -> str:
        if left:
            left.pop()()
        return check(removal, status)

    with mock.patch.object(Removal, "_check", then):
        return prune(cln, *arguments)


@pytest.mark.parametrize("key", [KEY, OTHER_KEY])
@pytest.mark.parametrize(
    ("event", "text"),
    [
        (
            "shared",
            "no longer superseded: 2 servers at 192.0.2.1 check in: the address is shared, for example by NAT",
        ),
        ("removed", "no longer superseded: the newer registration was removed or is silent"),
        ("replaced", "now superseded by another server, newest"),
    ],
)
def test_the_reason_no_longer_applies(event: str, text: str, key: str, cln: Cln) -> None:
    """The successor is read again before a removal, even if it has another key."""
    empty(cln)
    add_server(cln, "old", "192.0.2.1", 2 * DAY)
    add_server(cln, "new", "192.0.2.1", created=DAY, key=key)

    def change() -> None:
        if event != "shared":
            cln.account.kernelcare_keys[key].remove_server("new")
        if event != "removed":
            add_server(cln, "newest", "192.0.2.1", created=DAY / 2, key=key)

    outcome = during(cln, change, "--superseded")
    assert (outcome.code, removals(cln)) == (0, [])
    assert outcome.err.endswith(f"skipped KernelCare server old (192.0.2.1): {text}\n0 removed, 1 skipped\n")


def test_host_names_at_the_second_look(cln: Cln) -> None:
    """Host names from groups are kept when servers are read again."""
    empty(cln)
    old, new = add_server(cln, "old", "192.0.2.1", 2 * DAY), add_server(cln, "new", "192.0.2.1", created=DAY)
    old.hostname = new.hostname = "a.example.net"
    for server in (old, new):
        cln.account.groups["web"].add_server(server)
    assert (prune(cln, "--superseded").code, removals(cln)) == (0, ["old"])


def test_superseded_after_a_day_of_silence(cln: Cln) -> None:
    """A superseded server is kept for a day, even with a shorter stale_after."""
    text = cln.config.read_text().replace("probes:", "probes:\n  kernelcare: {stale_after: 12h}")
    cln.config.write_text(text)
    empty(cln)
    add_server(cln, "old", "192.0.2.1", 13 * 3600)
    add_server(cln, "new", "192.0.2.1", created=3600)
    outcome = ask(cln, "-o", "json", "servers", "prune", "--superseded", "--yes")
    assert (outcome.code, removals(cln)) == (0, [])
    assert outcome.json[0]["reason"] == "last check-in 13h ago, less than 1d"


@pytest.mark.parametrize(("dead", "refused"), [(1, False), (2, True), (4, True)])
def test_all_servers_of_a_product(dead: int, refused: bool, cln: Cln) -> None:
    """Removing all servers of a product requires --max."""
    empty(cln)
    for number in range(dead):
        add_server(cln, f"dead-{number}", f"192.0.2.{number}", 50 * DAY)
    outcome = prune(cln, "--stale", "30d")
    assert (outcome.code, len(removals(cln))) == ((3, 0) if refused else (0, dead))
    if refused:
        assert f": all {dead} KernelCare servers would be removed; check whether CLN records check-ins" in outcome.err
        assert prune(cln, "--stale", "30d", "--max", str(dead)).code == 0


def test_trouble_since_the_lists(cln: Cln) -> None:
    """The flags and the clock are checked again before the first removal."""
    five_dead(cln)
    cln.simulator.faults.add(Fault("skew", "/status.json", seconds=990, after=1))
    outcome = prune(cln, "--stale", "30d")
    assert (outcome.code, removals(cln)) == (3, [])
    assert "CLN's clock is 16m ahead" in outcome.err
    assert [path for _, path, _ in cln.sent()].count("/status.json") == 2


def test_a_status_that_says_nothing(cln: Cln) -> None:
    """A status without known flags prevents removals."""
    five_dead(cln)
    cln.simulator.faults.add(Fault("answer", "/status.json", body='{"success": true, "data": {"coffee": true}}'))
    outcome = prune(cln, "--stale", "30d")
    assert (outcome.code, removals(cln)) == (3, [])
    assert "the status of CLN is unknown: it has none of the known flags" in outcome.err


def test_an_unknown_clock(cln: Cln) -> None:
    """A response without a Date header prevents removals, as ages are unknown."""
    five_dead(cln)
    with mock.patch("cln_monitor.cln.client.ReadOnlyClient.clock_skew", None):
        outcome = prune(cln, "--stale", "30d")
    assert (outcome.code, removals(cln)) == (3, [])
    assert "the time of CLN's clock is unknown (no Date header)" in outcome.err


def test_another_server_is_answered(cln: Cln) -> None:
    """A response that names another server stops the removal as uncertain."""
    five_dead(cln)
    body = f'{{"success": true, "data": {{"server_id": "fine-0", "key": "{KEY}"}}}}'
    cln.simulator.faults.add(Fault("answer", REMOVE, after=1, body=body))
    outcome = prune(cln, "--stale", "30d")
    assert (outcome.code, removals(cln)) == (3, ["dead-0", "dead-1"])
    assert "uncertain whether removed: KernelCare server dead-1 (192.0.2.1): CLN reports that it removed another" in (
        outcome.err
    )
    assert "clntool: stopped: 1 removed, 1 uncertain, 3 not tried: CLN reports" in outcome.err


def test_a_key_that_was_removed(cln: Cln) -> None:
    """Servers of a key that was removed are skipped, and those of other keys are removed."""
    five_dead(cln)
    add_server(cln, "other-dead", "192.0.2.77", 40 * DAY, key=OTHER_KEY)
    outcome = during(cln, lambda: cln.account.remove_kernelcare_key(KEY), "--stale", "30d")
    assert (outcome.code, removals(cln)) == (0, ["other-dead"])
    assert "skipped KernelCare server dead-0 (192.0.2.0): already removed: " in outcome.err
    assert outcome.err.endswith("1 removed, 5 skipped\n")


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGHUP])
def test_ended_by_a_signal(sign: signal.Signals, cln: Cln) -> None:
    """SIGTERM and SIGHUP end the removal as Ctrl-C does, with the counts."""
    five_dead(cln)
    before, send, sent = signal.getsignal(sign), Removal._send, []

    def then(removal: Removal, server: ListedServer) -> str:
        sent.append(server)
        if len(sent) == 3:
            os.kill(os.getpid(), sign)
        return send(removal, server)

    with mock.patch.object(Removal, "_send", then):
        outcome = prune(cln, "--stale", "30d")
    assert outcome.code == 3
    assert outcome.err.endswith("clntool: stopped: 2 removed, 1 uncertain, 2 not tried: interrupted\n")
    assert signal.getsignal(sign) == before


@pytest.mark.parametrize(("listed", "counted", "code"), [(7, 9, 0), (6, 9, 3)])
def test_an_imunify_list_that_lacks_some(listed: int, counted: int, code: int, cln: Cln) -> None:
    """An Imunify list may be short by two servers; otherwise it is incomplete."""
    five_dead(cln)
    for number in range(listed):
        cln.account.imunify_keys[IMUNIFY_KEY].add_server(f"im-{number}")
    body = (
        f'{{"success": true, "data": [{{"key": "{IMUNIFY_KEY}", "code": "360_30", "limit": 0, "servers": {counted}}}]}}'
    )
    cln.simulator.faults.add(Fault("answer", "/im/key/list.json", body=body))
    outcome = prune(cln, "--stale", "30d")
    assert outcome.code == code
    assert ("CLN lists fewer servers than it counts" in outcome.err) == (code == 3)


def test_a_neighbor_whose_check_in_is_unknown(cln: Cln) -> None:
    """A neighbor with an unknown check-in may be alive, so the address may be shared."""
    empty(cln)
    add_server(cln, "old", "192.0.2.1", 40 * DAY)
    add_server(cln, "new", "192.0.2.1", created=10 * DAY)
    add_server(cln, "ahead", "192.0.2.1", -2 * DAY, created=10 * DAY)
    outcome = prune(cln, "--superseded")
    assert (outcome.code, removals(cln)) == (0, [])
    assert "the last check-in of ahead at 192.0.2.1 is unknown" in outcome.out + outcome.err


def test_servers_without_an_address_of_their_own(cln: Cln) -> None:
    """Two servers at a placeholder address do not supersede each other."""
    empty(cln)
    add_server(cln, "old", "0.0.0.0", 40 * DAY)
    add_server(cln, "new", "0.0.0.0", created=10 * DAY)
    assert (prune(cln, "--superseded").code, removals(cln)) == (0, [])
