"""Measured processes, and their cost according to the operating system."""

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
"""Maximum number of seconds to create a large fleet, or to poll it for the first time."""

_SCHEDULED = 2  # CPUCLOCK_SCHED of the kernel: user and system time of all threads, including terminated ones


def cpu_of(pid: int) -> float:
    """Return the CPU seconds that a process has used so far, by its CPU clock; see clock_getcpuclockid(3)."""
    return time.clock_gettime((~pid << 3) | _SCHEDULED)


def resident(pid: int, field: str = "VmRSS") -> float:
    """Return the resident memory of a process in MB (10^6 bytes), or with the field ``VmHWM`` its peak."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    found = re.search(rf"{field}:\s+(\d+) kB", status)
    assert found is not None, status
    return int(found[1]) * 1024 / 1e6


@dataclass(frozen=True)
class Ended:
    """A terminated command: its output, its exit code, and its seconds of user and system time."""

    output: str
    code: int
    cpu: float


def run(*command: str, environment: Mapping[str, str] | None = None) -> Ended:
    """Run a command and return its output and its cost."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command, env=os.environ | dict(environment or {}), capture_output=True, text=True, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Ended(done.stdout + done.stderr, done.returncode, cpu)


@contextlib.contextmanager
def module(name: str, directory: Path, *arguments: object) -> Iterator[tuple[int, re.Match[str]]]:
    """Run the module ``tools.bench.name``; provide its process id and the two ports that it prints."""
    command = [sys.executable, "-m", f"tools.bench.{name}", *map(str, arguments)]
    program = Program(command, directory / f"{name}.log")
    try:
        yield program.process.pid, _ports(program)
    finally:
        program.stop()


def _ports(program: Program) -> re.Match[str]:
    def look() -> re.Match[str] | None:
        if program.process.poll() is not None:
            raise RuntimeError(f"the program exited with {program.process.returncode}:\n{program.log}")
        return re.search(_PORTS, program.log)

    found = wait_until(look, "the ports it listens on", PATIENCE)
    assert found is not None
    return found
