"""What a sink is: it sends results to one receiver, and says for each of them whether it was delivered."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import msgspec

from cln_monitor.config import Exposed, is_world_readable
from cln_monitor.feed.result import FeedResult
from cln_monitor.file_reading import read_file

_LONGEST_TIMEOUT = 60.0  # seconds; a sink that takes longer counts as hung


class Delivery(enum.Enum):
    """What became of a result; the values are those of the metric label ``result``.

    FAILED: the receiver was not reached, or gave no complete answer; the newest result is sent again later.
    """

    DELIVERED = "delivered"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The delivery of one result. ``reason`` is redacted, for people, and names the object that is unknown."""

    delivery: Delivery
    reason: str = ""


DELIVERED = Outcome(Delivery.DELIVERED)


class Sink(Protocol):
    """A receiver of results. ``name`` is the value of the metric label ``sink``."""

    name: str

    def send(self, results: Sequence[FeedResult], *, now: float, ttl: float) -> list[Outcome]:
        """Send ``results`` and return one outcome for each, in order.

        ``now`` is the Unix time of the results, which are valid for ``ttl`` seconds. Nothing is raised for what a
        receiver does. It takes at most the ``timeout`` of the settings.
        """

    def check(self, results: Sequence[FeedResult]) -> list[str]:
        """Return the problems that the receiver reports for ``results``, without changing anything there."""

    def close(self) -> None:
        """Release connections and files."""


class SinkSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of a sink; durations are in seconds.

    ``files`` are the fields that name a file or a directory: the loader of the configuration replaces a relative name
    by an absolute one. ``secrets`` are those whose file contains a secret.
    """

    files: ClassVar[tuple[str, ...]] = ()
    secrets: ClassVar[tuple[str, ...]] = ()

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield the field and the problem of each invalid value, including secrets in world-readable files."""
        for field in self.secrets:
            if (name := getattr(self, field)) is not None:
                yield from ((field, problem) for problem in _problems_of_secret(Path(name)))


def _problems_of_secret(path: Path) -> Iterator[str]:
    if problem := problem_of_file(path):
        yield problem
    elif is_world_readable(path):
        yield str(Exposed("", path)).removeprefix(": ")


def problem_of_file(path: Path) -> str:
    """Return why the file ``path`` cannot be used, or ""."""
    try:
        return "" if read_file(path).strip() else f"{path} is empty"
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
    except ValueError as error:
        return f"{path} {error}"


def problem_of_timeout(seconds: float) -> str:
    """Return why ``seconds`` cannot be the maximum time for sending results, or ""."""
    return "" if 0 < seconds <= _LONGEST_TIMEOUT else f"expected more than 0s, and {_LONGEST_TIMEOUT:g}s at most"


@dataclass(frozen=True, slots=True)
class SinkType:
    """A kind of sink: its ``name`` in the configuration, its settings, and the function that makes it of them."""

    name: str
    settings: type[SinkSettings]
    make: Callable[[Any], Sink]


def object_name(result: FeedResult) -> str:
    """Return the name of the service of ``result``, as people write it."""
    return f"{result.host}!{result.service}"
