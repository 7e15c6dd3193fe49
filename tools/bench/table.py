"""The table of results, one row per quantity, printed and written to RESULTS.md next to the committed figures."""

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
    """A measured ``quantity``, its ``limit``, and whether the limit is ``met``; None if there is no limit.

    ``measured`` is a figure, with its components in parentheses. ``why`` is the reason for a missed limit.
    """

    quantity: str
    limit: str
    measured: str
    met: bool | None
    why: str = ""

    @property
    def verdict(self) -> str:
        """The text of the last column."""
        return {True: "met", False: "**missed**", None: ""}[self.met]


def ratio(value: float) -> str:
    """Return a ratio as text: a multiple, or a fraction such as ``1/300`` below 0.1."""
    return f"1/{1 / value:.0f}" if value < 0.1 else f"{value:.2f} ×"


def spread(values: Collection[float]) -> float:
    """Return the ratio of the maximum to the minimum of ``values``."""
    return max(values) / min(values)


def as_text(rows: Sequence[Row], before: Mapping[str, str] | None = None) -> str:
    """Return the rows as a Markdown table, with the figures ``before`` from :func:`figures_of`."""
    known = before or {}
    lines = [
        ("what", "limit", "measured", "before, change", "verdict"),
        *((row.quantity, row.limit, row.measured, _change(known.get(row.quantity), row), row.verdict) for row in rows),
    ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = [" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    padded.insert(1, " | ".join("-" * max(3, width) for width in widths))
    return "".join(f"| {line} |\n" for line in padded)


def figures_of(text: str) -> dict[str, str]:
    """Return the figure of each row in the text of a RESULTS.md, by quantity."""
    lines = re.findall(r"^\| (.*) \|$", text, re.MULTILINE)
    rows = [[cell.strip() for cell in line.split(" | ")] for line in lines]
    if not rows:
        return {}
    measured = rows[0].index("measured")
    return {row[0]: _figure(row[measured]) for row in rows[2:]}


def committed_figures() -> dict[str, str]:
    """Return the figures of RESULTS.md in the last commit; without git, of the file in the directory."""
    with contextlib.suppress(FileNotFoundError):
        command = ["git", "show", f"HEAD:./{RESULTS.name}"]
        done = subprocess.run(command, cwd=RESULTS.parent, capture_output=True, check=False)
        if done.returncode == 0:
            return figures_of(done.stdout.decode())
    return figures_of(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}


def _figure(measured: str) -> str:
    return measured.partition(" (")[0]


def _change(before: str | None, row: Row) -> str:
    """Return the figure ``before`` and the relative change to that of ``row``."""
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
    """Write RESULTS.md; ``circumstances`` describes the load of the machine."""
    missed = [f"- {row.quantity}: {row.why or 'cause unknown'}." for row in rows if row.met is False]
    reasons = "".join(textwrap.fill(reason, 118, subsequent_indent="  ") + "\n" for reason in missed or ["None."])
    RESULTS.write_text(
        f"""\
# Performance

Written by `make bench`. All figures are from one run, in which the compared programs take turns. Compare ratios, as
seconds depend on the machine. CPU is the user and system time of a process according to the operating system. "before"
is the figure of the last committed table, "change" the relative difference.

A fleet of {servers:,} KernelCare servers on {keys:,} keys, two series per server, unless a row says otherwise.

The exporter renders and compresses once per poll, with zlib at level {GZIP_LEVEL}. It makes one text and one gzip form;
the text format and OpenMetrics both get these, with the exporter's own metrics added at scrape. A collector renders and
compresses on each scrape, with zlib at level 9, which no option changes; some rows measure it at our level. Rows of one
scrape exclude the cost of a poll; those of 15 scrapes include it, for a poll every 15 minutes and a scrape every
minute. Such a poll is an HTTP request to `/probe`, which compresses its response once more.

{as_text(rows, committed_figures())}
## Missed limits

{reasons}
## The machine

{machine.describe()}- {circumstances}

## Repeating the measurement

`make bench` takes less than ten minutes and needs an idle machine. It installs nginx, without its service, if `apt-get`
is available. `make bench ARGS='scrape poll'` runs single parts, and `make bench ARGS=--quick` runs all parts with a
small fleet to test the benchmark itself; neither writes this file.
""",
        encoding="utf-8",
    )
