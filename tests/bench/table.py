"""The table of what was measured: a row a bar, printed and written to RESULTS.md."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import machine

RESULTS = Path(__file__).with_name("RESULTS.md")


@dataclass(frozen=True)
class Row:
    """What was measured, the ``bar`` it is held to, and whether it is ``reached``; None where there is no bar.

    ``why`` says what stands in the way of a bar that is missed.
    """

    what: str
    bar: str
    measured: str
    reached: bool | None
    why: str = ""

    @property
    def verdict(self) -> str:
        """Return the last column."""
        return {True: "reached", False: "**missed**", None: ""}[self.reached]


def ratio(value: float) -> str:
    """Return how many times as much something takes, as a table shows it."""
    return f"1/{1 / value:.0f}" if value < 0.1 else f"{value:.2f} ×"


def as_text(rows: Sequence[Row]) -> str:
    """Return the rows as Markdown, columns aligned."""
    lines = [("what", "bar", "measured", "verdict")] + [(row.what, row.bar, row.measured, row.verdict) for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    padded = [" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    padded.insert(1, " | ".join("-" * max(3, width) for width in widths))
    return "".join(f"| {line} |\n" for line in padded)


def write_results(rows: Sequence[Row], servers: int, keys: int) -> None:
    """Write RESULTS.md."""
    missed = [f"- {row.what}: {row.why or 'nobody knows why yet'}." for row in rows if row.reached is False]
    reasons = "".join(textwrap.fill(reason, 118, subsequent_indent="  ") + "\n" for reason in missed or ["Nothing."])
    RESULTS.write_text(
        f"""\
# How fast it is

Written by `make bench`, all of it measured in one run, what is compared side by side. Ratios are what counts: seconds
are those of this machine. CPU is user and system time as the operating system counts it for a process.

A fleet of {servers:,} KernelCare servers on {keys:,} keys, two series a server, unless a row says otherwise.

{as_text(rows)}
## What is missed, and why

{reasons}
## The machine

{machine.describe()}
## To repeat it

`make bench` takes about ten minutes and wants a machine that does nothing else; it installs nginx, without
its service, where `apt-get` may. `make bench ARGS='scrape poll'` runs parts, `make bench ARGS=--quick` all of it over a
small fleet, to see that it runs: neither writes this file.
""",
        encoding="utf-8",
    )
