"""Tables for people, drawn with rich for the terminal, or with one line per row if stdout is not a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

Cells = Mapping[str, str]
"""The texts of a row by the name of their field."""

_FREE = frozenset({"note", "description", "server_info", "reason"})  # cells that may wrap
_LEAST = 12  # minimum width of these, in columns
_UNBOUNDED = 1 << 16  # columns when stdout is not a terminal: one line per row, for grep and awk


def table(rows: Sequence[Cells]) -> str:
    """Return a table of ``rows``, which have the same fields; as :func:`blocks` if the terminal is too narrow."""
    widths = {name: max(cell_len(_heading(name)), *(cell_len(row[name]) for row in rows)) for name in rows[0]}
    console = _console()
    least = sum(min(width, _LEAST) if name in _FREE else width for name, width in widths.items())
    if least + 3 * (len(widths) - 1) > console.width:  # keys and addresses that are cut cannot be copied
        return blocks(rows)
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in widths:
        drawn.add_column(_heading(name), overflow="fold", no_wrap=name not in _FREE)
    for row in rows:
        drawn.add_row(*map(Text, row.values()))
    return _rendered(console, drawn)


def blocks(rows: Sequence[Cells]) -> str:
    """Return ``rows`` one below the other, with a line per field."""
    console = _console()
    whole = [part for cells in rows for name, cell in cells.items() if name not in _FREE for part in cell.split(", ")]
    headings = max(cell_len(_heading(name)) for cells in rows for name in cells)
    # The terminal itself wraps a line that is too long, so that it is copied as one line.
    console.width = max(console.width, headings + 2 + max(map(cell_len, whole), default=0))
    return _rendered(console, *map(_block, rows))


def _heading(name: str) -> str:
    return name.replace("_", " ")


def _block(cells: Cells) -> Table:
    block = Table(box=None, show_header=False, pad_edge=False)
    block.add_column(style="bold", no_wrap=True)
    block.add_column(overflow="fold")
    for name, cell in cells.items():
        block.add_row(_heading(name), Text(cell))
    return block


def _console() -> Console:
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = _UNBOUNDED
    return console


def _rendered(console: Console, *tables: Table) -> str:
    """Return ``tables`` as text, separated by blank lines."""
    texts = []
    for drawn in tables:
        with console.capture() as captured:
            console.print(drawn)
        texts.append("\n".join(line.rstrip() for line in captured.get().splitlines()))
    return "\n\n".join(texts)
