"""The scale of the measurements: full, or small enough to test the benchmark itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """The sizes of the fleets in servers, and the numbers of repetitions.

    ``rounds`` compare a scrape with a collector after one warm-up round. ``plugin_runs`` follow one run that compiles
    the plugins; with 0 there is only one run, without compiling.
    ``requests_per_second`` is the default of the exporter.
    """

    servers: int = 100_000
    keys: int = 1000
    growth: tuple[int, ...] = (10_000, 100_000, 300_000)
    large: int = 1_000_000
    repeats: int = 5
    scrapes: int = 100
    rounds: int = 3
    concurrency: int = 32
    latency: float = 0.1
    requests_per_second: float = 10.0
    endurance: int = 1000
    plugin_runs: int = 20
    many_plugins: int = 2000


FULL = Scale()
QUICK = Scale(
    servers=5000,
    keys=50,
    growth=(2000, 5000, 10_000),
    large=20_000,
    repeats=2,
    scrapes=20,
    rounds=1,
    endurance=50,
    plugin_runs=3,
    many_plugins=20,
)
TINY = Scale(
    servers=40,
    keys=4,
    growth=(40,),
    large=80,
    repeats=1,
    scrapes=2,
    rounds=1,
    concurrency=2,
    latency=0.01,
    requests_per_second=20.0,
    endurance=2,
    plugin_runs=0,
    many_plugins=1,
)
