"""What may explain a failed test: logs of programs, and exchanges of servers, each bounded, while they live."""

from __future__ import annotations

import contextlib
import subprocess
import zlib
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

LINES, LOG_BYTES = 200, 1 << 16
"""The end of a log that is shown."""
EXCHANGES, BODY, TARGET = 20, 300, 300
"""The last exchanges of a server that are shown, and characters of a body and of a path."""
_KEPT = 4096  # bytes kept of what was sent in either direction
_MOST_ENDED = 50  # sources of one test: some start programs over and over


class Source(ABC):
    """Something with a ``title`` and a ``text``. ``watch`` begins, and ``end`` ends what a report may show of it.

    ``test`` is the id of the test during which it began. ``fixture`` is the name of the fixture that made it for more
    than one test, and the part of the tests' ids where that fixture is known; None where a test made it for itself.
    """

    test: str = ""
    fixture: tuple[str, str] | None = None
    ended = False

    @property
    @abstractmethod
    def title(self) -> str:
        """What it is."""

    @property
    @abstractmethod
    def text(self) -> str:
        """What it shows, '' for nothing."""

    def watch(self) -> None:
        """Show it when a test fails."""
        watched.add(self)

    def end(self) -> None:
        """Show it for the test under way, and for no later one."""
        self.ended = True


@dataclass
class Watched:
    """The sources of this process; the plugin failure_report says which ``test`` and ``fixture`` is under way."""

    sources: list[Source] = field(default_factory=list)
    test: str = ""
    fixture: tuple[str, str] | None = None

    def add(self, source: Source) -> None:
        """Take in what begins now."""
        source.test, source.fixture = self.test, self.fixture
        self.sources.append(source)
        ended = [each for each in self.sources if each.ended]
        if len(ended) > _MOST_ENDED:
            self.sources.remove(ended[0])

    def begin(self, test: str) -> None:
        """Forget what ended before ``test``."""
        self.sources = [source for source in self.sources if not source.ended]
        self.test = test


watched = Watched()


class Log(Source):
    """The output of a ``process`` in a ``file``, kept when it ends: the next process may write to the same file."""

    def __init__(self, process: subprocess.Popen[bytes], file: Path) -> None:
        self._process, self._file = process, file
        self._kept: str | None = None

    @property
    def title(self) -> str:
        """The file, the program, and how it stands."""
        code = self._process.poll()
        state = "running" if code is None else f"ended with {code}"
        command = self._process.args
        program = command[0] if isinstance(command, list) else command
        return f"{self._file.name} of {Path(str(program)).name}, process {self._process.pid}, {state}"

    @property
    def text(self) -> str:
        """Its last lines."""
        return self._tail() if self._kept is None else self._kept

    def end(self) -> None:
        """Keep its last lines."""
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
    """The first bytes of a request and of its answer."""

    asked: bytearray
    answer: bytearray = field(default_factory=bytearray)

    def sent(self, data: bytes) -> None:
        """Take in a piece of the answer."""
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
    """The last exchanges of the server on ``port`` that began during the test under way."""

    def __init__(self, server: str, port: int) -> None:
        self._server, self._port = server, port
        self._exchanges: deque[Exchange] = deque(maxlen=EXCHANGES)
        self._count = 0
        self._during = ""

    @property
    def title(self) -> str:
        """Which server, and how many of its exchanges."""
        exchanges = len(self._exchanges)
        return f"last {exchanges} of {self._count} exchanges of the {self._server} on port {self._port}"

    @property
    def text(self) -> str:
        """A line an exchange, oldest first."""
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
    """What goes over one connection of a server: a request begins where something comes after an answer."""

    def __init__(self, exchanges: Exchanges) -> None:
        self._exchanges = exchanges
        self._now: Exchange | None = None

    def received(self, data: bytes) -> None:
        """Take in a piece of a request."""
        if not data:
            return
        if self._now is None or self._now.answer:
            self._now = self._exchanges.begin()
        self._now.asked += data[: _KEPT - len(self._now.asked)]

    def sent(self, data: bytes) -> None:
        """Take in a piece of an answer."""
        if self._now is None:
            self._now = self._exchanges.begin(b"(nothing was asked)")
        self._now.sent(data)


def _shown(data: bytes, most: int) -> str:
    text = data.decode("utf-8", "backslashreplace")
    return _printable(text[:most]) + ("…" if len(text) > most else "")


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
