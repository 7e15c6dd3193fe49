"""Where a check gets its observation from: a run of the probe now, or what a running exporter saw.

Both give the same, the JSON of ``/api/v1/observations/{account}/{probe}`` as plain values: a check judges one form.
"""

from __future__ import annotations

import argparse

from cln_monitor.checks.plugin_exit import CheckError, PluginExit

from .request import DataRequest, View

_CONTRADICTIONS = {
    "exporter": ("config", "login", "secret_key_file", "api_token", "api_url", "proxy"),
    "config": ("login", "secret_key_file", "api_token"),
    "login": ("account",),
}


def _refuse_contradictions(options: argparse.Namespace) -> None:
    """Raise CheckError where one option would be ignored beside another: an account nobody meant would be judged."""
    for one, others in _CONTRADICTIONS.items():
        for other in others:
            if getattr(options, one, None) and getattr(options, other, None):
                flags = f"--{one} does not go with --{other.replace('_', '-')}"
                raise CheckError(f"{flags}: give the one that says where to ask, and as whom")


def read_view(need: DataRequest, options: argparse.Namespace, exit_: PluginExit) -> View:
    """Return what is asked for in ``need``, read in the way that ``options`` say.

    Raises CheckError or NoResponseError.
    """
    _refuse_contradictions(options)
    # A check pays for what it uses: asking an exporter takes neither requests nor YAML.
    if options.exporter:
        from .exporter import view_from_exporter  # noqa: PLC0415

        view = view_from_exporter(need.probe, options, exit_)
    else:
        from .direct import view_from_cln  # noqa: PLC0415

        view = view_from_cln(need, options, exit_)
    exit_.stage = "judging what was read"
    return view
