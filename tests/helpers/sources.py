"""Sources for reports of failed tests: bounded logs of programs and exchanges of servers."""

from __future__ import annotations

import contextlib
import subprocess
import zlib
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from tests.helpers.forked_exporter import ForkedExporter

LINES, LOG_BYTES = 200, 1 << 16
"""The end of a log that is shown."""
EXCHANGES, BODY, TARGET = 20, 300, 300
"""The last exchanges of a server that are shown, and characters of a body and of a path."""
_KEPT = 4096  # bytes kept of what was sent in either direction
_MOST_ENDED = 50  # sources of one test: some start programs over and over


class Source(ABC):
    """A source with a ``title`` and a ``text``. ``watch`` starts it, and ``end`` ends its inclusion in reports.

    ``test`` is the id of the test during which it started. ``fixture`` is the name of the fixture that started it for
    several tests, and the common part of their ids; None if a test started it.
    """

    test: str = ""
    fixture: tuple[str, str] | None = None
    ended = False

    @property
    @abstractmethod
    def title(self) -> str:
        """The name of the source."""

    @property
    @abstractmethod
    def text(self) -> str:
        """The content, or '' without any content."""

    def watch(self) -> None:
        """Include the source in reports of failed tests."""
        watched.add(self)

    def end(self) -> None:
        """Include the source for the current test, and for no later one."""
        self.ended = True


@dataclass
class Watched:
    """The sources of this process; the plugin failure_report sets the current ``test`` and ``fixture``."""

    sources: list[Source] = field(default_factory=list)
    test: str = ""
    fixture: tuple[str, str] | None = None

    def add(self, source: Source) -> None:
        """Add a source that starts now."""
        source.test, source.fixture = self.test, self.fixture
        self.sources.append(source)
        ended = [source for source in self.sources if source.ended]
        if len(ended) > _MOST_ENDED:
            self.sources.remove(ended[0])

    def begin(self, test: str) -> None:
        """Forget sources that ended before ``test``."""
        self.sources = [source for source in self.sources if not source.ended]
        self.test = test


watched = Watched()


Process = subprocess.Popen[bytes] | ForkedExporter


class Log(Source):
    """The output of a ``process`` in a ``file``, kept at its end, as the next process may use the same file."""

    def __init__(self, process: Process, file: Path) -> None:
        self._process, self._file = process, file
        self._kept: str | None = None

    @property
    def title(self) -> str:
        """The file, the program, and its state."""
        code = self._process.poll()
        state = "running" if code is None else f"ended with {code}"
        command = self._process.args
        program = command[0] if isinstance(command, list) else command
        return f"{self._file.name} of {Path(str(program)).name}, process {self._process.pid}, {state}"

    @property
    def text(self) -> str:
        """The last lines."""
        return self._tail() if self._kept is None else self._kept

    def end(self) -> None:
        """Keep the last lines."""
        if not self.ended:
            self._kept = self._tail()
        super().end()

    def _tail(self) -> str:
        try:
            with self._file.open("rb") as log:
                size = log.seek(0, 2)
                log.seek(max(0, size - LOG_BYTES))
                data = log.read(LOG_BYTES)
        except OSError as error:
            return f"cannot be read: {error}"
        lines = data.decode("utf-8", "backslashreplace").splitlines()
        omitted = ["[what came before is left out]"] if size > LOG_BYTES or len(lines) > LINES else []
        return "\n".join([*omitted, *map(_printable, lines[-LINES:])])


@dataclass
class Exchange:
    """The first bytes of a request and of its response."""

    asked: bytearray
    answer: bytearray = field(default_factory=bytearray)

    def sent(self, data: bytes) -> None:
        """Add a piece of the response."""
        self.answer += data[: _KEPT - len(self.answer)]

    def __str__(self) -> str:
        line = bytes(self.asked).partition(b"\r\n")[0].removesuffix(b" HTTP/1.1")
        return f"{_shown(line, TARGET)} -> {self._shown_answer()}"

    def _shown_answer(self) -> str:
        if not self.answer:
            return "no answer"
        head, _, body = bytes(self.answer).partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/"):
            return f"not HTTP: {_shown(bytes(self.answer), BODY)}"
        if body.startswith(b"\x1f\x8b"):
            with contextlib.suppress(zlib.error):  # shown as it is
                body = zlib.decompressobj(31).decompress(body, BODY * 4)
        status = head.split(b"\r\n")[0].split(b" ")[1:2] or [b"?"]
        return f"{_shown(status[0], 10)}: {_shown(body, BODY)}"


class Exchanges(Source):
    """The last exchanges of the server on ``port`` that started during the current test."""

    def __init__(self, server: str, port: int) -> None:
        self._server, self._port = server, port
        self._exchanges: deque[Exchange] = deque(maxlen=EXCHANGES)
        self._count = 0
        self._during = ""

    @property
    def title(self) -> str:
        """The server, and the number of its exchanges."""
        exchanges = len(self._exchanges)
        return f"last {exchanges} of {self._count} exchanges of the {self._server} on port {self._port}"

    @property
    def text(self) -> str:
        """A line per exchange, oldest first."""
        return "\n".join(map(str, tuple(self._exchanges))) if self._during == watched.test else ""

    def begin(self, asked: bytes = b"") -> Exchange:
        """Return a new exchange."""
        if self._during != watched.test:
            self._exchanges.clear()
            self._count, self._during = 0, watched.test
        exchange = Exchange(bytearray(asked[:_KEPT]))
        self._exchanges.append(exchange)
        self._count += 1
        return exchange


class Conversation:
    """The data of one connection of a server: data after a response starts a new request."""

    def __init__(self, exchanges: Exchanges) -> None:
        self._exchanges = exchanges
        self._now: Exchange | None = None

    def received(self, data: bytes) -> None:
        """Add a piece of a request."""
        if not data:
            return
        if self._now is None or self._now.answer:
            self._now = self._exchanges.begin()
        self._now.asked += data[: _KEPT - len(self._now.asked)]

    def sent(self, data: bytes) -> None:
        """Add a piece of a response."""
        if self._now is None:
            self._now = self._exchanges.begin(b"(nothing was asked)")
        self._now.sent(data)


def _shown(data: bytes, most: int) -> str:
    text = data.decode("utf-8", "backslashreplace")
    return _printable(text[:most]) + ("…" if len(text) > most else "")


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
