"""The output of commands: a table for people, or JSON or CSV for scripts."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import typer
from msgspec import UNSET

from cln_monitor.durations import format_age

from .csv_text import csv_text
from .output_fields import Fields, Format

Row = Mapping[str, Any]

_DATES = frozenset({"created", "last_checkin", "patch_built", "patched"})
_CLOCKS_DIFFER = 3600.0  # seconds by which a check-in may be ahead of the local clock


def row_of(struct: msgspec.Struct, **more: object) -> dict[str, object]:
    """Return the fields of ``struct`` by name, after those of ``more``."""
    return more | msgspec.structs.asdict(struct)


def eprint(text: str) -> None:
    """Print ``text`` to stderr. An error of stderr is ignored, as it does not change the outcome."""
    with contextlib.suppress(OSError):
        typer.echo(text, err=True)


class Output:
    """Writes to stdout in the format ``form``; ``now`` returns the Unix time, for ages.

    ``fields`` are those of the running command: only they are shown, in their order.
    """

    def __init__(self, form: Format, now: Callable[[], float]) -> None:
        self.form = form
        self._now = now
        self.fields = Fields(())

    @property
    def is_table(self) -> bool:
        """Whether the output is for people, not for scripts."""
        return self.form is Format.TABLE

    def rows(self, rows: Iterable[Row], empty: str) -> None:
        """Show ``rows``. If there are no rows, print ``empty`` to stderr in place of a table."""
        columns = self.fields.columns if self.is_table else ()
        listed = [self._chosen(row, columns) for row in rows]
        if self.form is Format.JSON:
            self._json([_plain(row) for row in listed])
        elif self.form is Format.CSV:
            self._csv(listed)
        elif listed:
            from .drawing import table  # noqa: PLC0415 # rich, which scripts do not need

            _write(table([self._cells(row) for row in listed]))
        elif empty:
            eprint(empty)

    def record(self, row: Row) -> None:
        """Show one record, a line per field."""
        chosen = self._chosen(row)
        if not self._to_script(chosen):
            from .drawing import blocks  # noqa: PLC0415

            _write(blocks([self._cells(chosen)]))

    def message(self, text: str, row: Row) -> None:
        """Show ``text`` to people, or ``row`` to scripts."""
        if not self._to_script(row) and text:
            _write(text)

    def done(self, **about: object) -> None:
        """Report to scripts that a change was made; stderr has reported it to people."""
        self._to_script(self._chosen({"done": True, **about}))

    def _chosen(self, row: Row, columns: Sequence[str] = ()) -> dict[str, Any]:
        return {name: row[name] for name in columns or self.fields.names}

    def _to_script(self, row: Row) -> bool:
        """Write one record if the output is for scripts, and return whether it is."""
        if self.form is Format.JSON:
            self._json(_plain(row))
        elif self.form is Format.CSV:
            self._csv([row])
        return not self.is_table

    def _json(self, value: object) -> None:
        _write(json.dumps(value, ensure_ascii=False, indent=2))

    def _csv(self, rows: Sequence[Row]) -> None:
        names = list(rows[0]) if rows else self.fields.names
        _write(csv_text(names, map(_plain, rows)), newline=False)

    def _cells(self, row: Row) -> dict[str, str]:
        return {name: self._cell(name, value) for name, value in row.items()}

    def _cell(self, name: str, value: object) -> str:
        if name in _DATES and (value is None or value is UNSET or isinstance(value, float)):
            return self._moment(name, value)
        if name == "limit" and value == 0:
            return "unlimited"
        if name == "percent" and isinstance(value, int | float):
            return f"{value:g}%"
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, list | tuple):
            return ", ".join(self._cell("", item) for item in value) or "-"
        if isinstance(value, dict):
            return " ".join(map(str, value.values()))
        return "-" if value is None else str(value)

    def _moment(self, name: str, seconds: Any) -> str:
        """Return a date in a form short enough for a row to fit a terminal; JSON has it in full."""
        if seconds is UNSET:
            return "unknown"
        if name == "last_checkin":
            return "never" if seconds is None else _ago(self._now() - seconds)
        return "-" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def _plain(row: Row) -> dict[str, object]:
    """Return ``row`` for JSON: dates are ISO 8601 in UTC, null if missing, omitted if unknown."""
    return {
        name: _iso(value) if name in _DATES and isinstance(value, float) else value
        for name, value in row.items()
        if value is not UNSET
    }


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _ago(seconds: float) -> str:
    return f"{format_age(seconds)} ago" if seconds > -_CLOCKS_DIFFER else f"in {format_age(-seconds)}"


def _write(text: str, *, newline: bool = True) -> None:
    """Write to stdout. If the reader has closed it, as ``head`` does, drop the output and continue."""
    try:
        typer.echo(text, nl=newline)
    except BrokenPipeError:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 # until the process ends
