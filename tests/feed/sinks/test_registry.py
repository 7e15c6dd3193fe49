"""The registry has all sinks, each with settings whose files and secrets are fields."""

from __future__ import annotations

import msgspec
import pytest

from cln_monitor.feed.sinks import SINKS, SinkType
from cln_monitor.feed.sinks.checkmk import CheckmkSink
from cln_monitor.feed.sinks.icinga2 import Icinga2Sink
from cln_monitor.feed.sinks.nagios import NagiosSink
from cln_monitor.feed.sinks.nrdp import NrdpSink


def test_names() -> None:
    """Each sink is listed under its name, which is also its metric label."""
    assert {name: kind.make for name, kind in SINKS.items()} == {
        "icinga2": Icinga2Sink,
        "nagios": NagiosSink,
        "nrdp": NrdpSink,
        "checkmk": CheckmkSink,
    }
    for name, kind in SINKS.items():
        assert kind.name == kind.make.name == name  # type: ignore[attr-defined] # a class


@pytest.mark.parametrize("kind", SINKS.values(), ids=SINKS.keys())
def test_settings(kind: SinkType) -> None:
    """Each field that names a file is listed as one, secrets are among them, and unknown fields are refused."""
    fields = {field.name for field in msgspec.structs.fields(kind.settings)}
    named = {name for name in fields if name.endswith(("_file", "_directory"))}
    assert set(kind.settings.files) == named
    assert set(kind.settings.secrets) <= named
    assert kind.settings.__struct_config__.forbid_unknown_fields
    assert kind.settings.__struct_config__.frozen
