"""The memory usage of the exporter: by the size of the fleet, and over many polls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tests.helpers.certificates import Authority

from .client import Client, turn
from .exporter import exporter_over
from .poll import Polling
from .processes import module, resident
from .scale import Scale
from .table import Row, ratio, spread

_ENDURANCE_SERVERS = 2000


def measure(scale: Scale, directory: Path) -> list[Row]:
    """Return the rows of memory."""
    return [
        *_held(scale, directory, scale.servers, most=140),
        *_held(scale, directory, scale.large, most=1000),
        _endurance(scale, directory),
    ]


def _held(scale: Scale, directory: Path, servers: int, *, most: int) -> list[Row]:
    with exporter_over(directory, servers, scale.keys) as (exporter, control):
        for _ in range(2):
            turn(control)
            with Client(exporter.address, "Accept-Encoding: gzip") as client:
                client.get("/probe?account=acme&probe=kernelcare")
                client.get("/metrics")
        held, peak = (resident(exporter.process.pid, field) for field in ("VmRSS", "VmHWM"))
    polls = f"three polls of {servers:,} servers"
    return [
        Row(f"Resident memory after {polls}", f"≤ {most} MB", f"{held:.0f} MB", held <= most),
        Row(
            f"Peak of resident memory in {polls}, compared with what is held after them",
            "≤ 1.3 ×",
            f"{ratio(peak / held)} ({peak:.0f} MB to {held:.0f} MB)",
            peak <= 1.3 * held,
            "until a poll is complete, the servers and the text of the poll before are held as well, and to find those "
            "that are superseded takes the addresses of all servers",
        ),
    ]


def _endurance(scale: Scale, directory: Path) -> Row:
    small = replace(scale, keys=min(scale.keys, 10), servers=min(scale.servers, _ENDURANCE_SERVERS))
    authority = Authority(directory)
    certificate, key = authority.issue("localhost")
    options = (small.servers, small.keys, "--certificate", certificate, "--key", key)
    held = []
    with module("cln", directory, *options) as (_, ports):
        polling = Polling("ours", ports[1], small, authority.file, scale.endurance)
        try:
            for _ in range(scale.endurance):
                turn(ports[2])
                polling.poll()
                held.append(resident(polling.process.pid))
        finally:
            polling.stop()
    return endurance_row(held, small.servers)


def endurance_row(held: Sequence[float], servers: int) -> Row:
    """Return the row for the MB ``held`` after each poll, judged by the ratio of maximum to minimum after warm-up."""
    early = max(1, len(held) // 10)
    settled = held[early - 1 :]
    return Row(
        f"Resident memory over {len(held)} polls, each of new answers ({servers:,} servers), the most to the least "
        f"after the first {early}",
        "≤ 1.03 ×",
        f"{ratio(spread(settled))} ({min(settled):.1f} MB to {max(settled):.1f} MB)",
        spread(settled) <= 1.03,
        "the caches of dates fill up to their limits, and threads fragment the heap of the C library",
    )
