"""Fixtures of the feed: an exporter, and configuration files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cln_monitor.checks.data import exporter as exporter_of_plugins
from cln_monitor.feed import exporter_reader

from .demo_exporter import DemoExporter, demo_exporter


@pytest.fixture(scope="module")
def shared_exporter() -> Iterator[DemoExporter]:
    """The exporter of the demo, for all tests of a module."""
    with demo_exporter() as exporter:
        yield exporter


@pytest.fixture
def exporter(shared_exporter: DemoExporter, monkeypatch: pytest.MonkeyPatch) -> DemoExporter:
    """The exporter of the demo, which plugins and the feed read without a socket."""
    monkeypatch.setattr(exporter_of_plugins, "get", shared_exporter.get)
    monkeypatch.setattr(exporter_reader, "get", shared_exporter.get)
    shared_exporter.paths.clear()
    shared_exporter.is_away = False
    return shared_exporter


Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes a configuration: its fields replace those of a small valid one."""

    def written(**fields: Any) -> Path:
        document = {
            "exporter": DemoExporter.url,
            "sinks": {"checkmk": {"spool_directory": str(tmp_path)}},
            "services": [{"host": "cln", "service": "status", "check": "check_cln_status"}],
        }
        file = tmp_path / "cln-feed.yml"
        fields = {name: value for name, value in {**document, **fields}.items() if value is not ...}
        file.write_text(yaml.safe_dump(fields, allow_unicode=True, sort_keys=False), encoding="utf-8")
        file.chmod(0o600)
        return file

    return written
