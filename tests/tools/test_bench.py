"""The benchmark runs, with every part, for a small fleet; the measured values do not matter."""

from __future__ import annotations

import gzip
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tools.bench import table
from tools.bench.__main__ import PARTS, measure
from tools.bench.client import Client
from tools.bench.collector import GZIP_LEVEL
from tools.bench.machine import Others
from tools.bench.memory import endurance_row
from tools.bench.processes import cpu_of, module, resident, run
from tools.bench.scale import TINY
from tools.bench.scrape import growth_row
from tools.bench.table import RESULTS, Row, as_text, committed_figures, figures_of, ratio

ROWS = {
    "scrape": 6,
    "growth": 1,
    "render": 2,
    "refresh": 3,
    "decode": 1,
    "poll": 4,
    "first": 1,
    "memory": 5,
    "plugins": 6,
    "start-up": 5,
    "checks": 5,
    "feed": 5,
    "icinga": 1,
}


@pytest.mark.processes
def test_each_part_has_its_rows() -> None:
    """Each part has rows with unique quantities, a figure, and a verdict if there is a limit."""
    with ThreadPoolExecutor(2) as pool:  # more would only have the processes that start wait for each other
        rows = dict(zip(PARTS, pool.map(lambda part: measure([part], TINY), PARTS), strict=True))
    assert {part: len(of_part) for part, of_part in rows.items()} == ROWS
    every = [row for of_part in rows.values() for row in of_part]
    assert len({row.quantity for row in every}) == len(every)
    assert all(row.measured for row in every)
    assert all(bool(row.limit) == (row.met is not None) for row in every)


def test_the_results_have_a_row_for_each() -> None:
    """The committed results have the rows of all parts."""
    assert len(figures_of(RESULTS.read_text(encoding="utf-8"))) == sum(ROWS.values())


@pytest.mark.processes
def test_the_collector_compresses_at_both_levels(tmp_path: Path) -> None:
    """The collector serves the same series at level 9 and at the level of the exporter."""
    with module("collector", tmp_path, 4, 2) as (_, ports):
        bodies = [_gzipped(f"127.0.0.1:{port}") for port in ports.groups()]
    assert gzip.decompress(bodies[0]) == gzip.decompress(bodies[1])
    assert gzip.decompress(bodies[0]).count(b"\ncln_kernelcare_server") == 2 * 4
    fastest, best = 4, 2  # what XFL of RFC 1952 says of the level
    assert GZIP_LEVEL == 1
    assert [body[8] for body in bodies] == [best, fastest]


def _gzipped(address: str) -> bytes:
    with Client(address, "Accept-Encoding: gzip", "Connection: close") as client:
        return client.get("/metrics", keep=True)[2]


def test_growth_is_judged_between_the_least_and_the_most() -> None:
    """A medium fleet with the highest cost per MB counts."""
    assert growth_row({10: 0.001, 20: 0.0011, 30: 0.00125}).met
    row = growth_row({10: 0.001, 20: 0.0013, 30: 0.001})
    assert row.met is False
    assert row.measured == "1.30 × (ms per MB: 1.00 at 10, 1.30 at 20, 1.00 at 30)"


def test_flat_memory_is_judged_between_the_least_and_the_most() -> None:
    """Memory that rises and falls is not flat, except during the warm-up."""
    warming_up = [10.0, *[50.0] * 19]
    assert endurance_row(warming_up, 5).met
    row = endurance_row([*warming_up[:10], 60.0, *warming_up[11:]], 5)
    assert row.met is False
    assert row.measured == "1.20 × (50.0 MB to 60.0 MB)"


def test_a_table() -> None:
    """A row has its figure, the previous figure with the change, and the verdict."""
    rows = [
        Row("scrape", "≤ 2 ×", f"{ratio(1.5)} (3 ms to 2 ms)", True),
        Row("render", "≤ 1/300", ratio(1 / 1000), True),
        Row("poll", "≤ 1/4", ratio(0.3), False),
        Row("wrong", "0", "0 of 20", True),
        Row("none", "0", "0", True),
        Row("new", "≤ 9 MB", "8 MB", True),
        Row("floor", "", "1", None),
    ]
    before = {
        "scrape": "1.20 ×",
        "render": "1/500",
        "poll": "nginx is not installed",
        "wrong": "0 of 10",
        "none": "0",
        "floor": "1",
    }
    assert as_text(rows, before) == (
        "| what   | limit   | measured              | before, change         | verdict    |\n"
        "| ------ | ------- | --------------------- | ---------------------- | ---------- |\n"
        "| scrape | ≤ 2 ×   | 1.50 × (3 ms to 2 ms) | 1.20 ×, +25%           | met        |\n"
        "| render | ≤ 1/300 | 1/1000                | 1/500, -50%            | met        |\n"
        "| poll   | ≤ 1/4   | 0.30 ×                | nginx is not installed | **missed** |\n"
        "| wrong  | 0       | 0 of 20               | 0 of 10                | met        |\n"
        "| none   | 0       | 0                     | 0                      | met        |\n"
        "| new    | ≤ 9 MB  | 8 MB                  |                        | met        |\n"
        "| floor  |         | 1                     | 1, +0%                 |            |\n"
    )
    assert figures_of(as_text(rows, before)) == {
        "scrape": "1.50 ×",
        "render": "1/1000",
        "poll": "0.30 ×",
        "wrong": "0 of 20",
        "none": "0",
        "new": "8 MB",
        "floor": "1",
    }


@pytest.mark.processes
def test_the_figures_before_are_those_of_the_last_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Previous figures come from the last commit, or without git from the file."""

    def git(*arguments: str) -> None:
        author = ("-c", "user.name=bench", "-c", "user.email=bench@example.net")
        subprocess.run(["git", *author, *arguments], cwd=tmp_path, check=True, capture_output=True)

    results = tmp_path / "RESULTS.md"
    monkeypatch.setattr(table, "RESULTS", results)
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)  # a hook of git would have all this done to the repository it runs for
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert committed_figures() == {}
    results.write_text(as_text([Row("scrape", "", "1 ms", None)]), encoding="utf-8")
    assert committed_figures() == {"scrape": "1 ms"}
    git("init")
    git("add", "RESULTS.md")
    git("commit", "--message=Results")
    results.write_text(as_text([Row("scrape", "", "2 ms", None)]), encoding="utf-8")
    assert committed_figures() == {"scrape": "1 ms"}


@pytest.mark.processes
def test_what_the_system_counts() -> None:
    """CPU and memory of a process are those of the operating system."""
    before = cpu_of(os.getpid())
    sum(range(100_000))
    assert before < cpu_of(os.getpid())
    assert 1 < resident(os.getpid()) <= resident(os.getpid(), "VmHWM")
    assert run("sh", "-c", "echo out; exit 2").output == "out\n"


@pytest.mark.processes
def test_what_others_use() -> None:
    """The CPU of this process and its children does not count as that of other programs."""
    others = Others()
    run("sh", "-c", "i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done")
    assert 0 <= others.share <= 1
    assert others.load >= 0
