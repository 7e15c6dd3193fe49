"""Plugins inside the process of the tests, with an exit that raises instead of exiting: fast, with all output."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn
from unittest import mock

from cln_monitor.checks import entry, options, registry
from cln_monitor.checks.plugin_exit import PluginExit
from cln_monitor.checks.states import State

from .running import Outcome, checked


class _Ended(BaseException):
    def __init__(self, state: State, output: str) -> None:
        super().__init__(output)
        self.state = state
        self.output = output


class InProcessExit(PluginExit):
    """An exit that raises its output instead of printing it."""

    def _watch(self, seconds: float) -> None:
        """Ignore the timeout, which would end the tests."""

    def _end(self, state: State, make: Callable[[], str]) -> NoReturn:
        raise _Ended(state, make())


def result_of(run: Callable[[], object], arguments: Sequence[str] = ("-vvv",)) -> Outcome:
    """Return the outcome of ``run``, which ends in an InProcessExit; the rules of all outputs are asserted here."""
    try:
        run()
    except _Ended as ended:
        return checked(int(ended.state), ended.output.encode("utf-8", "replace"), 0.0, arguments)
    raise AssertionError("it did not end")


def run_in_process(name: str, *arguments: str) -> Outcome:
    """Return the outcome of the plugin ``name``."""
    exit_ = InProcessExit()

    def run() -> None:
        try:
            entry._run(name, exit_)
        except Exception as error:  # noqa: BLE001 # as the entry does
            exit_.failed(error)

    with mock.patch.object(sys, "argv", [name, *arguments]):
        return result_of(run, arguments)


def options_of(name: str, *arguments: str) -> argparse.Namespace:
    """Return the values of ``arguments`` for the plugin ``name``."""
    plugin = registry.load(name)
    return options.make_parser(plugin.name, plugin.purpose, plugin.options).parse_args(arguments)
