"""The model of docs/sizing.md: the resource usage of a fleet, from measurements of ``python -m tools.sizing``."""

from __future__ import annotations

import math
from dataclasses import dataclass

SERVERS_A_KEY = 100
BYTES_A_SERIES = {True: 144, False: 93}
"""Bytes of text per series, with and without per-server series; other series are shorter."""
ZIPPED_BYTES_A_SERIES = {True: 20.3, False: 6}
BASE_MEMORY = 53
"""MiB of an exporter without accounts."""
MEMORY_A_SERVER = {True: 0.45 / 1000, False: 0.4 / 1000}
"""Peak MiB per server, during a refresh."""
SERIES_A_KEY = {True: 7, False: 17}
"""KernelCare series per key; with per-server series there are two more per server."""
PATCH_SERIES_A_KEY = 5
OTHER_SERIES = 140
"""Series of one account: its probes, the status of CLN, and the exporter itself."""
LATENCY = 0.2
"""Assumed duration of a call to CLN in seconds."""


@dataclass(frozen=True)
class Fleet:
    """KernelCare servers and exporter settings: ``interval`` in minutes, ``rate`` in calls per second and shard."""

    servers: int
    server_series: bool = True
    shards: int = 1
    interval: int = 15
    patches_by_key: bool = True
    rate: int = 10
    concurrency: int = 8

    @property
    def keys(self) -> int:
        """The number of keys."""
        return math.ceil(self.servers / SERVERS_A_KEY)

    @property
    def calls_an_hour(self) -> float:
        """API calls per hour of all shards: each reads the lists of keys and the status, and one reads each key."""
        kernelcare = (self.shards + self.keys) * 60 / self.interval
        patches = (self.shards + self.keys) * 2 if self.patches_by_key else 0
        return kernelcare + patches + 2 + 60 * self.shards

    @property
    def poll_minutes(self) -> float:
        """Minimum duration in minutes of the poll of a shard."""
        keys = self.keys / self.shards
        return max(keys / self.rate, keys * LATENCY / self.concurrency) / 60

    @property
    def series(self) -> int:
        """The number of series of all shards together, as in a TSDB."""
        of_servers = 2 * self.servers if self.server_series else 0
        of_keys = self.keys * (SERIES_A_KEY[self.server_series] + PATCH_SERIES_A_KEY * self.patches_by_key)
        return of_servers + of_keys + OTHER_SERIES * self.shards

    def scrape_megabytes(self, *, zipped: bool) -> float:
        """The size of a scrape of one shard in MB."""
        a_series = (ZIPPED_BYTES_A_SERIES if zipped else BYTES_A_SERIES)[self.server_series]
        return self.series * a_series / self.shards / 1e6

    @property
    def memory(self) -> float:
        """Peak memory of one shard in MiB."""
        return BASE_MEMORY + MEMORY_A_SERVER[self.server_series] * self.servers / self.shards


FLEETS = (
    Fleet(1_000),
    Fleet(10_000),
    Fleet(100_000),
    Fleet(300_000, interval=30, patches_by_key=False),
    Fleet(1_000_000, shards=4, interval=30, patches_by_key=False),
    Fleet(10_000_000, shards=40, interval=60, patches_by_key=False, rate=2),
    Fleet(100_000, server_series=False),
    Fleet(1_000_000, server_series=False, interval=30, patches_by_key=False, rate=20),
    Fleet(10_000_000, server_series=False, shards=10, interval=60, patches_by_key=False, rate=8),
)


def table() -> str:
    """Return the table of the page with the resource usage of each fleet."""
    watched = "servers | keys | per-server series | shards | interval | `requests_per_second`"
    rows = [
        f"| {watched} | calls per hour | poll duration | series | MB per scrape (gzipped) | memory |",
        "| ---: | ---: | --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for fleet in FLEETS:
        cells = (
            f"{fleet.servers:,}",
            f"{fleet.keys:,}",
            "yes" if fleet.server_series else "no",
            str(fleet.shards),
            "1h" if fleet.interval == 60 else f"{fleet.interval}m",
            str(fleet.rate),
            f"{_rounded(fleet.calls_an_hour):,}",
            f"{max(0.1, fleet.poll_minutes):.1f} min",
            f"{_rounded(fleet.series):,}",
            f"{fleet.scrape_megabytes(zipped=False):.1f} ({fleet.scrape_megabytes(zipped=True):.2f})",
            f"{_rounded(fleet.memory)} MiB",
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _rounded(number: float) -> int:
    """Return ``number`` rounded to two digits, the precision of the model."""
    unit: int = 10 ** max(0, len(str(int(number))) - 2)
    return round(number / unit) * unit
