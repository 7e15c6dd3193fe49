"""`clntool servers prune`: the servers it removes, those it keeps, and when it removes nothing."""

from __future__ import annotations

import re
import time
from types import SimpleNamespace
from unittest import mock

import pytest

from cln_monitor.cli.fleet.registrations import ServerStatus
from cln_monitor.cli.fleet.removal import Removal
from cln_monitor.simulator import Fault

from .account import ELS_KEY, IMUNIFY_KEY, KEY, OTHER_KEY, Cln
from .fleet import DAY, REMOVE, add_server, empty, five_dead, fleet_of_200, prune, removals, servers_of
from .inside import ask
from .processes import on_a_terminal


def test_superseded_in_a_fleet_of_200(cln: Cln) -> None:
    """Superseded servers are removed; one that checks in again and those behind NAT are kept."""
    fleet_of_200(cln)
    before = servers_of(cln.account)
    outcome = prune(cln, "--superseded")
    assert outcome.code == 0, outcome.err
    removed = {f"dead-{number}" for number in range(1, 25)}
    assert before - servers_of(cln.account) == removed == set(removals(cln))
    lines = outcome.err.splitlines()
    assert lines[-1] == "24 removed, 6 skipped"
    for number in range(1, 25):
        (line,) = (line for line in lines if f" dead-{number} " in line)
        assert line.startswith(f"removed KernelCare server dead-{number} (192.0.2.{number}): superseded: ")
        assert f"registered again 39d ago as new-{number}; last check-in 40d ago" in line
    skipped = r"skipped .* dead-0 \(192.0.2.0\): has checked in since then, \d+s ago"
    assert any(re.fullmatch(skipped, line) for line in lines)
    shared = "3 servers at 198.51.100.7 check in: the address is shared, for example by NAT"
    assert [line for line in lines if shared in line] == [
        f"skipped KernelCare server nat-dead-{number} (198.51.100.7): not superseded: {shared}" for number in range(5)
    ]


def test_stale_in_a_fleet_of_200(cln: Cln) -> None:
    """All stale servers are removed, except one that checks in again."""
    fleet_of_200(cln)
    before = servers_of(cln.account)
    outcome = ask(cln, "-o", "json", "servers", "prune", "--stale", "30d", "--yes")
    assert outcome.code == 0, outcome.err
    removed = {f"dead-{number}" for number in range(1, 25)} | {f"nat-dead-{number}" for number in range(5)}
    assert before - servers_of(cln.account) == removed
    assert len(removed) == 29
    assert outcome.err.endswith("29 removed, 1 skipped\n")
    outcomes = {row["id"]: (row["outcome"], row["reason"]) for row in outcome.json}
    assert outcomes.pop("dead-0")[0] == "skipped"
    assert outcomes == dict.fromkeys(removed, ("removed", "last check-in 40d ago"))


def test_superseded_by_its_definition(cln: Cln) -> None:
    """A server is superseded only by its definition: silent, older, and not another host."""
    empty(cln)
    add_server(cln, "old", "192.0.2.1", 2 * DAY)
    add_server(cln, "new", "192.0.2.1", created=DAY)
    add_server(cln, "beside", "192.0.2.2", 2 * DAY)
    add_server(cln, "was-there-before", "192.0.2.2", created=3 * DAY)
    add_server(cln, "still-here", "192.0.2.3", DAY / 2)
    add_server(cln, "new-too", "192.0.2.3", created=DAY / 4)
    add_server(cln, "never", "192.0.2.4", None)
    add_server(cln, "new-for-never", "192.0.2.4", created=DAY)
    other_host = add_server(cln, "other-host", "192.0.2.5", 2 * DAY)
    other_host.hostname = "a.example.net"
    new_host = add_server(cln, "new-host", "192.0.2.5", created=DAY)
    new_host.hostname = "b.example.net"
    for server in (other_host, new_host):
        cln.account.groups["web"].add_server(server)
    outcome = prune(cln, "--superseded")
    assert outcome.code == 0
    assert removals(cln) == ["old"]
    assert "beside (192.0.2.2): not superseded: was-there-before at 192.0.2.2 was registered before" in outcome.err
    assert "another host: b.example.net, not a.example.net" in outcome.err
    assert outcome.err.endswith("1 removed, 2 skipped\n")


def test_imunify_servers_are_never_superseded(cln: Cln) -> None:
    """Imunify servers are never superseded, and are not read."""
    outcome = prune(cln, "--superseded", "--product", "imunify")
    assert (outcome.code, outcome.out) == (0, "")
    assert outcome.err == "note: only KernelCare servers can be superseded\nno servers to remove\n"


def test_stale_imunify_servers(cln: Cln) -> None:
    """Stale Imunify servers are removed with the Imunify call."""
    empty(cln)
    key = cln.account.imunify_keys[IMUNIFY_KEY]
    key.add_server("im-dead", ip="192.0.2.9", last_checkin=time.time() - 40.1 * DAY)
    key.add_server("im-fine", ip="192.0.2.9")
    outcome = prune(cln, "--stale", "30d", "--product", "imunify")
    assert (outcome.code, removals(cln)) == (0, ["im-dead"])
    assert outcome.err == "removed Imunify server im-dead (192.0.2.9): last check-in 40d ago\n1 removed\n"


def test_els_servers_without_checkins(cln: Cln) -> None:
    """ELS servers without check-ins, as in the revision of 2024-03, are not removed, and a note says so."""
    cln.simulator.revision = "2024-03"
    for condition in (("--stale", "30d"), ("--never",)):
        outcome = prune(cln, *condition, "--product", "els")
        assert (outcome.code, outcome.out, removals(cln)) == (0, "", [])
        assert outcome.err == (
            "note: CLN does not report the last check-in of 1 ELS server; not removed\nno servers to remove\n"
        )


def test_els_servers_with_checkins(cln: Cln) -> None:
    """Stale ELS servers are removed; one without a listed key is skipped."""
    empty(cln)
    old = time.time() - 40.1 * DAY
    fields = {"hostname": "", "ip": "192.0.2.1", "last_checkin": old}
    listed = [SimpleNamespace(server_id=f"e{number}", key="" if number else ELS_KEY, **fields) for number in range(2)]
    listed.append(SimpleNamespace(server_id="fine", key=ELS_KEY, **(fields | {"last_checkin": time.time()})))
    cln.account.els_keys[ELS_KEY].add_server("e0")
    with mock.patch("cln_monitor.cln.els.ElsReads.servers", side_effect=lambda code: listed if code == "CELS" else []):
        outcome = prune(cln, "--stale", "30d", "--product", "els")
    assert (outcome.code, removals(cln)) == (0, ["e0"])
    assert "removed ELS server e0 (192.0.2.1): last check-in 40d ago\n" in outcome.err
    assert "skipped ELS server e1 (192.0.2.1): CLN does not list its key\n" in outcome.err


def test_never(cln: Cln) -> None:
    """A server registered less than a day ago may still check in and is kept."""
    empty(cln)
    add_server(cln, "never", "192.0.2.1", None, created=9 * DAY)
    add_server(cln, "new", "192.0.2.2", None, created=DAY / 2)
    add_server(cln, "fine", "192.0.2.3")
    outcome = prune(cln, "--never")
    assert (outcome.code, removals(cln)) == (0, ["never"])
    assert "removed KernelCare server never (192.0.2.1): never checked in, registered 9d ago\n" in outcome.err
    assert "skipped KernelCare server new (192.0.2.2): registered 12h ago, it may still check in\n" in outcome.err


def test_never_of_an_unknown_registration(cln: Cln) -> None:
    """A server with an unknown registration time is kept by --never."""
    empty(cln)
    cln.account.imunify_keys[IMUNIFY_KEY].add_server("im-new", ip="192.0.2.9", last_checkin=None)
    add_server(cln, "fine", "192.0.2.3")
    outcome = prune(cln, "--never")
    assert (outcome.code, removals(cln)) == (0, [])
    assert "no servers to remove\n" in outcome.err
    (row,) = ask(cln, "-o", "json", "servers", "prune", "--never", "--yes").json
    assert (row["id"], row["outcome"]) == ("im-new", "skipped")
    assert row["reason"] == "CLN does not report when it was registered"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((), "use exactly one of --stale AGE, --never and --superseded"),
        (("--stale", "30d", "--never"), "use exactly one of --stale AGE, --never and --superseded"),
        (("--never", "--superseded"), "use exactly one of --stale AGE, --never and --superseded"),
        (("--stale", "2d"), "--stale: expected at least 3d"),
        (("--stale", "71h59m"), "--stale: expected at least 3d"),
        (("--stale", "30"), "invalid duration '30'"),
        (("--stale", "-30d"), "invalid duration '-30d'"),
        (("--stale", ""), "invalid duration"),
        (("--never", "--max", "0"), "--max: expected a number of servers, 1 or more"),
        (("--never", "--max", "x"), "'x' is not a whole number"),
        (("--never", "--key", " "), "--key must not be empty"),
        (("--never", "--product", "ip-licenses"), "IP licenses have no servers to remove"),
        (("--never", "--product", "cloudlinux"), "CLN reports no check-ins of CloudLinux OS servers"),
        (("--never", "--product", "nope"), "'nope' is not one of kernelcare, imunify, els"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], text: str, cln: Cln) -> None:
    """Wrong usage of prune exits with 2, and nothing is sent."""
    outcome = prune(cln, *arguments)
    assert (outcome.code, outcome.out, cln.sent()) == (2, "", [])
    assert text in outcome.err


def test_an_unknown_key(cln: Cln) -> None:
    """An unknown key is an error and does not select all servers."""
    five_dead(cln)
    for key in ("WsTs-00000000", "NoSuchKey0000001"):
        outcome = prune(cln, "--stale", "30d", "--key", key)
        assert (outcome.code, outcome.out, removals(cln)) == (2, "", [])
        assert "no key with this name or mask; use clntool keys list" in outcome.err


def test_only_of_a_key(cln: Cln) -> None:
    """Only servers of the given key are removed; the share is that of the whole product."""
    five_dead(cln)
    add_server(cln, "other-dead", "192.0.2.77", 90 * DAY, key=OTHER_KEY)
    assert prune(cln, "--stale", "30d", "--key", OTHER_KEY).code == 0
    assert removals(cln) == ["other-dead"]


def test_without_a_terminal(cln: Cln) -> None:
    """Without a terminal, prune requires --yes and sends nothing before."""
    five_dead(cln)
    outcome = ask(cln, "servers", "prune", "--stale", "30d")
    assert (outcome.code, outcome.out, cln.sent()) == (2, "", [])
    assert outcome.err == "clntool: nothing was sent: use --yes to remove servers without a terminal\n"


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        pytest.param(Fault("html", "/status.*"), "the status of CLN is unknown", id="status"),
        pytest.param(Fault("skew", seconds=630), "CLN's clock is 10m ahead of the local clock", id="ahead"),
        pytest.param(Fault("skew", seconds=-630), "CLN's clock is 10m behind the local clock", id="behind"),
        pytest.param(
            Fault("html", "/kcare/key/list.json"), "the lists are incomplete: reading /kcare/key/list.json", id="keys"
        ),
        pytest.param(
            Fault("html", "/kcare/key/servers.json", match=OTHER_KEY), "the lists are incomplete", id="servers"
        ),
        pytest.param(Fault("cut", "/im/srv/list.json"), "the lists are incomplete", id="imunify"),
        pytest.param(Fault("status", "/els/srv/list.json", match="OELS"), "the lists are incomplete", id="els"),
    ],
)
def test_not_while_cln_has_problems(fault: Fault, text: str, cln: Cln) -> None:
    """A bad status, a wrong clock or an incomplete list exits with 3, and nothing is removed."""
    five_dead(cln)
    cln.simulator.faults.add(fault)
    for more in ((), ("--dry-run",)):
        outcome = prune(cln, "--stale", "30d", *more)
        assert (outcome.code, outcome.out, removals(cln)) == (3, "", [])
        assert outcome.err.startswith("clntool: nothing was removed: ")
        assert text in outcome.err


@pytest.mark.parametrize(("flag", "value"), [("rhn_overloaded", True), ("db_clweb_online", False)])
def test_not_while_a_flag_is_bad(flag: str, value: bool, cln: Cln) -> None:
    """While a flag of CLN is bad, no list is read and nothing is removed."""
    five_dead(cln)
    cln.simulator.flags[flag] = value
    outcome = prune(cln, "--stale", "30d")
    assert (outcome.code, outcome.out) == (3, "")
    assert f"nothing was removed: CLN reports problems ({flag})" in outcome.err
    assert [path for _, path, _ in cln.sent()] == ["/status.json"]


def test_fewer_listed_than_counted(cln: Cln) -> None:
    """An Imunify list shorter than its count is incomplete."""
    five_dead(cln)
    body = f'{{"success": true, "data": [{{"key": "{IMUNIFY_KEY}", "code": "360_30", "limit": 0, "servers": 9}}]}}'
    cln.simulator.faults.add(Fault("answer", "/im/key/list.json", body=body))
    outcome = prune(cln, "--stale", "30d")
    assert (outcome.code, outcome.out, removals(cln)) == (3, "", [])
    assert "CLN lists fewer servers than it counts: IM25-" in outcome.err
    assert "(0 of 9)" in outcome.err


def test_host_names_that_cannot_be_read(cln: Cln) -> None:
    """If groups cannot be read, no superseded server is removed; an account may have no groups."""
    fleet_of_200(cln)
    for path in ("/group/list.json", "/group/servers/list.json"):
        cln.simulator.faults.add(Fault("html", path))
        assert (prune(cln, "--superseded").code, removals(cln)) == (3, [])
        cln.simulator.faults.clear()
    cln.simulator.faults.add(Fault("answer", "/group/list.json", body='{"success": false, "message": "no groups"}'))
    assert (prune(cln, "--superseded").code, len(removals(cln))) == (0, 24)


def test_a_token_that_is_refused(cln: Cln) -> None:
    """A refused token is reported as such, not as an incomplete list."""
    cln.account.secret_key = "another"
    outcome = prune(cln, "--stale", "30d")
    assert outcome.code == 1
    assert "CLN refused the token" in outcome.err


def test_a_fleet_that_seems_dead(cln: Cln) -> None:
    """More than half of the servers of a product are removed only with --max."""
    five_dead(cln, fine=4)
    outcome = prune(cln, "--stale", "30d")
    assert (outcome.code, outcome.out, removals(cln)) == (3, "", [])
    assert outcome.err == (
        "clntool: nothing was removed: 5 of 9 KernelCare servers, more than half, would be removed; check whether CLN "
        "records check-ins, or use --max 5 to remove them\n"
    )
    shown = ask(cln, "servers", "prune", "--stale", "30d", "--dry-run")
    assert (shown.code, shown.out.count("would_remove"), removals(cln)) == (3, 5, [])
    outcome = prune(cln, "--stale", "30d", "--max", "4")
    assert (outcome.code, removals(cln)) == (3, [])
    assert "found 5 servers, more than --max 4" in outcome.err
    assert prune(cln, "--stale", "30d", "--max", "5").code == 0
    assert len(removals(cln)) == 5


def test_half_of_a_fleet(cln: Cln) -> None:
    """Half of the servers of a product can be removed without --max."""
    five_dead(cln, fine=5)
    assert prune(cln, "--stale", "30d").code == 0
    assert removals(cln) == [f"dead-{number}" for number in range(5)]


def test_connection_lost_at_the_third_of_five(cln: Cln) -> None:
    """A lost connection stops the removal with the counts, and nothing is sent twice."""
    five_dead(cln)
    cln.simulator.faults.add(Fault("reset", REMOVE, after=2))
    outcome = ask(cln, "-o", "json", "servers", "prune", "--stale", "30d", "--yes")
    assert outcome.code == 3
    assert removals(cln) == ["dead-0", "dead-1", "dead-2"]
    last = outcome.err.splitlines()[-1]
    assert last.startswith("clntool: stopped: 2 removed, 1 uncertain, 2 not tried: sending /kcare/srv/remove.json at ")
    assert "uncertain whether removed: KernelCare server dead-2 (192.0.2.2): " in outcome.err
    assert [row["outcome"] for row in outcome.json] == ["removed", "removed", "uncertain", "not_tried", "not_tried"]


def test_rate_limit(cln: Cln) -> None:
    """A rate limit stops the removal, but leaves nothing uncertain."""
    five_dead(cln)
    cln.simulator.faults.add(Fault("status", REMOVE, status=429, retry_after=600, after=1))
    outcome = prune(cln, "--stale", "30d")
    assert outcome.code == 3
    assert "clntool: stopped: 1 removed, 4 not tried: " in outcome.err


def test_the_second_look_fails(cln: Cln) -> None:
    """A server that cannot be read again is not removed."""
    five_dead(cln)
    cln.simulator.faults.add(Fault("html", "/kcare/key/servers.json", match=KEY, after=2))
    outcome = prune(cln, "--stale", "30d")
    assert (outcome.code, removals(cln)) == (3, ["dead-0"])
    assert "clntool: stopped: 1 removed, 4 not tried: reading /kcare/key/servers.json" in outcome.err


def test_refused_by_cln(cln: Cln) -> None:
    """A server that CLN refuses to remove does not stop the others, and the exit code is 1."""
    five_dead(cln)
    cln.simulator.faults.add(Fault("answer", REMOVE, match="dead-1", body='{"success": false, "message": "no"}'))
    outcome = prune(cln, "--stale", "30d")
    assert (outcome.code, len(removals(cln))) == (1, 5)
    assert "refused KernelCare server dead-1 (192.0.2.1): " in outcome.err
    assert outcome.err.endswith("4 removed, 1 refused\n")


def test_a_token_that_is_refused_in_the_middle(cln: Cln) -> None:
    """A token refused during the removal stops it with exit code 1."""
    five_dead(cln)
    refusal = '{"success": false, "message": "Authorization failed"}'
    cln.simulator.faults.add(Fault("answer", REMOVE, after=1, body=refusal))
    outcome = prune(cln, "--stale", "30d")
    assert outcome.code == 1
    assert "clntool: stopped: 1 removed, 4 not tried: " in outcome.err
    cln.simulator.faults.clear()
    cln.simulator.faults.add(Fault("answer", "/kcare/key/servers.json", match=KEY, after=1, body=refusal))
    outcome = prune(cln, "--stale", "30d")
    assert outcome.code == 1
    assert "clntool: stopped: 0 removed, 4 not tried: " in outcome.err


def test_removed_or_changed_between_list_and_removal(cln: Cln) -> None:
    """A server that was removed or has registered again is skipped."""
    five_dead(cln)
    moved = add_server(cln, "moved", "192.0.2.88", 60 * DAY)
    check = Removal._check

    def then(removal: Removal, status: ServerStatus) -> str:
        cln.account.kernelcare_keys[KEY].servers.pop("dead-0", None)
        moved.ip = "192.0.2.89"
        return check(removal, status)

    with mock.patch.object(Removal, "_check", then):
        outcome = prune(cln, "--stale", "30d")
    assert outcome.code == 0
    assert "skipped KernelCare server dead-0 (192.0.2.0): no longer registered with its key\n" in outcome.err
    assert "skipped KernelCare server moved (192.0.2.88): has registered again since then\n" in outcome.err
    assert outcome.err.endswith("4 removed, 2 skipped\n")


def test_one_key_of_two_products(cln: Cln) -> None:
    """Each server is read again with the product in which it was listed."""
    five_dead(cln)
    cln.account.imunify_keys[KEY] = cln.account.imunify_keys.pop(IMUNIFY_KEY)
    cln.account.imunify_keys[KEY].key = KEY
    cln.account.imunify_keys[KEY].add_server("im-dead", last_checkin=time.time() - 60 * DAY)
    assert prune(cln, "--stale", "30d").code == 0
    assert removals(cln) == ["im-dead", *(f"dead-{number}" for number in range(5))]


def test_two_servers_of_one_id(cln: Cln) -> None:
    """A server that shares its id with another one is skipped."""
    five_dead(cln)
    add_server(cln, "dead-1", "192.0.2.99", key=OTHER_KEY)
    outcome = prune(cln, "--stale", "30d")
    assert (outcome.code, sorted(removals(cln))) == (0, ["dead-0", "dead-2", "dead-3", "dead-4"])
    assert "skipped KernelCare server dead-1 (192.0.2.1): another server has the same id" in outcome.err


def test_an_id_that_cannot_be_sent(cln: Cln) -> None:
    """An invalid id is refused without a request, and other servers are removed."""
    five_dead(cln)
    add_server(cln, "odd/id?&", "192.0.2.98", 70 * DAY)
    outcome = prune(cln, "--stale", "30d")
    assert (outcome.code, len(removals(cln))) == (1, 5)
    assert "refused KernelCare server odd/id?& (192.0.2.98): server_id: " in outcome.err


def test_dry_run(cln: Cln) -> None:
    """A dry run lists each server with a reason, for people and scripts, and removes nothing."""
    five_dead(cln)
    shown = ask(cln, "servers", "prune", "--stale", "30d", "--dry-run")
    assert (shown.code, shown.err) == (0, "")
    assert len(shown.out.splitlines()) == 2 + 5
    rows = ask(cln, "-o", "json", "servers", "prune", "--stale", "30d", "--dry-run").json
    assert [(row["id"], row["outcome"]) for row in rows] == [(f"dead-{number}", "would_remove") for number in range(5)]
    assert rows[0]["reason"] == "last check-in 50d ago"
    assert removals(cln) == []


def test_nothing_to_remove(cln: Cln) -> None:
    """If there is nothing to remove, the exit code is 0, and scripts get an empty list."""
    empty(cln)
    add_server(cln, "fine", "192.0.2.1")
    outcome = ask(cln, "-o", "json", "servers", "prune", "--stale", "30d", "--yes")
    assert (outcome.code, outcome.json, outcome.err) == (0, [], "no servers to remove\n")


@pytest.mark.parametrize("while_sent", [True, False])
def test_interrupted(while_sent: bool, cln: Cln) -> None:
    """Ctrl-C ends the removal with the counts, including the uncertain outcome."""
    five_dead(cln)
    where = "_send" if while_sent else "_reason_to_keep"
    with mock.patch(f"cln_monitor.cli.fleet.removal.Removal.{where}", side_effect=[*[""] * 2, KeyboardInterrupt]):
        outcome = prune(cln, "--stale", "30d")
    assert outcome.code == 3
    summary = "2 removed, 1 uncertain, 2 not tried" if while_sent else "2 removed, 3 not tried"
    assert outcome.err.endswith(f"clntool: stopped: {summary}: interrupted\n")


@pytest.mark.measured
@pytest.mark.processes
@pytest.mark.parametrize(("types", "code", "removed"), [(b"y\n", 0, 5), (b"n\n", 1, 0), (b"\x03", 1, 0)])
def test_on_a_terminal(types: bytes, code: int, removed: int, cln: Cln) -> None:
    """The whole list is shown and confirmed once."""
    five_dead(cln)
    outcome = on_a_terminal(
        "-C", str(cln.config), "servers", "prune", "--stale", "30d", types=types, COLUMNS="200", NO_COLOR="1"
    )
    host = cln.url.split("/")[2]
    assert outcome.err.count("[y/N]") == 1
    before, _, after = outcome.err.partition(f"Remove these 5 servers at {host}? [y/N]")
    assert all(f"dead-{number}" in before for number in range(5))
    assert (outcome.code, len(removals(cln))) == (code, removed)
    assert ("5 removed" if removed else "nothing was sent") in after


@pytest.mark.measured
@pytest.mark.processes
def test_a_script_on_a_terminal(cln: Cln) -> None:
    """The list is shown before the question even if stdout is for a script."""
    five_dead(cln)
    outcome = on_a_terminal(
        "-C", str(cln.config), "servers", "prune", "--stale", "30d", "-o", "csv", types=b"y\n", NO_COLOR="1"
    )
    before, _, after = outcome.err.partition("Remove these 5 servers")
    assert "KernelCare server dead-4 (192.0.2.4): last check-in 46d ago" in before
    assert "product,account,id," in after
    assert (outcome.code, len(removals(cln))) == (0, 5)
