"""What others notice of the refresh of a large fleet: how long they wait, and whether a scrape is of one state."""

from __future__ import annotations

import gzip
import hashlib
import re
import threading
from pathlib import Path

from tests.running import ask

from .client import Client
from .exporter import exporter_over
from .scale import Scale
from .table import Row

_PROBE = "/probe?account=acme&probe=kernelcare"
_GZIP = "Accept-Encoding: gzip"
_OF_THE_FLEET = re.compile(rb"^cln_kernelcare_(?:server|key_servers).*\n", re.MULTILINE)


def measure(scale: Scale, folder: Path) -> list[Row]:
    """Return the rows of a refresh."""
    waits: list[float] = []
    scrapes: list[bytes] = []
    halves = 0
    with exporter_over(folder, scale.servers, scale.keys) as (exporter, control):
        for _ in range(scale.repeats):
            ask(f"http://127.0.0.1:{control}/turn")
            states = {_state(_scrape(exporter.address))}
            refreshed = threading.Event()
            others = [
                threading.Thread(target=_ask_on, args=(exporter.address, refreshed, waits)),
                threading.Thread(target=_scrape_on, args=(exporter.address, refreshed, scrapes)),
            ]
            for other in others:
                other.start()
            with Client(exporter.address, _GZIP) as client:
                client.get(_PROBE)
            refreshed.set()
            for other in others:
                other.join()
            states.add(_state(_scrape(exporter.address)))
            halves += sum(_state(scrape) not in states for scrape in scrapes)
            seen = len(scrapes)
            scrapes.clear()
    waits.sort()
    p99 = waits[len(waits) * 99 // 100] * 1000
    return [
        Row(
            f"while {scale.servers:,} servers are refreshed: `/-/healthy` p99",
            "≤ 50 ms",
            f"{p99:.0f} ms (p50 {waits[len(waits) // 2] * 1000:.1f} ms, {len(waits)} requests)",
            p99 <= 50,
        ),
        Row("the same: scrapes of a half-refreshed state", "0", f"{halves} of {seen} a refresh", not halves),
    ]


def _ask_on(address: str, end: threading.Event, waits: list[float]) -> None:
    with Client(address) as client:
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
