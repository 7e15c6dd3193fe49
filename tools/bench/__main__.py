"""``python -m tools.bench [PART…] [--quick]``: measure, print the table, and write RESULTS.md if all was measured."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from . import checks, feed, first_poll, icinga, machine, memory, plugins, poll, refresh, render, scrape, start_up
from .scale import FULL, QUICK, Scale
from .table import Row, as_text, committed_figures, write_results

PARTS: dict[str, Callable[[Scale, Path], list[Row]]] = {
    "scrape": scrape.measure,
    "growth": scrape.growth,
    "render": render.measure,
    "refresh": refresh.measure,
    "decode": render.decode,
    "poll": poll.measure,
    "first": first_poll.measure,
    "memory": memory.measure,
    "plugins": plugins.measure,
    "start-up": start_up.measure,
    "checks": checks.measure,
    "feed": feed.measure,
    "icinga": icinga.measure,
}


def measure(parts: Iterable[str], scale: Scale, progress: Callable[[str], object] = lambda _: None) -> list[Row]:
    """Measure ``parts`` and return their rows; ``progress`` is called with a line after each part."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="cln-bench-") as directory:
        for part in parts:
            of_part = Path(directory) / part
            of_part.mkdir()
            others, started = machine.Others(), time.monotonic()
            rows += PARTS[part](scale, of_part)
            progress(f"{part}: {time.monotonic() - started:.0f} s, other programs used {others.share:.0%} of the CPU")
    return rows


def main() -> None:
    """Measure the parts given on the command line."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"Parts to measure: {', '.join(PARTS)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="Use a small fleet, to test the benchmark itself")
    options = parser.parse_args()
    unknown = set(options.parts) - PARTS.keys()
    if unknown:
        parser.error(f"unknown part {', '.join(sorted(unknown))}: use {', '.join(PARTS)}")
    scale = QUICK if options.quick else FULL
    others, started = machine.Others(), time.monotonic()
    _progress(f"load average at the start: {others.load:.2f}")
    rows = measure(options.parts or PARTS, scale, _progress)
    circumstances = (
        f"load average {others.load:.2f} at the start; other programs used {others.share:.0%} of the CPU meanwhile; "
        f"all took {(time.monotonic() - started) / 60:.1f} minutes"
    )
    _progress(circumstances)
    print(as_text(rows, {} if options.quick else committed_figures()), end="")  # noqa: T201 # what it is run for
    if not options.parts and not options.quick:
        write_results(rows, scale.servers, scale.keys, circumstances)


def _progress(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201 # progress


if __name__ == "__main__":
    main()
