"""Exporters that start without imports, as forks of a process that has imported them.

The imports are two thirds of the CPU time of a start, and the tests start more than a hundred exporters that differ
only in what comes afterwards. The tests of the start itself execute the program.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.helpers.imported_exporter"])

_READ_AT_THE_START = ("LD_", "MALLOC_", "PYTHON", "LANG", "LC_")
"""Prefixes of variables that the loader, the allocator or Python reads when a program is executed."""


def can_be_forked(environment: Mapping[str, str]) -> bool:
    """Return whether an exporter with ``environment``, beside that of the tests, may be forked instead of executed.

    Coverage measures executed programs only.
    """
    is_measured = any(name.startswith("COVERAGE_") for name in os.environ)
    return not is_measured and not any(name.startswith(_READ_AT_THE_START) for name in environment)


class ForkedExporter:
    """A running exporter, with the attributes and methods of :class:`subprocess.Popen` that the tests use."""

    def __init__(self, command: Sequence[str], log_file: Path, environment: Mapping[str, str]) -> None:
        log_file.write_bytes(b"")
        self.args = [*command]
        self._process = _FORKS.Process(
            target=_run, args=(self.args, dict(environment), Path.cwd(), log_file), daemon=True
        )
        self._process.start()
        self.pid = self._process.ident or 0

    @property
    def returncode(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code; raise subprocess.TimeoutExpired after ``timeout`` seconds."""
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal unless it has ended."""
        if self._process.exitcode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


def _run(*arguments: object) -> None:
    from .imported_exporter import become_exporter  # noqa: PLC0415 # only the forks shall import the exporter

    become_exporter(*arguments)  # type: ignore[arg-type] # those of Process
