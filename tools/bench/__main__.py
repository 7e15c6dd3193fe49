"""``python -m tools.bench [PART…] [--quick]``: measure, print the table, and write RESULTS.md when all was measured."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from . import machine, memory, plugins, poll, refresh, render, scrape
from .scale import FULL, QUICK, Scale
from .table import Row, as_text, committed_figures, write_results

PARTS: dict[str, Callable[[Scale, Path], list[Row]]] = {
    "scrape": scrape.measure,
    "growth": scrape.growth,
    "render": render.measure,
    "refresh": refresh.measure,
    "decode": render.decode,
    "poll": poll.measure,
    "memory": memory.measure,
    "plugins": plugins.measure,
}


def measure(parts: Iterable[str], scale: Scale, say: Callable[[str], object] = lambda _: None) -> list[Row]:
    """Return the rows of ``parts``."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="cln-bench-") as folder:
        for part in parts:
            of_part = Path(folder) / part
            of_part.mkdir()
            others, started = machine.Others(), time.monotonic()
            rows += PARTS[part](scale, of_part)
            say(f"{part}: {time.monotonic() - started:.0f} s, other programs used {others.share:.0%} of the CPU")
    return rows


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"what to measure: {', '.join(PARTS)}; all by default")
    parser.add_argument("--quick", action="store_true", help="a small fleet, to see that the bench runs")
    options = parser.parse_args()
    unknown = set(options.parts) - PARTS.keys()
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    scale = QUICK if options.quick else FULL
    others, started = machine.Others(), time.monotonic()
    _say(f"load average at the start: {others.load:.2f}")
    rows = measure(options.parts or PARTS, scale, _say)
    circumstances = (
        f"load average {others.load:.2f} at the start; other programs used {others.share:.0%} of the CPU meanwhile; "
        f"all took {(time.monotonic() - started) / 60:.1f} minutes"
    )
    _say(circumstances)
    print(as_text(rows, {} if options.quick else committed_figures()), end="")  # noqa: T201 # what it is run for
    if not options.parts and not options.quick:
        write_results(rows, scale.servers, scale.keys, circumstances)


def _say(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201 # progress


if __name__ == "__main__":
    main()
