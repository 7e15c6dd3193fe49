"""Plugins and clntool make calls one by one if no thread can be started."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cln_monitor.simulator import Fault, Simulator, serve
from tests.helpers.few_threads import DIES, REFUSED
from tests.helpers.small_cln import small_cln, write_config

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[2]


@pytest.fixture
def cln(tmp_path: Path) -> Iterator[tuple[Simulator, Path]]:
    """Yield a running CLN of several keys, and its configuration."""
    simulator = small_cln()
    (account,) = simulator.accounts.values()
    for number in range(5):
        account.add_kernelcare_key(f"MoreKey{number:09}").add_server()
    with serve(simulator) as served:
        yield simulator, write_config(tmp_path, served.url)


def ended(how: str, folder: Path, *command: str) -> tuple[int, str, str]:
    """Return exit code, stdout and stderr of a program that cannot start threads, unless ``how`` is empty."""
    file = folder / "no-threads"
    if how:
        file.write_text(how, encoding="utf-8")
    program = (sys.executable, "-m", "tests.helpers.few_threads", str(file), *command)
    process = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    return process.returncode, re.sub(r"oldest_checkin=\d+", "", process.stdout), process.stderr


@pytest.mark.parametrize("how", [REFUSED, DIES])
@pytest.mark.parametrize("program", ["check_cln_kernelcare", "clntool"])
def test_it_only_takes_longer(how: str, program: str, cln: tuple[Simulator, Path], tmp_path: Path) -> None:
    """The output without threads is the same as with threads."""
    arguments: tuple[str, ...] = ("-C", str(cln[1]), "-o", "json", "kernelcare", "servers", "list")
    if program != "clntool":
        arguments = ("-C", str(cln[1]), "-t", "60")
    before = ended("", tmp_path, program, *arguments)
    assert before[1]
    assert ended(how, tmp_path, program, *arguments) == before
    assert before[2] == ""


def test_the_timeout_of_a_plugin(cln: tuple[Simulator, Path], tmp_path: Path) -> None:
    """The timeout of a plugin is enforced without a thread."""
    cln[0].faults.add(Fault("hang"))
    started = time.monotonic()
    code, out, _ = ended(REFUSED, tmp_path, "check_cln_kernelcare", "-C", str(cln[1]), "-t", "1.5")
    assert time.monotonic() - started < 60
    assert (code, out.partition(" - ")[0]) == (3, "UNKNOWN")
