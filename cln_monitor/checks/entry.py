"""The entry point of every plugin."""

from __future__ import annotations

import gc
import sys
import time
from typing import NoReturn

from cln_monitor import __version__
from cln_monitor.standard_streams import open_missing

from .plugin_exit import CheckError, PluginExit
from .signals import end_on_signals


def run(program: str) -> NoReturn:
    """Run the plugin ``program`` with the arguments of this process, and end the process."""
    missing = open_missing()
    gc.disable()  # a check ends before a collection would pay off
    sys.stderr = None  # cores read only stdout; messages of libraries and threads at exit are of no use
    verbosity = 3 if "-vvv" in sys.argv else 0  # until the options are parsed
    exit_ = PluginExit(verbosity, has_stdout=1 not in missing)
    try:
        end_on_signals(exit_)
        _run(program, exit_)
    except BaseException as error:  # noqa: BLE001 # every plugin ends through this exit
        exit_.failed(error)


def _run(program: str, exit_: PluginExit) -> NoReturn:
    from . import options as table  # noqa: PLC0415 # so that a missing module is reported as other errors are
    from .outcome import run_check  # noqa: PLC0415
    from .registry import load  # noqa: PLC0415

    plugin = load(program)
    exit_.stage = "reading the options"
    try:
        values = table.parse(plugin.name, plugin.purpose, plugin.options, sys.argv[1:], __version__)
    except CheckError as error:
        exit_.unknown(str(error))
    except table.HelpRequestedError as text:
        exit_.show(str(text))
    exit_.verbosity = values.verbose
    exit_.end_after(values.timeout)
    exit_.finish(*run_check(plugin, values, exit_, time.time()))
