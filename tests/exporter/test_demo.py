"""Tests of the demo: a simulated account in the process of the exporter."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cln_monitor.cln import Redactor
from cln_monitor.exporter.demo import Demo
from cln_monitor.exporter.service import Service
from cln_monitor.probes import ALL_PROBES, PROBES
from cln_monitor.simulator import DEMO_CVES

from .parsing import parse


def test_it_needs_no_configuration(idle: Callable[[Any], None]) -> None:
    """The configuration of the demo enables all probes with a short interval, and all of them succeed."""
    with Demo() as demo:
        config = demo.config()
        (account,) = config.accounts
        enabled = [name for name, settings in account.probes.items() if settings.enabled]
        assert enabled == list(PROBES)
        assert {float(account.probes[name].interval) for name in ("status", "kernelcare", "imunify")} == {15.0}
        service = Service(demo.config, Redactor())
        idle(service)
        service.start()
        try:
            runs = [service.run(target) for target in service.targets.values()]
            samples = parse(b"".join(service.exposition().plain(b"")).decode())
        finally:
            targets = list(service.targets.values())
            service.stop()
            for target in targets:
                target.context.client.close()
    assert [run.failure for run in runs] == [None] * len(ALL_PROBES)
    assert {dict(labels)["account"] for name, labels in samples if name == "cln_kernelcare_key_info"} == {"demo"}
    coverage = {dict(labels)["state"]: samples[name, labels] for name, labels in samples if _is_new_cve(name, labels)}
    assert 15 <= coverage["fixed"] <= 22, "the demo is in the middle of a rollout"
    assert coverage["not_fixed"] >= 10
    assert coverage["unknown"] == 3


def _is_new_cve(name: str, labels: Any) -> bool:
    return name == "cln_cve_servers" and dict(labels)["cve"] == DEMO_CVES[0]


def test_the_demo_ends_with_its_block() -> None:
    """After the with block the port of the simulated CLN is closed, as is the API key's file, which is on no disk."""
    with Demo() as demo:
        config = demo.config()
        url, file = config.api_url, Path(config.eportals[0].api_key_file or "")
        assert (file.stat().st_mode & 0o777, file.parent) == (0o600, Path("/proc/self/fd"))
        urllib.request.urlopen(f"{url}/status.json", timeout=5).close()
    assert not file.exists()
    try:
        urllib.request.urlopen(f"{url}/status.json", timeout=5).close()
    except OSError:
        return
    raise AssertionError("it still answers")
