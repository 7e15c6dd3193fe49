"""What comes back, as a table for people or as JSON for scripts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec
import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

Row = Mapping[str, Any]

_DATES = frozenset({"created", "last_checkin"})
_UNBOUNDED = 1 << 16  # columns of what is no terminal: a line a row, for grep and awk


class Format(StrEnum):
    """The forms of the output."""

    TABLE = "table"
    JSON = "json"


def row_of(struct: msgspec.Struct, **more: object) -> dict[str, object]:
    """Return the fields of ``struct`` by name, ``more`` before them."""
    return more | msgspec.structs.asdict(struct)


class Output:
    """Writes to stdout in one ``form``; ``now`` gives the Unix time, for ages."""

    def __init__(self, form: Format, now: Callable[[], float]) -> None:
        self._form = form
        self._now = now

    def rows(self, rows: Iterable[Row], columns: Sequence[str], empty: str) -> None:
        """Show ``rows``, which have the fields ``columns``; where there are none, a person reads ``empty``."""
        listed = [{name: row[name] for name in columns} for row in rows]
        if self._form is Format.JSON:
            self._json([_plain(row) for row in listed])
        elif listed:
            self._table(listed, columns)
        else:
            typer.echo(empty, err=True)

    def record(self, row: Row) -> None:
        """Show one thing: a line a field."""
        if self._form is Format.JSON:
            self._json(_plain(row))
            return
        table = Table(box=None, show_header=False, pad_edge=False)
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in row.items():
            table.add_row(_heading(name), Text(self._cell(name, value)))
        _print(table)

    def told(self, text: str, row: Row) -> None:
        """Say something: ``text`` to people, ``row`` to scripts."""
        if self._form is Format.JSON:
            self._json(_plain(row))
        else:
            typer.echo(text)

    def done(self, **about: object) -> None:
        """Tell scripts that a change was made, of which CLN gives nothing to show; people have read it."""
        if self._form is Format.JSON:
            self._json(_plain({"done": True, **about}))

    def _json(self, value: object) -> None:
        typer.echo(json.dumps(value, ensure_ascii=False, indent=2))

    def _table(self, rows: Sequence[Row], columns: Sequence[str]) -> None:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
        for name in columns:
            table.add_column(_heading(name), overflow="fold")
        for row in rows:
            table.add_row(*(Text(self._cell(name, row[name])) for name in columns))
        _print(table)

    def _cell(self, name: str, value: object) -> str:
        if name in _DATES and (value is None or isinstance(value, float)):
            return self._moment(name, value)
        if name == "limit" and value == 0:
            return "unlimited"
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, list | tuple):
            return ", ".join(map(str, value)) or "-"
        return "-" if value is None else str(value)

    def _moment(self, name: str, seconds: float | None) -> str:
        """Return a date as people look for it, short enough for a row to fit a terminal; JSON has all of it."""
        if name == "last_checkin":
            return "never" if seconds is None else f"{_age(self._now() - seconds)} ago"
        return "-" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def _plain(row: Row) -> dict[str, object]:
    """Return ``row`` as JSON has it: dates are ISO 8601 in UTC, and null where there is none."""
    return {name: _iso(value) if name in _DATES and isinstance(value, float) else value for name, value in row.items()}


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _age(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size:
            return f"{int(seconds // size)}{unit}"
    return f"{max(0, int(seconds))}s"


def _heading(name: str) -> str:
    return name.replace("_", " ")


def _print(table: Table) -> None:
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = _UNBOUNDED
    with console.capture() as drawn:
        console.print(table)
    typer.echo("\n".join(line.rstrip() for line in drawn.get().splitlines()))
