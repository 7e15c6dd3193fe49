"""What the exporter holds in memory: by the size of the fleet, and over many polls."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.helpers.certificates import Authority
from tests.running import ask

from .client import Client
from .exporter import exporter_over
from .poll import Polling
from .processes import module, resident
from .scale import Scale
from .table import Row

_ENDURANCE_SERVERS = 2000


def measure(scale: Scale, folder: Path) -> list[Row]:
    """Return the rows of memory."""
    return [
        _held(scale, folder, scale.servers, 250),
        _held(scale, folder, scale.large, 1800),
        _endurance(scale, folder),
    ]


def _held(scale: Scale, folder: Path, servers: int, most: int) -> Row:
    with (
        exporter_over(folder, servers, scale.keys) as (exporter, control),
        Client(exporter.address, "Accept-Encoding: gzip") as client,
    ):
        for _ in range(2):
            ask(f"http://127.0.0.1:{control}/turn")
            client.get("/probe?account=acme&probe=kernelcare")
            client.get("/metrics")
        held, peak = (resident(exporter.process.pid, field) for field in ("VmRSS", "VmHWM"))
    measured = f"{held:.0f} MB (at most {peak:.0f} MB)"
    return Row(f"resident memory after three polls of {servers:,} servers", f"≤ {most} MB", measured, held <= most)


def _endurance(scale: Scale, folder: Path) -> Row:
    small = replace(scale, keys=min(scale.keys, 10), servers=min(scale.servers, _ENDURANCE_SERVERS))
    authority = Authority(folder)
    certificate, key = authority.issue("localhost")
    options = (small.servers, small.keys, "--certificate", certificate, "--key", key)
    early = max(1, scale.endurance // 10)
    with module("cln", folder, *options) as (_, ports):
        polling = Polling("ours", ports[1], small, authority.file, scale.endurance)
        try:
            for turn in range(1, scale.endurance + 1):
                ask(f"http://127.0.0.1:{ports[2]}/turn")
                polling.poll()
                if turn == early:
                    before = resident(polling.process.pid)
            after = resident(polling.process.pid)
        finally:
            polling.stop()
    return Row(
        f"the same over {scale.endurance} polls, each of new answers ({small.servers:,} servers)",
        "flat",
        f"{after:.1f} MB, {before:.1f} MB after the first {early}",
        after <= before * 1.03,
    )
