"""``clntool simulate`` as a process, queried by clntool."""

from __future__ import annotations

import json
import re
import signal
import socket
from pathlib import Path

import pytest

from tests.helpers.running import Program

from .inside import Outcome, run
from .processes import CLNTOOL


def start(folder: Path, *arguments: str) -> tuple[Program, dict[str, str]]:
    """Return a running simulator, and its output."""
    program = Program([*CLNTOOL, "-o", "json", "simulate", "--listen", "127.0.0.1:0", *arguments], folder / "log")
    try:
        program.wait_for_log(r"\n}\n")
        said: dict[str, str] = json.loads(program.log)
    except BaseException:
        program.stop()
        raise
    return program, said


def ask_it(said: dict[str, str], folder: Path, *arguments: str) -> Outcome:
    """Return the outcome of clntool with that simulator."""
    secret = folder / "secret"
    secret.write_text(said["secret_key"])
    return run("--login", said["login"], "--secret-key-file", str(secret), "--api-url", said["api_url"], *arguments)


@pytest.mark.measured
@pytest.mark.processes
@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_serves_until_a_signal(sign: signal.Signals, tmp_path: Path) -> None:
    """It prints the URL and the credentials, serves, and exits with 0 on a signal."""
    program, said = start(tmp_path, "--servers", "30", "--seed", "3")
    try:
        assert len(ask_it(said, tmp_path, "-o", "json", "kernelcare", "servers", "list").json) == 30
        assert ask_it(said, tmp_path, "kernelcare", "keys", "create", "--limit", "1", "--yes").code == 0
    finally:
        code, seconds = program.stop(sign)
    assert code == 0
    assert seconds < 20


@pytest.mark.measured
@pytest.mark.processes
def test_demo(tmp_path: Path) -> None:
    """Without --servers, the account is that of the demo."""
    program, said = start(tmp_path)
    try:
        groups = ask_it(said, tmp_path, "-o", "json", "groups", "list").json
        assert "All that must be up at night" in [group["description"] for group in groups]
    finally:
        program.stop()


@pytest.mark.measured
@pytest.mark.processes
@pytest.mark.parametrize("revision", ["2024-03", "2024-10"])
def test_revision(tmp_path: Path, revision: str) -> None:
    """The simulator follows the chosen revision: only the newer one reports check-ins of ELS servers."""
    program, said = start(tmp_path, "--revision", revision)
    try:
        rows = ask_it(said, tmp_path, "-o", "json", "els", "servers", "list").json
        assert {"last_checkin" in row for row in rows} == {revision == "2024-10"}
        assert ask_it(said, tmp_path, "els", "servers", "remove", rows[0]["server_id"], "--yes").code == 0
    finally:
        program.stop()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--listen", "8099"), "--listen: expected an address and a port"),
        (("--listen", "127.0.0.1:65536"), "--listen: expected an address and a port"),
        (("--listen", "127.0.0.1:x"), "--listen: expected an address and a port"),
        (("--listen", "0.0.0.0:0"), "use a loopback address"),
        (
            ("--servers", "-1"),
            "cannot start the simulator: invalid number of servers -1: use a number from 0 to 1000000",
        ),
        (("--servers", "1000001"), "cannot start the simulator: invalid number of servers 1000001"),
        (("--revision", "2020-01"), "invalid revision 2020-01: use 2024-03 or 2024-10"),
        (("--speed", "-1"), "cannot start the simulator: invalid speed -1.0"),
        (("--speed", "nan"), "cannot start the simulator: invalid speed nan"),
        (("--servers", "x"), "Invalid value for '--servers'"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], text: str) -> None:
    """Invalid options of simulate are reported and exit with 2."""
    outcome = run("simulate", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert text in outcome.err


def test_port_in_use() -> None:
    """A port in use is reported."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        outcome = run("simulate", "--listen", f"127.0.0.1:{taken.getsockname()[1]}")
    assert outcome.code == 2
    assert re.fullmatch(
        r"clntool: cannot start the simulator: .*127\.0\.0\.1:\d+: Address already in use\n", outcome.err
    )
