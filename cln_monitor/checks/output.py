"""The output of a plugin: a first line with perfdata, then long output, within the size that cores read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from cln_monitor.text_cleaning import clean_text

from .states import State

LARGEST = 8000
"""Maximum number of bytes of output. Nagios truncates at 8192 bytes, and perfdata after that are lost."""

_LONGEST_TEXT = 1000
_LONGEST_LINE = 300


def clean(text: str, longest: int = _LONGEST_LINE) -> str:
    """Return ``text`` on one line and without ``|``, which would start the perfdata."""
    return clean_text(text, longest).replace("|", "¦")


class Output(NamedTuple):
    """The output of a check: the ``first`` line without perfdata, the perfdata, and the lines of long output."""

    first: str
    perfdata: str
    lines: Sequence[str]

    @property
    def text(self) -> str:
        """The first line and the long output, without perfdata."""
        return "\n".join([self.first, *self.lines])

    def __str__(self) -> str:
        """Return the output as a plugin prints it."""
        first = f"{self.first} | {self.perfdata}" if self.perfdata else self.first
        return "\n".join([first, *self.lines]) + "\n"


def render(
    state: State,
    text: str,
    lines: Sequence[str] = (),
    perfdata: Sequence[str] = (),
    scrub: Callable[[str], str] = str,
) -> str:
    """Return the output as a plugin prints it; see :func:`lay_out`."""
    return str(lay_out(state, text, lines, perfdata, scrub))


def lay_out(
    state: State,
    text: str,
    lines: Sequence[str] = (),
    perfdata: Sequence[str] = (),
    scrub: Callable[[str], str] = str,
) -> Output:
    """Return the output, with as many of the long ``lines`` as fit and the number of those left out.

    ``scrub`` removes secrets. It is applied before texts are shortened, as it does not recognize half a secret.
    """
    first = f"{state.name} - {clean(scrub(text), _LONGEST_TEXT)}"
    room = LARGEST - len("\n… and 1000000 more\n".encode())
    drawn = " ".join(_fitting(perfdata, room - _size(first) - len(" |")))
    if drawn:
        room -= _size(f" | {drawn}")
    shown = list(_fitting((clean(scrub(line)) for line in lines), room - _size(first)))
    if len(shown) < len(lines):
        shown.append(f"… and {len(lines) - len(shown)} more")
    return Output(first, drawn, shown)


def _fitting(texts: Iterable[str], room: int) -> Iterator[str]:
    """Yield the first of ``texts`` that fit into ``room`` bytes, with one byte before each."""
    for text in texts:
        room -= _size(text) + 1
        if room < 0:
            return
        yield text


def name_worst(objects: Sequence[str], most: int = 5, *, total: int | None = None) -> str:
    """Return the first ``most`` of ``objects`` as text, and how many more there are: ``a, b and 3 more``.

    ``total`` is the number of all objects if there are more than in ``objects``.
    """
    count = len(objects) if total is None else total
    more = f" and {count - most} more" if count > most else ""
    return ", ".join(objects[:most]) + more


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
