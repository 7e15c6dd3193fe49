"""Plugins in a pool of warm processes, so that many can run at the same time at a low cost."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

from tests.checks.inside import run_in_process
from tests.checks.running import Outcome
from tests.helpers.small_cln import KEY

from .impatient import be_impatient

DIRECT: Mapping[str, tuple[str, ...]] = {
    "check_cln_status": (),
    "check_cln_kernelcare": (),
    "check_cln_imunify": (),
    "check_cln_patch_status -k": ("-k", KEY),
    "check_cln_patch_status --reseller": ("--reseller",),
    "check_cln_ip_licenses": (),
    "check_cln_els": (),
    "check_cln_awp": (),
    "check_cln_cloudlinux": (),
}
"""The plugins that ask CLN and change nothing there, with what they are given beside the configuration."""

BY_EXPORTER: Mapping[str, tuple[str, ...]] = {
    "check_cln_exporter": (),
    "check_cln_kernelcare --exporter": ("-a", "acme"),
}
"""The plugins that query the exporter."""

EPORTAL_DIRECT = ("check_cln_eportal", "check_cln_cve")
"""The plugins that read an ePortal."""

EPORTAL_BY_EXPORTER = ("check_cln_eportal --exporter", "check_cln_cve --exporter", "check_cln_exporter")
"""The plugins that read from the exporter, among others, data of an ePortal."""


def probe_of(plugin: str) -> str:
    """Return the probe that a plugin runs."""
    return plugin.split(" ", maxsplit=1)[0].removeprefix("check_cln_")


class Plugins:
    """Runs plugins in a pool of processes; ``together`` runs several at the same time."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def together(self, runs: Mapping[str, Iterable[str]]) -> dict[str, Outcome]:
        """Return the outcome of each run; the name of a run is a plugin, optionally with a suffix after a blank."""
        started = {name: self._pool.submit(run_in_process, name.split(" ")[0], *runs[name]) for name in runs}
        return {name: run.result() for name, run in started.items()}


@contextmanager
def warm_plugins(workers: int = 6) -> Iterator[Plugins]:
    """Yield plugins that run in the pool."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=be_impatient) as pool:
        yield Plugins(pool)
