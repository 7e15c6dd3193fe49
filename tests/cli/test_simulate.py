"""``clntool simulate`` as a process, asked by clntool."""

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
    """Return a simulator that runs, and what it says of itself."""
    program = Program([*CLNTOOL, "-o", "json", "simulate", "--listen", "127.0.0.1:0", *arguments], folder / "log")
    try:
        program.wait_for_log(r"\n}\n")
        said: dict[str, str] = json.loads(program.log)
    except BaseException:
        program.stop()
        raise
    return program, said


def ask_it(said: dict[str, str], folder: Path, *arguments: str) -> Outcome:
    """Return what clntool gets of that simulator."""
    secret = folder / "secret"
    secret.write_text(said["secret_key"])
    return run("--login", said["login"], "--secret-key-file", str(secret), "--api-url", said["api_url"], *arguments)


@pytest.mark.measured
@pytest.mark.processes
@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_serves_until_told_to_stop(sign: signal.Signals, tmp_path: Path) -> None:
    """It says whom to ask and as whom, answers, and ends with 0."""
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
    """Without a number of servers, the account is that of the demo."""
    program, said = start(tmp_path)
    try:
        groups = ask_it(said, tmp_path, "-o", "json", "groups", "list").json
        assert "All that must be up at night" in [group["description"] for group in groups]
    finally:
        program.stop()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--listen", "8099"), "--listen: expected an address and a port"),
        (("--listen", "127.0.0.1:65536"), "--listen: expected an address and a port"),
        (("--listen", "127.0.0.1:x"), "--listen: expected an address and a port"),
        (("--listen", "0.0.0.0:0"), "it serves loopback alone"),
        (("--servers", "-1"), "the simulator cannot run: generating -1 servers: from 0 to 1000000"),
        (("--servers", "1000001"), "the simulator cannot run: generating 1000001 servers"),
        (("--speed", "-1"), "the simulator cannot run: a simulator with speed=-1.0"),
        (("--speed", "nan"), "the simulator cannot run: a simulator with speed=nan"),
        (("--servers", "x"), "Invalid value for '--servers'"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], text: str) -> None:
    """What it cannot do is told, and ends with 2."""
    outcome = run("simulate", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert text in outcome.err


def test_port_that_is_taken() -> None:
    """So is a port that somebody else has."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        outcome = run("simulate", "--listen", f"127.0.0.1:{taken.getsockname()[1]}")
    assert outcome.code == 2
    assert re.fullmatch(r"clntool: the simulator cannot run: .*127\.0\.0\.1:\d+: Address already in use\n", outcome.err)
