"""The effect of refreshing a large fleet on other requests: their latency, and whether scrapes are consistent."""

from __future__ import annotations

import gzip
import hashlib
import re
import threading
from pathlib import Path

from tests.helpers.running import Exporter

from .client import Client, turn
from .exporter import exporter_over
from .scale import Scale
from .table import Row

_PROBE = "/probe?account=acme&probe=kernelcare"
_GZIP = "Accept-Encoding: gzip"
_OF_THE_FLEET = re.compile(rb"^cln_kernelcare_(?:server|key_servers).*\n", re.MULTILINE)


def measure(scale: Scale, directory: Path) -> list[Row]:
    """Return the rows of a refresh: with a realistic latency of CLN, and without latency."""
    usual = _Noticed(scale, directory, scale.concurrency, scale.latency)
    worst = _Noticed(scale, directory, 8, 0.0)
    quantity = f"`/-/healthy` p99 while {scale.servers:,} servers are polled"
    return [
        Row(
            f"{quantity}, {scale.latency * 1000:.0f} ms per call, {scale.concurrency} in flight",
            "≤ 50 ms",
            usual.summary,
            usual.p99 <= 0.05,
            "the threads that decode and the one that answers take turns of 5 ms at the interpreter",
        ),
        Row(f"{quantity}, without latency, 8 in flight", "", worst.summary, None),
        Row(
            "Scrapes during these polls that show two states mixed",
            "0",
            f"{usual.halves + worst.halves} of {usual.scrapes + worst.scrapes}",
            not usual.halves + worst.halves,
        ),
    ]


class _Noticed:
    """Observations during refreshes: the latency of a small page, and the number of inconsistent scrapes."""

    def __init__(self, scale: Scale, directory: Path, concurrency: int, latency: float) -> None:
        self.scrapes = self.halves = 0
        self._waits: list[float] = []
        directory = directory / f"{concurrency}"
        directory.mkdir()
        with exporter_over(directory, scale.servers, scale.keys, concurrency=concurrency, latency=latency) as running:
            for _ in range(scale.repeats):
                self._refresh(*running)
        self._waits.sort()

    @property
    def p99(self) -> float:
        """The 99th percentile of the latency in seconds."""
        return self._waits[len(self._waits) * 99 // 100]

    @property
    def summary(self) -> str:
        """The 99th percentile and the median as text."""
        half = self._waits[len(self._waits) // 2] * 1000
        return f"{self.p99 * 1000:.0f} ms (p50 {half:.1f} ms, {len(self._waits)} requests)"

    def _refresh(self, exporter: Exporter, control: int) -> None:
        turn(control)
        before, refreshed = _state(_scrape(exporter.address)), threading.Event()
        scrapes: list[bytes] = []
        others = [
            threading.Thread(target=_ask_on, args=(exporter.address, refreshed, self._waits)),
            threading.Thread(target=_scrape_on, args=(exporter.address, refreshed, scrapes)),
        ]
        for other in others:
            other.start()
        with Client(exporter.address, _GZIP) as client:
            client.get(_PROBE)
        refreshed.set()
        for other in others:
            other.join()
        states = {before, _state(_scrape(exporter.address))}
        self.scrapes += len(scrapes)
        self.halves += sum(_state(scrape) not in states for scrape in scrapes)


def _ask_on(address: str, end: threading.Event, waits: list[float]) -> None:
    with Client(address) as client:
        waits.append(client.get("/-/healthy")[0])
        while not end.wait(0.005):
            waits.append(client.get("/-/healthy")[0])


def _scrape_on(address: str, end: threading.Event, scrapes: list[bytes]) -> None:
    while not end.wait(0.2):
        scrapes.append(_scrape(address))


def _scrape(address: str) -> bytes:
    with Client(address, _GZIP) as client:
        return client.get("/metrics", keep=True)[2]


def _state(scrape: bytes) -> str:
    """Return a hash of the series of the fleet in a scrape."""
    sha256 = hashlib.sha256()
    for line in _OF_THE_FLEET.findall(gzip.decompress(scrape)):
        sha256.update(line)
    return sha256.hexdigest()
