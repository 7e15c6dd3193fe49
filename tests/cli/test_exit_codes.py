"""The exit codes when CLN refuses a call, does not do it, loses the response, or cannot be reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from cln_monitor.simulator import Fault
from tests.helpers.running import wait_until

from .account import LOGIN, SECRET_KEY, Cln, write_config
from .commands import ALL, ALL_CHANGES, ALL_READS, Change
from .inside import ask

pytestmark = pytest.mark.many_inputs


def changed(cln: Cln, folder: Path, old: str, new: str) -> Cln:
    """Return ``cln`` with ``new`` in place of ``old`` in its configuration."""
    config = write_config(folder, cln.url)
    text = config.read_text()
    assert old in text
    config.write_text(text.replace(old, new))
    return Cln(cln.simulator, cln.url, config)


def uncertain(text: str) -> bool:
    """Return whether an error says that the change may have been made."""
    return "may have been made" in text or "may be registered" in text


FAULTS = {
    "timeout": Fault("hang"),
    "HTML": Fault("html"),
    "cut": Fault("cut"),
    "half": Fault("cut_body"),
    "429": Fault("status", status=429, retry_after=600),
    "500": Fault("status", status=500, html=True),
    "reset": Fault("reset"),
    "garbage": Fault("garbage"),
    "empty": Fault("empty"),
    "other shape": Fault("answer", body='{"success": true, "data": [[1]]}'),
    "nothing of CLN": Fault("answer", body='"7"', content_type="text/plain"),
    "redirect": Fault("redirect", location=f"http://{LOGIN}:{SECRET_KEY}@example.net/"),
}


@pytest.mark.parametrize("fault", [name for name in FAULTS if name != "timeout"])
def test_reading_when_cln_fails(fault: str, cln: Cln) -> None:
    """A malformed response exits with 3 for each command that reads, and nothing is shown."""
    cln.simulator.faults.add(FAULTS[fault])
    for command in ALL_READS:
        if fault == "cut" and "status" in command.typed:
            continue  # a text that is cut between two lines is one of fewer flags or hosts
        outcome = ask(cln, *command.arguments)
        assert (outcome.code, outcome.out) == (3, ""), (command.typed, outcome)


@pytest.mark.usefixtures("call_clock")
@pytest.mark.parametrize("fault", FAULTS)
def test_changing_when_cln_fails(fault: str, cln: Cln, tmp_path: Path) -> None:
    """A change without a response is sent once, exits with 3, and is reported as uncertain."""
    if fault == "timeout":
        cln = changed(cln, tmp_path, "timeout: 20s", "timeout: 100ms")
    cln.simulator.faults.add(FAULTS[fault])
    commands = ALL_CHANGES if fault != "timeout" else ALL_CHANGES[::6]
    for command in commands:
        cln.simulator.clear_requests()
        outcome = ask(cln, *command.arguments)
        if fault == "nothing of CLN" and outcome.code == 0:
            assert command.typed.startswith("kernelcare keys create")  # whose data is the key alone
            continue
        assert (outcome.code, outcome.out) == (3, ""), (command.typed, outcome)
        # Who is not waited for may be gone before the server has looked at what it sent.
        wait_until(cln.sent, command.typed)
        assert cln.sent() == [command.sends]
        assert uncertain(outcome.err) == (fault != "429"), outcome.err


def test_unreachable(cln: Cln, tmp_path: Path) -> None:
    """If the connection is refused, the exit code is 3, and a change was certainly not made."""
    nobody = changed(cln, tmp_path, cln.url, "http://127.0.0.1:9/api")
    for command in ALL:
        outcome = ask(nobody, *command.arguments)
        assert (outcome.code, outcome.out) == (3, ""), command.typed
        assert not uncertain(outcome.err)


def test_wrong_secret(cln: Cln) -> None:
    """If CLN refuses the token, each command that sends one exits with 1, and nothing is changed."""
    cln.account.secret_key = "another"
    cln.account.registration_token = "another"
    for command in ALL:
        outcome = ask(cln, *command.arguments)
        if any(word in command.typed for word in ("status --key", "monitoring-key")) or command.typed == "status":
            assert outcome.code == 0
            continue
        assert (outcome.code, outcome.out) == (1, ""), command.typed
        assert "CLN refused the token" in outcome.err
        if isinstance(command, Change):
            assert not command.has_change(cln.account)


@pytest.mark.parametrize(
    "arguments",
    [
        ("kernelcare", "keys", "delete", "NoSuchKey0000001"),
        ("kernelcare", "keys", "set-cidr", "NoSuchKey0000001", "192.0.2.0/24"),
        ("kernelcare", "servers", "remove", "none"),
        ("imunify", "keys", "remove", "IMNOSUCHKEY"),
        ("imunify", "servers", "convert", "im-1", "IMNOSUCHKEY"),
        ("imunify", "servers", "remove", "none"),
        ("els", "servers", "remove", "none"),
        ("ip-licenses", "remove", "192.0.2.99"),
        ("ip-licenses", "convert", "192.0.2.1", "--type", "42", "--type-to", "43"),
        ("ip-licenses", "update", "192.0.2.99", "--no-els-allowed"),
        ("groups", "create", "web"),
        ("groups", "servers", "add", "web", "none"),
        ("groups", "servers", "add", "none", "fresh"),
        ("groups", "servers", "remove", "web", "fresh"),
    ],
)
def test_not_done(arguments: tuple[str, ...], cln: Cln) -> None:
    """A refusal, or a success without an effect, exits with 1."""
    outcome = ask(cln, *arguments, "--yes")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("clntool: sending /")
    looks = [method for method, path, _ in cln.sent() if path == "/group/servers/list.json"]
    assert len(cln.sent()) - len(looks) == 1


@pytest.mark.parametrize("status", [400, 404, 405, 409, 411, 413, 415])
@pytest.mark.parametrize("body", ["", "<html>", '{"status": 405, "error": "Oops", "message": "not like this"}'])
def test_refused_by_status(status: int, body: str, cln: Cln) -> None:
    """A client error to a change exits with 1 and CLN's message, and the change was certainly not made."""
    cln.simulator.faults.add(Fault("answer", status=status, body=body))
    for command in ALL_CHANGES[status % 5 :: 5]:
        cln.simulator.clear_requests()
        outcome = ask(cln, *command.arguments)
        assert (outcome.code, outcome.out) == (1, ""), (command.typed, outcome)
        assert not uncertain(outcome.err)
        assert ("not like this" in outcome.err) == ("not like" in body), outcome.err
        assert not command.has_change(cln.account)
        assert cln.sent() == [command.sends]


@pytest.mark.parametrize("status", [408, 500, 502, 504])
def test_left_open_by_status(status: int, cln: Cln) -> None:
    """A server error to a change exits with 3 and CLN's message, and its outcome is uncertain."""
    cln.simulator.faults.add(Fault("answer", status=status, body='{"status": 5, "message": "worker died"}'))
    for command in ALL_CHANGES[status % 4 :: 4]:
        outcome = ask(cln, *command.arguments)
        assert (outcome.code, outcome.out) == (3, ""), (command.typed, outcome)
        assert uncertain(outcome.err)
        assert "worker died" in outcome.err


def test_words_of_a_refused_read(cln: Cln) -> None:
    """A client error to a read exits with 1 if CLN gives a reason, and with 3 otherwise."""
    for body, code in (('{"status": 400, "message": "bad month"}', 1), ("<html>", 3)):
        cln.simulator.faults.clear()
        cln.simulator.faults.add(Fault("answer", status=400, body=body))
        for command in ALL_READS:
            outcome = ask(cln, *command.arguments)
            assert (outcome.code, outcome.out) == (code, ""), (command.typed, outcome)
            assert ("bad month" in outcome.err) == (code == 1)
