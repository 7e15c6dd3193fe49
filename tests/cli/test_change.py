"""Every change is checked by a dry run, confirmed, sent once, and reported."""

from __future__ import annotations

import re
import signal
import subprocess
from unittest import mock
from urllib.parse import quote_plus

import pytest

from cln_monitor.simulator import Fault
from tests.helpers.running import PATIENCE, wait_until

from .account import ELS_KEY, IMUNIFY_KEY, KEY, MONITORING_KEY, OTHER_IMUNIFY_KEY, OTHER_KEY, Cln
from .commands import ALL_CHANGES, LISTED_NOTE, Change, typed
from .inside import ask, run
from .processes import CLNTOOL, on_a_terminal


@pytest.mark.parametrize("command", ALL_CHANGES, ids=typed)
def test_what_changes(command: Change, cln: Cln) -> None:
    """With --yes, one call is sent once, CLN makes the change, and stderr reports it."""
    assert not command.has_change(cln.account)
    outcome = ask(cln, "--output", "json", *command.arguments)
    assert outcome.code == 0, outcome
    assert cln.sent() == [command.sends]
    assert command.has_change(cln.account)
    expected = command.shown(cln.account)
    got = outcome.json
    if isinstance(expected, dict):
        got |= {name: ... for name, value in expected.items() if value is ...}
    assert got == expected
    assert re.match(r"(created|deleted|added|removed|registered|updated|moved|converted|allowed) \S", outcome.err)


@pytest.mark.parametrize("command", ALL_CHANGES, ids=typed)
def test_changes_as_a_table(command: Change, cln: Cln) -> None:
    """A table shows the changed object, or nothing if the report on stderr is enough."""
    outcome = ask(cln, *command.without_yes, "-y")
    assert outcome.code == 0
    expected = command.shown(cln.account)
    assert bool(outcome.out) == ("done" not in expected)


@pytest.mark.parametrize("command", ALL_CHANGES, ids=typed)
def test_without_a_terminal(command: Change, cln: Cln) -> None:
    """Without a terminal, a change requires --yes; keys are masked, as in all errors."""
    outcome = ask(cln, *command.without_yes)
    assert (outcome.code, outcome.out, cln.sent()) == (2, "", [])
    assert outcome.err.startswith("clntool: nothing was sent: use --yes to ")
    assert outcome.err.endswith(" without a terminal\n")
    if "key" in command.sends[2]:
        assert command.sends[2]["key"] not in outcome.err


@pytest.mark.parametrize("command", ALL_CHANGES, ids=typed)
def test_dry_run(command: Change, cln: Cln) -> None:
    """A dry run shows the request without its token and sends nothing, with or without --yes."""
    method, path, query = command.sends
    host = cln.url.split("/")[2]
    for arguments in (command.arguments, command.without_yes):
        outcome = ask(cln, *arguments, "--dry-run")
        assert (outcome.code, outcome.err) == (0, "")
        sent = "&".join(f"{name}={quote_plus(value)}" for name, value in query.items())
        assert outcome.out.startswith("would ")
        assert outcome.out.endswith(f": {method} {path}?{sent} at {host}\n")
        script = ask(cln, "-o", "json", *arguments, "--dry-run").json
        assert script == {"dry_run": True, "api": host, "method": method, "path": path, "arguments": query}
    assert cln.sent() == []
    assert not command.has_change(cln.account)


@pytest.mark.processes
@pytest.mark.parametrize(
    ("types", "code", "says"),
    [
        (b"y\n", 0, f"deleted KernelCare key {KEY}"),
        (b"YES\n", 0, "deleted KernelCare key"),
        (b"n\n", 1, "nothing was sent"),
        (b"\n", 1, "nothing was sent"),
        (b"what\nno\n", 1, "nothing was sent"),
        (b"\x04", 1, "nothing was sent"),
        (b"\x03", 1, "nothing was sent"),
    ],
)
def test_on_a_terminal(types: bytes, code: int, says: str, cln: Cln) -> None:
    """On a terminal, a change is confirmed first; no, an empty answer, Ctrl-D and Ctrl-C send nothing."""
    outcome = on_a_terminal("-C", str(cln.config), "kernelcare", "keys", "delete", KEY, types=types)
    host = cln.url.split("/")[2]
    affected = f"(note {LISTED_NOTE!r}, 2 servers)"
    assert f"Delete KernelCare key {KEY} {affected} at {host}? [y/N]:" in " ".join(outcome.err.split())
    sent = [path for _, path, _ in cln.sent()]
    assert sent[:2] == ["/kcare/key/list.json", "/kcare/key/servers.json"]
    assert (outcome.code, sent[2:]) == (code, ["/kcare/key/delete.json"] * (1 - code))
    assert says in outcome.err


@pytest.mark.processes
def test_wrong_arguments_are_not_asked_about(cln: Cln) -> None:
    """Invalid arguments are reported before any question is asked."""
    outcome = on_a_terminal("-C", str(cln.config), "kernelcare", "keys", "delete", "a/b", types=b"y\n")
    assert outcome.code == 2
    assert "[y/N]" not in outcome.err


@pytest.mark.processes
def test_interrupted_while_it_is_sent(cln: Cln) -> None:
    """Ctrl-C during a change exits with 3 and says that the change may have been made."""
    cln.simulator.faults.add(Fault("hang"))

    arguments = ("-C", str(cln.config), "kernelcare", "keys", "delete", KEY)
    child = subprocess.Popen(
        [*CLNTOOL, *arguments, "--yes"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    )
    wait_until(lambda: cln.simulator.requests, "the request")
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=PATIENCE)
    assert (child.returncode, out) == (3, "")
    assert err == (
        "clntool: interrupted while asking CLN to delete KernelCare key WsTs-8c7994d7; "
        "the change may have been made; check before you repeat it\n"
    )
    assert len(cln.sent()) == 1


def test_interrupted_while_reading(cln: Cln) -> None:
    """Ctrl-C during a read is reported as an interruption."""
    with mock.patch("cln_monitor.cln.groups.GroupReads.groups", side_effect=KeyboardInterrupt):
        outcome = ask(cln, "groups", "list")
    assert (outcome.code, outcome.out, outcome.err) == (3, "", "clntool: interrupted\n")


def test_partly_done(cln: Cln) -> None:
    """If CLN makes only part of a change, that part is shown, the rest is reported, and the exit code is 1."""
    outcome = ask(cln, "-o", "json", "groups", "servers", "add", "web", "fresh", "none", "im-1", "--yes")
    assert outcome.code == 1
    assert [row["server_id"] for row in outcome.json] == ["fresh"]
    assert outcome.err == "already in the group: im-1\nclntool: CLN made no change for none\n"  # and nothing is "added"
    outcome = ask(cln, "groups", "servers", "remove", "web", "fresh", "none", "--yes")
    assert outcome.code == 1
    assert "fresh" in outcome.out
    assert outcome.err == "clntool: CLN made no change for none\n"


def test_monitoring_key_needs_no_account(cln: Cln) -> None:
    """Registering a monitoring key reads no secret and sends no token."""
    cln.simulator.faults.add(Fault("answer", body="success:true code:2"))
    outcome = ask(cln, "kernelcare", "monitoring-key", "register", MONITORING_KEY, "--yes")
    assert outcome.code == 1
    assert "has no KernelCare IP license (code 2)" in outcome.err
    assert "token" not in cln.simulator.requests[0].query


def test_an_update_of_all_types_is_warned_of(cln: Cln) -> None:
    """An update without --type shows the warning of the API document."""
    outcome = ask(cln, "ip-licenses", "update", "192.0.2.1", "--no-els-allowed", "--dry-run")
    assert outcome.code == 0
    assert outcome.err.startswith("note: the API document says that this call removes licenses if no type is given")
    assert (
        "note:" not in ask(cln, "ip-licenses", "update", "192.0.2.1", "--type", "1", "--els-allowed", "--dry-run").err
    )


@pytest.mark.parametrize(
    "spelled", [("192.0.2.0/24 2001:DB8::/32",), ("192.0.2.0/24,2001:db8::/32",), (" 192.0.2.0/24; ", "2001:db8::/32")]
)
def test_networks_as_the_document_separates_them(spelled: tuple[str, ...], cln: Cln) -> None:
    """Networks can be separated by blanks, commas and semicolons, and are added."""
    outcome = ask(cln, "kernelcare", "keys", "set-cidr", KEY, *spelled, "--yes")
    assert outcome.code == 0, outcome
    assert outcome.err.startswith("added 192.0.2.0/24, 2001:")
    assert outcome.err.endswith(f" to the networks of KernelCare key {KEY}\n")
    assert cln.sent() == [("GET", "/kcare/key/set_cidr.json", {"key": KEY, "cidr": "192.0.2.0/24,2001:db8::/32"})]


def test_a_license_that_was_there_already(cln: Cln) -> None:
    """An existing license is shown; stderr reports its date and that nothing was purchased."""
    there = next(iter(cln.account.ip_licenses.values()))
    there.created = 1_400_000_000.0
    outcome = ask(cln, "ip-licenses", "register", there.ip, "--type", str(there.type), "--yes")
    assert outcome.code == 0, outcome
    assert outcome.err.endswith("\nalready registered since 2014-05-13 16:53 UTC; nothing was purchased\n")
    new = ask(cln, "ip-licenses", "register", "192.0.2.77", "--type", "16", "--yes")
    assert (new.code, "already" in new.err) == (0, False)


def test_a_server_that_is_in_the_group_already(cln: Cln) -> None:
    """A server already in the group is not an error; one unknown to CLN is."""
    outcome = ask(cln, "groups", "servers", "add", "web", "im-1", "--yes")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "already in the group: im-1\n")
    outcome = ask(cln, "groups", "servers", "add", "web", "im-1", "fresh", "--yes")
    assert (outcome.code, outcome.err) == (0, "already in the group: im-1\n")
    assert "fresh" in outcome.out
    outcome = ask(cln, "groups", "servers", "add", "web", "fresh", "none", "--yes")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == "already in the group: fresh\nclntool: CLN made no change for none\n"


@pytest.mark.parametrize(
    ("arguments", "caution"),
    [
        ("imunify keys create --code 360_NEW --limit 3", "360_NEW is not a product code of the API document"),
        ("ip-licenses convert 192.0.2.1 --type 16 --type-to 7215", "no Imunify license of type 16, 7215"),
        (
            "ip-licenses convert 192.0.2.1 --type 41 --type-to 40",
            "only upgrades to Imunify360, and type 40 is ImunifyAV+",
        ),
    ],
)
def test_undocumented_values(arguments: str, caution: str, cln: Cln) -> None:
    """A value unknown to the API document shows a note, and the call is sent."""
    outcome = ask(cln, *arguments.split(), "--dry-run")
    assert outcome.code == 0
    assert caution in outcome.err
    assert "; CLN may refuse " in outcome.err
    ask(cln, *arguments.split(), "--yes")
    assert len(cln.sent()) == 1


@pytest.mark.measured
@pytest.mark.processes
@pytest.mark.parametrize(
    ("arguments", "affected"),
    [
        (("imunify", "keys", "remove", IMUNIFY_KEY), "with all its servers (1 server) at"),
        (("els", "keys", "remove", ELS_KEY), "with all its servers (note '12', 1 server) at"),
        (("kernelcare", "keys", "delete", OTHER_KEY), "(0 servers) at"),
        (("kernelcare", "keys", "delete", "NoSuchKey0000001"), "(not in the account) at"),
        (("ip-licenses", "remove", "192.0.2.1"), "(CloudLinux OS, in use, Imunify360 single user, unused) at"),
        (("ip-licenses", "remove", "192.0.2.1", "--type", "41"), "(Imunify360 single user, unused) at"),
    ],
)
def test_affected_servers_in_the_question(arguments: tuple[str, ...], affected: str, cln: Cln) -> None:
    """The question before a removal says what is removed with the object."""
    outcome = on_a_terminal("-C", str(cln.config), *arguments, types=b"n\n", COLUMNS="300")
    assert affected in " ".join(outcome.err.split())
    assert outcome.code == 1


@pytest.mark.measured
@pytest.mark.processes
def test_affected_servers_cannot_be_read(cln: Cln) -> None:
    """If the affected servers cannot be read, the question says so."""
    cln.simulator.faults.add(Fault("html", "/kcare/key/list.json"))
    outcome = on_a_terminal("-C", str(cln.config), "kernelcare", "keys", "delete", KEY, types=b"y\n")
    assert "(its note and servers could not be read) at" in " ".join(outcome.err.split())
    assert (outcome.code, KEY in cln.account.kernelcare_keys) == (0, False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (f"kernelcare keys delete {KEY}", f"deleted KernelCare key {KEY}"),
        ("kernelcare servers remove fresh", "removed KernelCare server fresh"),
        ("imunify servers remove im-1", "removed Imunify server im-1"),
        (f"imunify servers convert im-1 {OTHER_IMUNIFY_KEY}", f"moved Imunify server im-1 to key {OTHER_IMUNIFY_KEY}"),
        ("els servers remove 12345", "removed ELS server 12345"),
        (f"imunify keys remove {IMUNIFY_KEY}", f"removed Imunify key {IMUNIFY_KEY} with all its servers"),
        ("ip-licenses remove 192.0.2.1", "removed all IP licenses of 192.0.2.1"),
        (
            "ip-licenses convert 192.0.2.1 --type 41 --type-to 43",
            "converted IP license Imunify360 single user of 192.0.2.1 to Imunify360 up to 250 users",
        ),
        (
            "ip-licenses update 2001:db8::9 --type 5010 --no-els-allowed",
            "forbade CloudLinux 6 for IP license of type 5010 of 2001:db8::9",
        ),
        ("groups servers remove web im-1", "removed im-1 from group web"),
    ],
)
def test_report_of_a_change(arguments: str, message: str, cln: Cln) -> None:
    """A completed change is reported in the past tense of its action."""
    assert ask(cln, *arguments.split(), "--yes").err == f"{message}\n"


@pytest.mark.parametrize(
    ("command", "others"),
    [
        ("kernelcare keys delete", ["kernelcare servers remove"]),
        ("kernelcare servers remove", ["kernelcare keys delete", "servers prune"]),
        ("imunify keys remove", ["imunify servers remove", "imunify servers convert"]),
        ("imunify servers remove", ["imunify keys remove", "imunify servers convert"]),
        ("imunify servers convert", ["imunify servers remove"]),
        ("els keys remove", ["els servers remove"]),
        ("els servers remove", ["els keys remove"]),
        ("ip-licenses convert", ["ip-licenses remove"]),
        ("ip-licenses remove", ["ip-licenses convert"]),
    ],
)
def test_help_names_related_commands(command: str, others: list[str]) -> None:
    """The help of each command that removes names the related commands."""
    shown = " ".join(run(*command.split(), "--help").out.split())
    assert not [other for other in others if f"`clntool {other}`" not in shown]
