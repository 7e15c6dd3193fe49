"""The text of a plugin: one clean first line with the perfdata, long output behind it, all within what cores read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from cln_monitor.text_cleaning import clean_text

from .states import State

LARGEST = 8000
"""Bytes of output. Nagios cuts at 8192, and loses the perfdata where that is behind the cut."""

_LONGEST_TEXT = 1000
_LONGEST_LINE = 300


def clean(text: str, longest: int = _LONGEST_LINE) -> str:
    """Return ``text`` on one line and without the ``|`` that would begin perfdata."""
    return clean_text(text, longest).replace("|", "¦")


def render(
    state: State,
    text: str,
    lines: Sequence[str] = (),
    perfdata: Sequence[str] = (),
    scrub: Callable[[str], str] = str,
) -> str:
    """Return the output; as many of the long ``lines`` as there is room for, and how many more there are.

    ``scrub`` takes secrets out of texts. It sees them whole: of half a secret it would not know what it is.
    """
    first = f"{state.name} - {clean(scrub(text), _LONGEST_TEXT)}"
    room = LARGEST - len("\n… and 1000000 more\n".encode())
    drawn = list(_fitting(perfdata, room - _size(first) - len(" |")))
    if drawn:
        first += " | " + " ".join(drawn)
    shown = list(_fitting((clean(scrub(line)) for line in lines), room - _size(first)))
    if len(shown) < len(lines):
        shown.append(f"… and {len(lines) - len(shown)} more")
    return "\n".join([first, *shown]) + "\n"


def _fitting(texts: Iterable[str], room: int) -> Iterator[str]:
    """Yield the first of ``texts``, as many as fit into ``room`` bytes with a byte before each."""
    for text in texts:
        room -= _size(text) + 1
        if room < 0:
            return
        yield text


def name_worst(objects: Sequence[str], most: int = 5) -> str:
    """Return the first of ``objects`` as a list in words, and how many more there are."""
    more = f" and {len(objects) - most} more" if len(objects) > most else ""
    return ", ".join(objects[:most]) + more


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
