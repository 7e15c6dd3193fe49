"""The options of every program, from its argument parser."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any, NamedTuple

from cln_monitor.checks.options import make_parser as plugin_parser
from cln_monitor.checks.registry import MODULES, load
from cln_monitor.cli.main import command
from cln_monitor.exporter.options import make_parser as exporter_parser
from cln_monitor.feed.options import CORES
from cln_monitor.feed.options import make_parser as feed_parser


class Option(NamedTuple):
    """An option: its flags, the name of its value ("" for a switch), its help, and the values to choose from."""

    flags: tuple[str, ...]
    value: str
    help: str
    choices: tuple[str, ...] = ()


class Command(NamedTuple):
    """A command: what is typed to run it, what it does, its arguments and its options.

    ``keywords`` are fixed arguments, each with those of which one follows it.
    """

    typed: str
    purpose: str
    arguments: tuple[str, ...]
    options: tuple[Option, ...]
    keywords: tuple[tuple[str, tuple[str, ...]], ...] = ()


PLUGINS = tuple(MODULES)


def exporter() -> Command:
    """Return ``cln-exporter``."""
    return _of_parser(exporter_parser())


def feed() -> Command:
    """Return ``cln-feed``."""
    return _of_parser(feed_parser())._replace(keywords=(("definitions", CORES),))


def plugin(name: str) -> Command:
    """Return the plugin ``name``."""
    table = load(name)
    return _of_parser(plugin_parser(name, table.purpose, table.options))


def _of_parser(parser: argparse.ArgumentParser) -> Command:
    actions = parser._actions  # noqa: SLF001 # argparse has no public list of its options
    arguments = tuple(f"[{action.metavar}]" for action in actions if not action.option_strings)
    options = tuple(
        Option(
            tuple(action.option_strings),
            "" if action.nargs == 0 else str(action.metavar or "|".join(action.choices or ()) or action.dest.upper()),
            (action.help or "") % {"default": action.default, "prog": parser.prog},
            tuple(map(str, action.choices or ())),
        )
        for action in actions
        if action.option_strings
    )
    return Command(parser.prog, parser.description or "", arguments, options)


def clntool() -> tuple[Command, list[Command]]:
    """Return ``clntool`` with the options before a command, and its commands."""
    tree = command()
    return _of_click("clntool", tree), [_of_click(f"clntool {path}", leaf) for path, leaf in _leaves(tree, "")]


def _leaves(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name, child in group.commands.items():
        typed = f"{path} {name}".strip()
        if getattr(child, "commands", None):
            yield from _leaves(child, typed)
        else:
            yield typed, child


def _of_click(typed: str, command_: Any) -> Command:
    arguments = []
    options = []
    for param in command_.params:
        if param.param_type_name == "argument":
            word = f"{param.metavar}{'…' if param.nargs != 1 else ''}"
            arguments.append(word if param.required else f"[{word}]")
        else:
            value = "" if param.is_flag else str(param.metavar or param.name.upper())
            options.append(Option((*param.opts, *param.secondary_opts), value, param.help or ""))
    return Command(typed, command_.help or "", tuple(arguments), tuple(options))
