"""Every change: rehearsed, agreed to, sent once, and told."""

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
    """With --yes the one call goes out once, and CLN has the change; stderr tells so."""
    assert not command.made(cln.account)
    outcome = ask(cln, "--output", "json", *command.arguments)
    assert outcome.code == 0, outcome
    assert cln.sent() == [command.sends]
    assert command.made(cln.account)
    expected = command.shown(cln.account)
    got = outcome.json
    if isinstance(expected, dict):
        got |= {name: ... for name, value in expected.items() if value is ...}
    assert got == expected
    assert re.match(r"(created|deleted|added|removed|registered|updated|moved|converted|allowed) \S", outcome.err)


@pytest.mark.parametrize("command", ALL_CHANGES, ids=typed)
def test_what_changes_for_people(command: Change, cln: Cln) -> None:
    """A table is what is left of it, or nothing where there is nothing to show beside what stderr tells."""
    outcome = ask(cln, *command.without_yes, "-y")
    assert outcome.code == 0
    expected = command.shown(cln.account)
    assert bool(outcome.out) == ("done" not in expected)


@pytest.mark.parametrize("command", ALL_CHANGES, ids=typed)
def test_without_a_terminal(command: Change, cln: Cln) -> None:
    """Without a terminal to ask on a change takes --yes; keys are masked, as in all errors."""
    outcome = ask(cln, *command.without_yes)
    assert (outcome.code, outcome.out, cln.sent()) == (2, "", [])
    assert outcome.err.startswith("clntool: nothing was sent: to ")
    assert outcome.err.endswith(" without a terminal to ask on takes --yes\n")
    if "key" in command.sends[2]:
        assert command.sends[2]["key"] not in outcome.err


@pytest.mark.parametrize("command", ALL_CHANGES, ids=typed)
def test_dry_run(command: Change, cln: Cln) -> None:
    """What would be sent is shown without its token, and nothing is sent, with --yes or without."""
    method, path, query = command.sends
    host = cln.url.split("/")[2]
    for arguments in (command.arguments, command.without_yes):
        told = ask(cln, *arguments, "--dry-run")
        assert (told.code, told.err) == (0, "")
        asked = "&".join(f"{name}={quote_plus(value)}" for name, value in query.items())
        assert told.out.startswith("would ")
        assert told.out.endswith(f": {method} {path}?{asked} at {host}\n")
        script = ask(cln, "-o", "json", *arguments, "--dry-run").json
        assert script == {"dry_run": True, "api": host, "method": method, "path": path, "arguments": query}
    assert cln.sent() == []
    assert not command.made(cln.account)


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
    """It asks first; no, nothing, Ctrl-D and Ctrl-C send nothing."""
    outcome = on_a_terminal("-C", str(cln.config), "kernelcare", "keys", "delete", KEY, types=types)
    host = cln.url.split("/")[2]
    goes_with_it = f"(note {LISTED_NOTE!r}, 2 servers)"
    assert f"Delete KernelCare key {KEY} {goes_with_it} at {host}? [y/N]:" in " ".join(outcome.err.split())
    sent = [path for _, path, _ in cln.sent()]
    assert sent[:2] == ["/kcare/key/list.json", "/kcare/key/servers.json"]
    assert (outcome.code, sent[2:]) == (code, ["/kcare/key/delete.json"] * (1 - code))
    assert says in outcome.err


@pytest.mark.processes
def test_wrong_arguments_are_not_asked_about(cln: Cln) -> None:
    """Nobody is asked whether to send what cannot be sent."""
    outcome = on_a_terminal("-C", str(cln.config), "kernelcare", "keys", "delete", "a/b", types=b"y\n")
    assert outcome.code == 2
    assert "[y/N]" not in outcome.err


@pytest.mark.processes
def test_interrupted_while_it_is_sent(cln: Cln) -> None:
    """Ctrl-C during a change ends with 3 and says that it may have been made."""
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
        "it may have been done all the same: look before sending it again\n"
    )
    assert len(cln.sent()) == 1


def test_interrupted_while_reading(cln: Cln) -> None:
    """Ctrl-C during a read is told as what it is."""
    with mock.patch("cln_monitor.cln.groups.GroupReads.groups", side_effect=KeyboardInterrupt):
        outcome = ask(cln, "groups", "list")
    assert (outcome.code, outcome.out, outcome.err) == (3, "", "clntool: interrupted\n")


def test_partly_done(cln: Cln) -> None:
    """What CLN did is shown, what it did not is told, and the end is 1."""
    outcome = ask(cln, "-o", "json", "groups", "servers", "add", "web", "fresh", "none", "im-1", "--yes")
    assert outcome.code == 1
    assert [row["server_id"] for row in outcome.json] == ["fresh"]
    assert outcome.err == "already there: im-1\nclntool: CLN did not do it for none\n"  # and nothing is "done:"
    outcome = ask(cln, "groups", "servers", "remove", "web", "fresh", "none", "--yes")
    assert outcome.code == 1
    assert "fresh" in outcome.out
    assert outcome.err == "clntool: CLN did not do it for none\n"


def test_monitoring_key_needs_no_account(cln: Cln) -> None:
    """It is registered for the address of the machine, so nobody's secret is read."""
    cln.simulator.faults.add(Fault("answer", body="success:true code:2"))
    outcome = ask(cln, "kernelcare", "monitoring-key", "register", MONITORING_KEY, "--yes")
    assert outcome.code == 1
    assert "has no KernelCare IP license (code 2)" in outcome.err
    assert "token" not in cln.simulator.requests[0].query


def test_an_update_of_all_types_is_warned_of(cln: Cln) -> None:
    """The API document says of that call that it removes licences, which is what nobody wants of an update."""
    outcome = ask(cln, "ip-licenses", "update", "192.0.2.1", "--no-els-allowed", "--dry-run")
    assert outcome.code == 0
    assert outcome.err.startswith("note: of this call without a type the API document says that it removes licenses")
    assert (
        "note:" not in ask(cln, "ip-licenses", "update", "192.0.2.1", "--type", "1", "--els-allowed", "--dry-run").err
    )


@pytest.mark.parametrize(
    "spelled", [("192.0.2.0/24 2001:DB8::/32",), ("192.0.2.0/24,2001:db8::/32",), (" 192.0.2.0/24; ", "2001:db8::/32")]
)
def test_networks_as_the_document_separates_them(spelled: tuple[str, ...], cln: Cln) -> None:
    """By blanks, commas and semicolons, in one argument or several; they are added, as the document has it."""
    outcome = ask(cln, "kernelcare", "keys", "set-cidr", KEY, *spelled, "--yes")
    assert outcome.code == 0, outcome
    assert outcome.err.startswith("added 192.0.2.0/24, 2001:")
    assert outcome.err.endswith(f" to the networks of KernelCare key {KEY}\n")
    assert cln.sent() == [("GET", "/kcare/key/set_cidr.json", {"key": KEY, "cidr": "192.0.2.0/24,2001:db8::/32"})]


def test_a_licence_that_was_there_already(cln: Cln) -> None:
    """CLN gives the one there is, and stderr tells since when, and that nothing was bought."""
    there = next(iter(cln.account.ip_licenses.values()))
    there.created = 1_400_000_000.0
    outcome = ask(cln, "ip-licenses", "register", there.ip, "--type", str(there.type), "--yes")
    assert outcome.code == 0, outcome
    assert outcome.err.endswith("\nit was registered already, since 2014-05-13 16:53 UTC; nothing was bought\n")
    new = ask(cln, "ip-licenses", "register", "192.0.2.77", "--type", "16", "--yes")
    assert (new.code, "already" in new.err) == (0, False)


def test_a_server_that_is_in_the_group_already(cln: Cln) -> None:
    """Is no failure: what was asked for is so. One that CLN does not know is, also beside it."""
    outcome = ask(cln, "groups", "servers", "add", "web", "im-1", "--yes")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "already there: im-1\n")
    outcome = ask(cln, "groups", "servers", "add", "web", "im-1", "fresh", "--yes")
    assert (outcome.code, outcome.err) == (0, "already there: im-1\n")
    assert "fresh" in outcome.out
    outcome = ask(cln, "groups", "servers", "add", "web", "fresh", "none", "--yes")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == "already there: fresh\nclntool: CLN did not do it for none\n"


@pytest.mark.parametrize(
    ("arguments", "caution"),
    [
        ("imunify keys create --code 360_NEW --limit 3", "the API document names no Imunify product 360_NEW"),
        ("ip-licenses convert 192.0.2.1 --type 16 --type-to 7215", "no Imunify license of type 16, 7215"),
        (
            "ip-licenses convert 192.0.2.1 --type 41 --type-to 40",
            "upgrades to Imunify360 alone, and 40 is ImunifyAV+",
        ),
    ],
)
def test_what_the_document_does_not_name(arguments: str, caution: str, cln: Cln) -> None:
    """Is for CLN to decide: who is asked reads what speaks against it, and it is sent."""
    asked = ask(cln, *arguments.split(), "--dry-run")
    assert asked.code == 0
    assert caution in asked.err
    assert asked.err.endswith("; CLN decides\n")
    ask(cln, *arguments.split(), "--yes")
    assert len(cln.sent()) == 1


@pytest.mark.measured
@pytest.mark.processes
@pytest.mark.parametrize(
    ("arguments", "goes"),
    [
        (("imunify", "keys", "remove", IMUNIFY_KEY), "with all its servers (1 server) at"),
        (("els", "keys", "remove", ELS_KEY), "with all its servers (note '12', 1 server) at"),
        (("kernelcare", "keys", "delete", OTHER_KEY), "(0 servers) at"),
        (("kernelcare", "keys", "delete", "NoSuchKey0000001"), "(no key of the account) at"),
        (("ip-licenses", "remove", "192.0.2.1"), "(CloudLinux OS, in use, Imunify360 single user, unused) at"),
        (("ip-licenses", "remove", "192.0.2.1", "--type", "41"), "(Imunify360 single user, unused) at"),
    ],
)
def test_what_goes_with_it(arguments: tuple[str, ...], goes: str, cln: Cln) -> None:
    """A question that removes says what is lost."""
    outcome = on_a_terminal("-C", str(cln.config), *arguments, types=b"n\n", COLUMNS="300")
    assert goes in " ".join(outcome.err.split())
    assert outcome.code == 1


@pytest.mark.measured
@pytest.mark.processes
def test_what_goes_with_it_cannot_be_read(cln: Cln) -> None:
    """Then the question says so; the person decides."""
    cln.simulator.faults.add(Fault("html", "/kcare/key/list.json"))
    outcome = on_a_terminal("-C", str(cln.config), "kernelcare", "keys", "delete", KEY, types=b"y\n")
    assert "(its note and servers could not be read) at" in " ".join(outcome.err.split())
    assert (outcome.code, KEY in cln.account.kernelcare_keys) == (0, False)


@pytest.mark.parametrize(
    ("arguments", "told"),
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
def test_what_was_done(arguments: str, told: str, cln: Cln) -> None:
    """It is told in the words of who asked for it."""
    assert ask(cln, *arguments.split(), "--yes").err == f"{told}\n"


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
def test_what_removes_explains_the_others(command: str, others: list[str]) -> None:
    """Who looks at the help of one learns which other one may be meant."""
    shown = " ".join(run(*command.split(), "--help").out.split())
    assert not [other for other in others if f"`clntool {other}`" not in shown]
