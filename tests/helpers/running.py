"""Programs under test as processes: they are started, awaited, queried over HTTP, and ended by their process id."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import TypeVar

from tests.helpers.forked_exporter import ForkedExporter, can_be_forked
from tests.helpers.sources import Log, Process

CLN_EXPORTER = Path(sys.executable).parent / "cln-exporter"
PATIENCE = 60.0
"""Seconds after which what is waited for counts as missing."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.25  # seconds between two looks

T = TypeVar("T")


def wait_until(look: Callable[[], T], description: str, patience: float = PATIENCE) -> T:
    """Return the first true result of ``look``; fail with ``description`` if it takes too long."""
    began = time.monotonic()
    while not (result := look()):
        waited = time.monotonic() - began
        if waited > patience:
            raise AssertionError(f"waited {patience:.0f} s in vain for {description}; the last look gave {result!r}")
        # Between two looks at another process there is nothing to wait on. A look costs CPU time in both processes, so
        # the longer the wait, the fewer there are.
        time.sleep(min(max(waited / 10, _FIRST_PAUSE), _LONGEST_PAUSE))
    return result


@dataclass(frozen=True)
class Answer:
    """An HTTP response: ``status``, ``text`` and ``headers``."""

    status: int
    text: str
    headers: Message


def ask(
    url: str, method: str = "GET", headers: Mapping[str, str] | None = None, tls: ssl.SSLContext | None = None
) -> Answer:
    """Return the response of a server on loopback, for any status."""
    request = urllib.request.Request(url, method=method, headers=dict(headers or {}))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=tls))
    try:
        with opener.open(request, timeout=PATIENCE) as response:
            return Answer(response.status, response.read().decode(), response.headers)
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.read().decode(), error.headers)


def free_port() -> int:
    """Return an unused loopback port."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


class Program:
    """A process with its output in a file; ``stop`` ends it by its id, and returns the exit code and the duration."""

    def __init__(
        self,
        command: list[str],
        log_file: Path,
        environment: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self.log_file = log_file
        self.process = self._start(command, os.environ | dict(environment or {}), pass_fds)
        self._watched = Log(self.process, log_file)
        self._watched.watch()

    def _start(self, command: list[str], environment: Mapping[str, str], pass_fds: Sequence[int]) -> Process:
        with self.log_file.open("wb") as log:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, pass_fds=pass_fds
            )

    @property
    def log(self) -> str:
        """The output so far."""
        return self.log_file.read_text(encoding="utf-8")

    def wait_for_log(self, pattern: str) -> re.Match[str]:
        """Wait for ``pattern`` in the output, and return its first match."""

        def look() -> re.Match[str] | None:
            found = re.search(pattern, self.log)
            if found is None and self.process.poll() is not None:
                raise AssertionError(
                    f"it ended with {self.process.returncode} before it printed {pattern!r}:\n{self.log}"
                )
            return found

        found = wait_until(look, f"the output {pattern!r}")
        assert found is not None
        return found

    def stop(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Send the signal ``how``, and return the exit code and the seconds until the exit."""
        started = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._watched.end()
        return self.process.wait(), time.monotonic() - started


class Exporter(Program):
    """A ``cln-exporter``, or another ``program``, on ``address``, by default on a free loopback port.

    Without ``program`` it is forked, if that makes no difference.
    """

    def __init__(
        self,
        log_file: Path,
        *arguments: str,
        address: str = "127.0.0.1:0",
        environment: Mapping[str, str] | None = None,
        program: Sequence[str] | None = None,
    ) -> None:
        self._is_forked = program is None and can_be_forked(environment or {})
        command = [*(program or [str(CLN_EXPORTER)]), f"--web.listen-address={address}", *arguments]
        super().__init__(command, log_file, environment)
        try:
            self.address = self.wait_for_log(r"msg=listening address=(\S+)")[1]
        except BaseException:
            self.stop()
            raise

    def _start(self, command: list[str], environment: Mapping[str, str], pass_fds: Sequence[int]) -> Process:
        if self._is_forked:
            return ForkedExporter(command, self.log_file, environment)
        return super()._start(command, environment, pass_fds)

    def ask(self, path: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> Answer:
        """Return the response at ``path``."""
        return ask(f"http://{self.address}{path}", method, headers)

    def metrics(self) -> str:
        """Return the current exposition."""
        answer = self.ask("/metrics")
        assert answer.status == 200, answer
        return answer.text

    def wait_ready(self) -> None:
        """Wait until each probe has run."""
        wait_until(lambda: self.ask("/-/ready").status == 200, "the exporter to be ready")


@contextlib.contextmanager
def running_exporter(
    directory: Path,
    *arguments: str,
    address: str = "127.0.0.1:0",
    environment: Mapping[str, str] | None = None,
    program: Sequence[str] | None = None,
) -> Iterator[Exporter]:
    """Run :class:`Exporter` with ``arguments`` and its log in ``directory``."""
    exporter = Exporter(
        directory / "exporter.log", *arguments, address=address, environment=environment, program=program
    )
    try:
        yield exporter
    finally:
        exporter.stop()
