"""The source of a check's report: a run of the probe, or a running exporter.

Both return the JSON of ``/api/v1/observations/{account}/{probe}`` as plain values, so that a check has one input.
"""

from __future__ import annotations

import argparse

from cln_monitor.checks.plugin_exit import CheckError, PluginExit

from .request import DataRequest, Report

_CONTRADICTIONS = {
    "exporter": ("config", "login", "secret_key_file", "api_token", "api_url", "proxy"),
    "config": ("login", "secret_key_file", "api_token"),
    "login": ("account",),
}


def _refuse_contradictions(options: argparse.Namespace) -> None:
    """Raise CheckError for options that exclude each other, before the check evaluates an unintended account."""
    for one, others in _CONTRADICTIONS.items():
        for other in others:
            if getattr(options, one, None) and getattr(options, other, None):
                raise CheckError(f"--{one} cannot be combined with --{other.replace('_', '-')}: use one of them")


def read_report(request: DataRequest, options: argparse.Namespace, exit_: PluginExit) -> Report:
    """Return the report for ``request`` from the source in ``options``.

    Raises CheckError or NoResponseError.
    """
    _refuse_contradictions(options)
    # Imported on demand: querying an exporter needs neither requests nor YAML.
    if options.exporter:
        from .exporter import report_from_exporter  # noqa: PLC0415

        report = report_from_exporter(request, options, exit_)
    else:
        from .direct import report_from_cln  # noqa: PLC0415

        report = report_from_cln(request, options, exit_)
    exit_.stage = "evaluating the result"
    return report
