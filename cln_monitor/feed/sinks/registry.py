"""The registry of the sinks: add a sink as a module, and as one line here."""

from __future__ import annotations

from collections.abc import Mapping

from . import checkmk, icinga2, nagios, nrdp
from .sink import SinkType

SINKS: Mapping[str, SinkType] = {
    sink.name: sink
    for sink in (
        SinkType("icinga2", icinga2.Settings, icinga2.Icinga2Sink),
        SinkType("nagios", nagios.Settings, nagios.NagiosSink),
        SinkType("nrdp", nrdp.Settings, nrdp.NrdpSink),
        SinkType("checkmk", checkmk.Settings, checkmk.CheckmkSink),
    )
}
"""The sinks by their name in the configuration."""
