"""The output of commands: a table for people, or JSON or CSV for scripts."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec
import typer
from msgspec import UNSET
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cln_monitor.durations import format_age

from .csv_text import csv_text
from .output_fields import Fields

Row = Mapping[str, Any]

_DATES = frozenset({"created", "last_checkin"})
_FREE = frozenset({"note", "description", "server_info", "reason"})  # cells that may wrap
_LEAST = 12  # minimum width of these, in columns
_CLOCKS_DIFFER = 3600.0  # seconds by which a check-in may be ahead of the local clock
_UNBOUNDED = 1 << 16  # columns when stdout is not a terminal: one line per row, for grep and awk


class Format(StrEnum):
    """The output formats."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


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
            self._table(listed)
        elif empty:
            eprint(empty)

    def record(self, row: Row) -> None:
        """Show one record, a line per field."""
        chosen = self._chosen(row)
        if not self._to_script(chosen):
            _print_blocks(_console(), [self._cells(chosen)])

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

    def _table(self, rows: list[dict[str, Any]]) -> None:
        drawn = [self._cells(row) for row in rows]
        widths = {name: max(cell_len(_heading(name)), *(cell_len(row[name]) for row in drawn)) for name in rows[0]}
        console = _console()
        least = sum(min(width, _LEAST) if name in _FREE else width for name, width in widths.items())
        if least + 3 * (len(widths) - 1) > console.width:  # keys and addresses that are cut cannot be copied
            _print_blocks(console, drawn)
            return
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
        for name in widths:
            table.add_column(_heading(name), overflow="fold", no_wrap=name not in _FREE)
        for row in drawn:
            table.add_row(*map(Text, row.values()))
        _print(console, table)

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


def _heading(name: str) -> str:
    return name.replace("_", " ")


def _print_blocks(console: Console, things: Sequence[Mapping[str, str]]) -> None:
    """Print ``things`` one below the other, with a line per field."""
    whole = [part for cells in things for name, cell in cells.items() if name not in _FREE for part in cell.split(", ")]
    headings = max(cell_len(_heading(name)) for cells in things for name in cells)
    # The terminal itself wraps a line that is too long, so that it is copied as one line.
    console.width = max(console.width, headings + 2 + max(map(cell_len, whole), default=0))
    _print(console, *map(_block, things))


def _block(cells: Mapping[str, str]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, cell in cells.items():
        table.add_row(_heading(name), Text(cell))
    return table


def _console() -> Console:
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = _UNBOUNDED
    return console


def _print(console: Console, *tables: Table) -> None:
    """Print ``tables``, separated by blank lines."""
    texts = []
    for table in tables:
        with console.capture() as drawn:
            console.print(table)
        texts.append("\n".join(line.rstrip() for line in drawn.get().splitlines()))
    _write("\n\n".join(texts))


def _write(text: str, *, newline: bool = True) -> None:
    """Write to stdout. If the reader has closed it, as ``head`` does, drop the output and continue."""
    try:
        typer.echo(text, nl=newline)
    except BrokenPipeError:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 # until the process ends
