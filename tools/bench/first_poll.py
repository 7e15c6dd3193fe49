"""The first poll of an exporter at the default rate of requests: when its first servers are shown."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tests.helpers.running import Exporter, running_exporter

from .polling import configuration
from .processes import PATIENCE, module
from .scale import Scale
from .table import Row, ratio

_SERIES = "\ncln_kernelcare_server_last_checkin_timestamp_seconds{"
_PAUSE = 0.05  # seconds between two looks, much less than a call takes at the rate of requests


def measure(scale: Scale, directory: Path) -> list[Row]:
    """Return the row of the first poll: the time until the first servers are shown, from the start of the process."""
    rate = scale.requests_per_second
    with module("cln", directory, scale.servers, scale.keys) as (_, ports):
        config = directory / "cln-monitor.yml"
        text = configuration(f"http://127.0.0.1:{ports[1]}/api", None, 8, requests_per_second=rate)
        config.write_text(text, encoding="utf-8")
        started = time.perf_counter()
        with running_exporter(directory, f"--config.file={config}") as exporter:
            first = _seconds_until(lambda: _SERIES in exporter.metrics(), started)
            shown = exporter.metrics().count(_SERIES)
            whole = _seconds_until(lambda: _is_ready(exporter), started)
            assert exporter.metrics().count(_SERIES) == scale.servers
    return [
        Row(
            f"Time until the first of {scale.servers:,} servers on {scale.keys} keys are shown after a start, at "
            f"{rate:g} requests per second, compared with the whole first poll",
            "≤ 0.05 ×",
            f"{ratio(first / whole)} ({first:.1f} s, with {shown:,} servers, to {whole:.1f} s)",
            first / whole <= 0.05,
        )
    ]


def _is_ready(exporter: Exporter) -> bool:
    return exporter.ask("/-/ready").status == 200


def _seconds_until(look: Callable[[], bool], started: float) -> float:
    while not look():
        if time.perf_counter() - started > PATIENCE:
            raise RuntimeError(f"waited for the first poll for {PATIENCE:.0f} s in vain")
        time.sleep(_PAUSE)
    return time.perf_counter() - started
