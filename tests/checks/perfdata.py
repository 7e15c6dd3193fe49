"""A strict parser of perfdata, according to the Monitoring Plugins guidelines and the behavior of the cores."""

from __future__ import annotations

import re
from typing import NamedTuple

_NUMBER = r"-?(?:0|[1-9]\d*)(?:\.\d+)?"
_RANGE = rf"@?(?:(?:~|{_NUMBER})?:)?(?:{_NUMBER})?"
_ITEM = re.compile(
    rf"(?P<label>[^\s'=|;]+|'[^'=|\n]+')=(?P<value>{_NUMBER})(?P<unit>s|%|)"
    rf"(?:;(?P<warning>{_RANGE}))?(?:;(?P<critical>{_RANGE}))?(?:;(?P<least>{_NUMBER}))?(?:;(?P<most>{_NUMBER}))?"
)
_BARE = re.compile(r"\w+", re.ASCII)


class Item(NamedTuple):
    """A metric: its value with its unit, and its thresholds as text."""

    value: float
    unit: str
    warning: str
    critical: str
    least: str


Perfdata = dict[str, Item]


def parse_perfdata(text: str) -> Perfdata:
    """Return the items of the perfdata ``text``. Raises ValueError for text that a core would drop or misread."""
    items: Perfdata = {}
    rest = text
    while rest:
        found = _ITEM.match(rest)
        if found is None or rest[found.end() : found.end() + 1] not in {"", " "}:
            raise ValueError(f"perfdata that cannot be read: {rest!r}")
        label = found["label"].strip("'")
        if not found["label"].startswith("'") and not _BARE.fullmatch(label):
            raise ValueError(f"a label that has to be quoted: {label!r}")
        if label in items:
            raise ValueError(f"{label} is there twice")
        thresholds = [found[name] or "" for name in ("warning", "critical", "least")]
        items[label] = Item(float(found["value"]), found["unit"], *thresholds)
        if found.end() + 1 == len(rest):
            raise ValueError("a blank at the end")
        rest = rest[found.end() + 1 :]
    return items
