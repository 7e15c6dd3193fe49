"""CSV output (RFC 4180) that is safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_FORMULA = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "＝",
    "＋",
    "－",
    "＠",
)  # some spreadsheets accept the full-width forms as well


def csv_text(names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Return CSV with a header of ``names`` and a record per row; a field that a row does not have is empty.

    A text that a spreadsheet would evaluate as a formula is prefixed with ``'``, as notes and host names are untrusted.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in names])
    return text.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list | tuple) and all(isinstance(item, str | int) for item in value):
        return _neutral("; ".join(map(str, value)))
    if isinstance(value, dict | list | tuple):
        return _neutral(json.dumps(value, ensure_ascii=False))
    return _neutral(str(value))


def _neutral(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
