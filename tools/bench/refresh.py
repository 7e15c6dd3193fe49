"""What others notice of the refresh of a large fleet: how long they wait, and whether a scrape is of one state."""

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


def measure(scale: Scale, folder: Path) -> list[Row]:
    """Return the rows of a refresh: by a CLN as slow as it is, and by one that answers at once."""
    usual = _Noticed(scale, folder, scale.concurrency, scale.latency)
    worst = _Noticed(scale, folder, 8, 0.0)
    what = f"`/-/healthy` p99 while {scale.servers:,} servers are polled"
    return [
        Row(
            f"{what}, {scale.latency * 1000:.0f} ms per call, {scale.concurrency} in flight",
            "≤ 50 ms",
            usual.told,
            usual.p99 <= 0.05,
            "the threads that decode and the one that answers take turns of 5 ms at the interpreter",
        ),
        Row(f"{what}, without latency, 8 in flight", "", worst.told, None),
        Row(
            "Scrapes during these polls that show two states mixed",
            "0",
            f"{usual.halves + worst.halves} of {usual.scrapes + worst.scrapes}",
            not usual.halves + worst.halves,
        ),
    ]


class _Noticed:
    """What was noticed of some refreshes: seconds that a small page took, and how many scrapes were of two states."""

    def __init__(self, scale: Scale, folder: Path, concurrency: int, latency: float) -> None:
        self.scrapes = self.halves = 0
        self._waits: list[float] = []
        folder = folder / f"{concurrency}"
        folder.mkdir()
        with exporter_over(folder, scale.servers, scale.keys, concurrency=concurrency, latency=latency) as running:
            for _ in range(scale.repeats):
                self._refresh(*running)
        self._waits.sort()

    @property
    def p99(self) -> float:
        """The seconds that one request in a hundred waits longer than."""
        return self._waits[len(self._waits) * 99 // 100]

    @property
    def told(self) -> str:
        """The same and the median, in words."""
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
    """Return what tells apart the states of the fleet that a scrape shows."""
    digest = hashlib.sha256()
    for line in _OF_THE_FLEET.findall(gzip.decompress(scrape)):
        digest.update(line)
    return digest.hexdigest()
