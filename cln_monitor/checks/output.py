"""The text of a plugin: one clean first line with the perfdata, long output behind it, all within what cores read."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .states import State

LARGEST = 8000
"""Bytes of output. Nagios cuts at 8192, and loses the perfdata where that is behind the cut."""

_LONGEST_TEXT = 1000
_LONGEST_LINE = 300
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")


def clean(text: str, longest: int = _LONGEST_LINE) -> str:
    """Return ``text`` on one line and without the ``|`` that would begin perfdata."""
    text = _UNFIT.sub(" ", text).replace("|", "¦").strip()
    return text if len(text) <= longest else text[: longest - 1] + "…"


def render(state: State, text: str, lines: Sequence[str] = (), perfdata: Sequence[str] = ()) -> str:
    """Return the output; as many of the long ``lines`` as there is room for, and how many more there are."""
    first = f"{state.name} - {clean(text, _LONGEST_TEXT)}"
    if perfdata:
        first += " | " + " ".join(perfdata)
    shown = [first]
    room = LARGEST - _size(first) - len("\n… and 1000000 more".encode()) - 1
    for position, line in enumerate(lines):
        cleaned = clean(line)
        room -= _size(cleaned) + 1
        if room < 0:
            shown.append(f"… and {len(lines) - position} more")
            break
        shown.append(cleaned)
    return "\n".join(shown) + "\n"


def name_worst(objects: Sequence[str], most: int = 5) -> str:
    """Return the first of ``objects`` as a list in words, and how many more there are."""
    more = f" and {len(objects) - most} more" if len(objects) > most else ""
    return ", ".join(objects[:most]) + more


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
