"""The request of a check to its data source, and the type of the report that it gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

Report = Mapping[str, Any]
"""The report of a probe as plain values, with the fields of :class:`cln_monitor.probes.ProbeReport`."""

Form = Sequence[tuple[str, str]]
"""The parameters of the form in which an exporter returns a report."""


class DataRequest(NamedTuple):
    """The data that a check needs: a ``probe``, and whether it needs an account's credentials.

    ``only_keys`` limits the probe to these license keys. ``settings`` are probe settings that come from the option
    ``set_by`` instead of the configuration. ``form`` are the parameters of the form in which an exporter returns the
    report; an exporter that does not know them returns the whole report.
    """

    probe: str
    account: bool = True
    only_keys: tuple[str, ...] | None = None
    settings: Mapping[str, Any] = {}
    set_by: str = ""
    form: Form = ()


def with_fields(report: Report, **fields: Any) -> Report:
    """Return a copy of ``report`` with other values of ``fields``, of the same type: missing fields raise as before."""
    return type(report)({**report, **fields})  # type: ignore[call-arg, no-any-return, unused-ignore] # all are dicts
