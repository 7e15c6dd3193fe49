"""The table of what was measured: a row per figure, printed and written to RESULTS.md beside the committed figures."""

from __future__ import annotations

import contextlib
import re
import subprocess
import textwrap
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import machine
from .collector import GZIP_LEVEL

RESULTS = Path(__file__).with_name("RESULTS.md")

_FIGURE = re.compile(r"(1/)?(\d+(?:\.\d+)?)(?: (?:×|ms|MB))?")


@dataclass(frozen=True)
class Row:
    """What was measured, its ``limit``, and whether the limit is ``met``; None where there is no limit.

    ``measured`` is a figure, and what it is made of in parentheses. ``why`` says why a limit is missed.
    """

    what: str
    limit: str
    measured: str
    met: bool | None
    why: str = ""

    @property
    def verdict(self) -> str:
        """The last column."""
        return {True: "met", False: "**missed**", None: ""}[self.met]


def ratio(value: float) -> str:
    """Return how many times as much something takes, as the table shows it."""
    return f"1/{1 / value:.0f}" if value < 0.1 else f"{value:.2f} ×"


def spread(values: Collection[float]) -> float:
    """Return how many times the least of ``values`` the most of them is, wherever in the series both are."""
    return max(values) / min(values)


def as_text(rows: Sequence[Row], before: Mapping[str, str] | None = None) -> str:
    """Return the rows as Markdown, with the figures ``before`` as :func:`figures_of` returns them."""
    known = before or {}
    lines = [
        ("what", "limit", "measured", "before, change", "verdict"),
        *((row.what, row.limit, row.measured, _change(known.get(row.what), row), row.verdict) for row in rows),
    ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = [" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    padded.insert(1, " | ".join("-" * max(3, width) for width in widths))
    return "".join(f"| {line} |\n" for line in padded)


def figures_of(text: str) -> dict[str, str]:
    """Return the figure of each row of a RESULTS.md, by what was measured."""
    lines = re.findall(r"^\| (.*) \|$", text, re.MULTILINE)
    rows = [[cell.strip() for cell in line.split(" | ")] for line in lines]
    if not rows:
        return {}
    measured = rows[0].index("measured")
    return {row[0]: _figure(row[measured]) for row in rows[2:]}


def committed_figures() -> dict[str, str]:
    """Return the figures of the RESULTS.md of the last commit; without git, of the one that is there."""
    with contextlib.suppress(FileNotFoundError):
        command = ["git", "show", f"HEAD:./{RESULTS.name}"]
        done = subprocess.run(command, cwd=RESULTS.parent, capture_output=True, check=False)
        if done.returncode == 0:
            return figures_of(done.stdout.decode())
    return figures_of(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}


def _figure(measured: str) -> str:
    return measured.partition(" (")[0]


def _change(before: str | None, row: Row) -> str:
    """Return the figure ``before``, and by how much that of ``row`` is larger or smaller."""
    if before is None:
        return ""
    then, now = _number(before), _number(_figure(row.measured))
    return f"{before}, {now / then - 1:+.0%}" if then and now is not None else before


def _number(figure: str) -> float | None:
    found = _FIGURE.fullmatch(figure)
    if found is None:
        return None
    return 1 / float(found[2]) if found[1] else float(found[2])


def write_results(rows: Sequence[Row], servers: int, keys: int, circumstances: str) -> None:
    """Write RESULTS.md; ``circumstances`` says how busy the machine was."""
    missed = [f"- {row.what}: {row.why or 'not known yet'}." for row in rows if row.met is False]
    reasons = "".join(textwrap.fill(reason, 118, subsequent_indent="  ") + "\n" for reason in missed or ["Nothing."])
    RESULTS.write_text(
        f"""\
# How fast it is

Written by `make bench`: all figures are of one run, in which the things compared take turns. Compare ratios: seconds
depend on the machine. CPU is user and system time as the operating system counts it for a process. "before" is the
figure of the table committed last, "change" how much more or less it is now.

A fleet of {servers:,} KernelCare servers on {keys:,} keys, two series per server, unless a row says otherwise.

The exporter renders and compresses once per poll, with zlib at level {GZIP_LEVEL}. It makes one text and one gzip form;
the text format and OpenMetrics both get these, with the exporter's own metrics added at scrape. A collector renders and
compresses on each scrape, with zlib at level 9, which no option changes; some rows measure it at our level. Rows of one
scrape leave out what a poll costs; those of 15 scrapes include it, for a poll every 15 minutes and a scrape every
minute. A poll there goes over HTTP through `/probe`, which compresses its answer once more.

{as_text(rows, committed_figures())}
## What is missed, and why

{reasons}
## The machine

{machine.describe()}- {circumstances}

## To repeat it

`make bench` takes less than ten minutes and wants a machine that does nothing else; it installs nginx, without
its service, where `apt-get` may. `make bench ARGS='scrape poll'` runs parts, `make bench ARGS=--quick` all of it over a
small fleet, to see that it runs: neither writes this file.
""",
        encoding="utf-8",
    )
