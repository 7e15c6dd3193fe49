"""The outcome of a check, which a plugin prints and ``cln-feed`` sends."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NamedTuple

from .plugin_exit import CheckError, NoResponseError, PluginExit
from .registry import Plugin
from .states import State


class CheckOutcome(NamedTuple):
    """The state of a check, its first line, the lines of long output, and its perfdata, one text per metric."""

    state: State
    text: str
    lines: Sequence[str] = ()
    perfdata: Sequence[str] = ()


def run_check(plugin: Plugin, options: argparse.Namespace, exit_: PluginExit, now: float) -> CheckOutcome:
    """Run the check of ``plugin`` at the Unix time ``now``; a check that cannot run is UNKNOWN, with the reason.

    ``exit_`` does not end the process here. Internal errors of the check are raised.
    """
    try:
        result = plugin.check(options, exit_, now)
        state, perfdata = result.evaluate()
    except CheckError as error:
        return CheckOutcome(State.UNKNOWN, str(error))
    except NoResponseError as error:
        return CheckOutcome(options.unreachable_state, str(error))
    return CheckOutcome(state, result.text, result.lines, perfdata)
