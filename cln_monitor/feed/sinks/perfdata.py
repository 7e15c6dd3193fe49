"""Read perfdata as plugins print them: ``label=value;warn;crit;min;max``, with quotes around odd labels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_ITEM = re.compile(r"(?:'(?:[^']|'')*'|[^\s='])+=?[^\s']*")
_VALUE = re.compile(r"([-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)(.*)", re.DOTALL)


class Metric(NamedTuple):
    """One item of perfdata. ``limits`` are warn, crit, min and max as they are written, with "" for a missing one."""

    label: str
    value: str
    unit: str
    limits: tuple[str, str, str, str]


def split_perfdata(perfdata: str) -> list[str]:
    """Return the items of ``perfdata`` as they are written."""
    return _ITEM.findall(perfdata)


def metrics(perfdata: str) -> Iterator[Metric]:
    """Yield the items of ``perfdata`` that have a number as their value."""
    for item in split_perfdata(perfdata):
        label, _, fields = item.rpartition("=")
        value, *limits = fields.split(";")
        found = _VALUE.fullmatch(value)
        if found is not None and label:
            warn, crit, least, most = [*limits, "", "", "", ""][:4]
            yield Metric(_unquoted(label), found[1], found[2], (warn, crit, least, most))


def _unquoted(label: str) -> str:
    if len(label) >= 2 and label.startswith("'") and label.endswith("'"):
        return label[1:-1].replace("''", "'")
    return label
