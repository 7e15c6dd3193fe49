"""Processes under measurement, and what the operating system says they cost."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.helpers.running import Program, wait_until

_PORTS = r"port=(\d+) \w+=(\d+)\n"
PATIENCE = 300.0
"""Seconds that a large fleet may take to be made, or to be polled for the first time."""

_SCHEDULED = 2  # CPUCLOCK_SCHED of the kernel: user and system time of all threads, also of those that ended


def cpu_of(pid: int) -> float:
    """Return the seconds of CPU that a process has used so far, by its CPU clock: clock_getcpuclockid(3)."""
    return time.clock_gettime((~pid << 3) | _SCHEDULED)


def resident(pid: int, field: str = "VmRSS") -> float:
    """Return the MB (of a million bytes) that a process holds in memory, or has held at most: ``VmHWM``."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    found = re.search(rf"{field}:\s+(\d+) kB", status)
    assert found is not None, status
    return int(found[1]) * 1024 / 1e6


@dataclass(frozen=True)
class Ended:
    """A command that ran to its end. ``cpu``: its seconds of user and system time; ``code``: how it ended."""

    output: str
    code: int
    cpu: float


def run(*command: str, environment: Mapping[str, str] | None = None) -> Ended:
    """Run a command and return what it cost."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command, env=os.environ | dict(environment or {}), capture_output=True, text=True, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Ended(done.stdout + done.stderr, done.returncode, cpu)


@contextlib.contextmanager
def module(name: str, folder: Path, *arguments: object) -> Iterator[tuple[int, re.Match[str]]]:
    """Run the module ``tools.bench.name`` while this is entered; give its process id and the two ports it prints."""
    command = [sys.executable, "-m", f"tools.bench.{name}", *map(str, arguments)]
    program = Program(command, folder / f"{name}.log")
    try:
        yield program.process.pid, _ports(program)
    finally:
        program.stop()


def _ports(program: Program) -> re.Match[str]:
    def look() -> re.Match[str] | None:
        if program.process.poll() is not None:
            raise RuntimeError(f"it ended with {program.process.returncode}:\n{program.log}")
        return re.search(_PORTS, program.log)

    found = wait_until(look, "the ports it listens on", PATIENCE)
    assert found is not None
    return found
