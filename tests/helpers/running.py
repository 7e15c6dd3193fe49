"""Programs under test as processes of their own: started, waited for, asked over HTTP, ended by process id."""

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

from tests.helpers.sources import Log

CLN_EXPORTER = Path(sys.executable).parent / "cln-exporter"
PATIENCE = 60.0
"""Seconds after which what is waited for counts as missing."""

T = TypeVar("T")


def wait_until(look: Callable[[], T], what: str, patience: float = PATIENCE) -> T:
    """Return the first true value that ``look`` gives; fail when ``what`` does not come."""
    ends_at = time.monotonic() + patience
    while not (seen := look()):
        if time.monotonic() > ends_at:
            raise AssertionError(f"waited {patience:.0f} s in vain for {what}; the last look gave {seen!r}")
        time.sleep(0.05)  # between two looks at another process there is nothing to wait on
    return seen


@dataclass(frozen=True)
class Answer:
    """An HTTP answer: ``status``, ``text`` and ``headers``."""

    status: int
    text: str
    headers: Message


def ask(
    url: str, method: str = "GET", headers: Mapping[str, str] | None = None, tls: ssl.SSLContext | None = None
) -> Answer:
    """Return the answer of a server on loopback, whatever its status."""
    request = urllib.request.Request(url, method=method, headers=dict(headers or {}))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=tls))
    try:
        with opener.open(request, timeout=PATIENCE) as response:
            return Answer(response.status, response.read().decode(), response.headers)
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.read().decode(), error.headers)


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


class Program:
    """A process whose output goes to a file; ``stop`` ends it by its id, and tells how and how fast it ended."""

    def __init__(
        self,
        command: list[str],
        log_file: Path,
        environment: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self.log_file = log_file
        with log_file.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | dict(environment or {}),
                pass_fds=pass_fds,
            )
        self._watched = Log(self.process, log_file)
        self._watched.watch()

    @property
    def log(self) -> str:
        """What it has printed so far."""
        return self.log_file.read_text(encoding="utf-8")

    def wait_for_log(self, pattern: str) -> re.Match[str]:
        """Return the first match of ``pattern`` in its output, when it comes."""

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
        """Send it ``how``, and return its exit code and the seconds it took to end."""
        started = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._watched.end()
        return self.process.returncode, time.monotonic() - started


class Exporter(Program):
    """A ``cln-exporter``, or the ``program`` given, on ``address``, by default on a free loopback port."""

    def __init__(
        self,
        log_file: Path,
        *arguments: str,
        address: str = "127.0.0.1:0",
        environment: Mapping[str, str] | None = None,
        program: Sequence[str] = (str(CLN_EXPORTER),),
    ) -> None:
        command = [*program, f"--web.listen-address={address}", *arguments]
        super().__init__(command, log_file, environment)
        try:
            self.address = self.wait_for_log(r"msg=listening address=(\S+)")[1]
        except BaseException:
            self.stop()
            raise

    def ask(self, path: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> Answer:
        """Return its answer at ``path``."""
        return ask(f"http://{self.address}{path}", method, headers)

    def metrics(self) -> str:
        """Return what it exposes now."""
        answer = self.ask("/metrics")
        assert answer.status == 200, answer
        return answer.text

    def wait_ready(self) -> None:
        """Return when each of its probes has run."""
        wait_until(lambda: self.ask("/-/ready").status == 200, "the exporter to be ready")


@contextlib.contextmanager
def running_exporter(
    folder: Path,
    *arguments: str,
    address: str = "127.0.0.1:0",
    environment: Mapping[str, str] | None = None,
    program: Sequence[str] = (str(CLN_EXPORTER),),
) -> Iterator[Exporter]:
    """Run ``cln-exporter``, or the ``program`` given, with ``arguments``; its log goes to ``folder``."""
    exporter = Exporter(folder / "exporter.log", *arguments, address=address, environment=environment, program=program)
    try:
        yield exporter
    finally:
        exporter.stop()
