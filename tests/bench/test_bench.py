"""The bench still runs, each part of it, over a fleet of a few servers; what it measures then means nothing."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from .__main__ import PARTS, measure
from .processes import cpu_of, resident, run
from .scale import TINY
from .table import RESULTS, Row, as_text, ratio

ROWS = {"scrape": 2, "growth": 1, "render": 2, "refresh": 3, "decode": 2, "poll": 4, "memory": 3, "plugins": 5}


def test_each_part_has_its_rows() -> None:
    """Whatever a part measures, it has a row for each bar."""
    with ThreadPoolExecutor(len(PARTS)) as pool:  # most of the time is waiting for processes to start
        rows = dict(zip(PARTS, pool.map(lambda part: measure([part], TINY), PARTS), strict=True))
    assert {part: len(of_part) for part, of_part in rows.items()} == ROWS
    assert all(row.measured for of_part in rows.values() for row in of_part)


def test_the_results_have_a_row_for_each() -> None:
    """The results that are committed are of all parts there are."""
    table = RESULTS.read_text(encoding="utf-8").partition("| what")[2].partition("\n\n")[0]
    assert len(table.splitlines()) == 2 + sum(ROWS.values())


def test_a_table() -> None:
    """A row a bar, and a word on whether it was reached."""
    rows = [
        Row("scrape", "≤ 2 ×", ratio(1.5), True),
        Row("poll", "≤ 1/4", ratio(0.3), False),
        Row("floor", "", "1", None),
    ]
    assert as_text(rows) == (
        "| what   | bar   | measured | verdict    |\n"
        "| ------ | ----- | -------- | ---------- |\n"
        "| scrape | ≤ 2 × | 1.50 ×   | reached    |\n"
        "| poll   | ≤ 1/4 | 0.30 ×   | **missed** |\n"
        "| floor  |       | 1        |            |\n"
    )
    assert ratio(0.0025) == "1/400"


def test_what_the_system_counts() -> None:
    """The CPU and the memory of a process are what the operating system says of it."""
    before = cpu_of(os.getpid())
    sum(range(100_000))
    assert before < cpu_of(os.getpid())
    assert 1 < resident(os.getpid()) <= resident(os.getpid(), "VmHWM")
    assert run("sh", "-c", "echo out; exit 2").output == "out\n"
