"""An exporter as a separate process, for a fleet that is served by another process."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.helpers.running import Exporter, running_exporter, wait_until

from .polling import configuration
from .processes import PATIENCE, module


@contextlib.contextmanager
def exporter_over(
    directory: Path, servers: int, keys: int, *, concurrency: int = 8, latency: float = 0.0
) -> Iterator[tuple[Exporter, int]]:
    """Run an exporter that has polled ``servers``; provide it and the control port of its CLN."""
    directory = directory / f"{servers}-{keys}"
    directory.mkdir(exist_ok=True)
    with module("cln", directory, servers, keys, "--latency", latency) as (_, ports):
        config = directory / "cln-monitor.yml"
        config.write_text(configuration(f"http://127.0.0.1:{ports[1]}/api", None, concurrency), encoding="utf-8")
        with running_exporter(directory, f"--config.file={config}") as exporter:
            wait_until(lambda: exporter.ask("/-/ready").status == 200, "the first poll", PATIENCE)
            yield exporter, int(ports[2])
