"""``python -m tests.bench [PART…] [--quick]``: measure, print the table, and write RESULTS.md when all was measured."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from . import memory, plugins, poll, refresh, render, scrape
from .scale import FULL, QUICK, Scale
from .table import Row, as_text, write_results

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
            say(f"measuring {part}")
            of_part = Path(folder) / part
            of_part.mkdir()
            rows += PARTS[part](scale, of_part)
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
    rows = measure(options.parts or PARTS, scale, lambda line: print(line, file=sys.stderr))  # noqa: T201 # progress
    print(as_text(rows), end="")  # noqa: T201 # what it is run for
    if not options.parts and not options.quick:
        write_results(rows, scale.servers, scale.keys)


if __name__ == "__main__":
    main()
