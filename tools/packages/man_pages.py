"""The man pages, made from the options of the programs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from cln_monitor import __version__

from .options import PLUGINS, Command, Option, clntool, exporter, feed, plugin

_PLUGIN_STATES = (("0", "OK"), ("1", "WARNING"), ("2", "CRITICAL"), ("3", "UNKNOWN; also after --help"))
_TOOL_CODES = (
    ("0", "Success."),
    ("1", "CLN refused the request, or it was not carried out."),
    ("2", "Usage error; nothing was sent."),
    ("3", "CLN could not be queried."),
)
_EXPORTER_CODES = (
    ("0", "Stopped by a signal, or the configuration is valid."),
    ("1", "The configuration or the command line is invalid, or the listen address cannot be used."),
)
_CONFIG = ("/etc/cln-monitor/cln-monitor.yml", "The configuration.")
_EXPORTER_FILES = (
    _CONFIG,
    ("/etc/default/cln-exporter", 'Additional flags of the service, such as ARGS="--log.level=debug".'),
    ("/var/lib/cln-exporter", "The last good observations, kept over a restart of the service."),
)
_FEED_COMMANDS = (
    ("definitions icinga2", "Print the objects of the configured services for Icinga 2, and exit."),
    ("definitions nagios", "Print the objects of the configured services for Nagios, and exit."),
)
_FEED_FILES = (
    ("/etc/cln-monitor/cln-feed.yml", "The configuration."),
    ("/etc/default/cln-feed", 'Additional flags of the service, such as ARGS="--log.level=debug".'),
)
_FEED_CODES = (
    ("0", "Stopped by a signal, or what was checked is valid."),
    ("1", "The configuration or the command line is invalid, or a receiver would refuse results."),
)


def pages(moment: int) -> dict[str, str]:
    """Return the man pages by the name of their file. ``moment`` is their date, in Unix seconds."""
    root, commands = clntool()
    return {
        "cln-exporter.1": _page(
            exporter(), moment, _table("FILES", _EXPORTER_FILES), _table("EXIT STATUS", _EXPORTER_CODES)
        ),
        "cln-feed.1": _page(
            feed(),
            moment,
            _table("COMMANDS", _FEED_COMMANDS),
            _table("FILES", _FEED_FILES),
            _table("EXIT STATUS", _FEED_CODES),
        ),
        "clntool.1": _page(
            root, moment, _commands(commands), _table("FILES", (_CONFIG,)), _table("EXIT STATUS", _TOOL_CODES)
        ),
        **{
            f"{name}.1": _page(plugin(name), moment, _table("FILES", (_CONFIG,)), _table("EXIT STATUS", _PLUGIN_STATES))
            for name in PLUGINS
        },
    }


def _page(command: Command, moment: int, *sections: Iterable[str]) -> str:
    date = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")
    summary = command.purpose.partition("\n")[0].rstrip(".")
    others = [name for name in ("cln-exporter", "clntool") if name != command.typed]
    lines = [
        f'.TH {command.typed.upper()} 1 {date} "cln-monitor {__version__}" "User Commands"',
        ".SH NAME",
        f"{_escaped(command.typed)} \\- {_escaped(summary)}",
        ".SH SYNOPSIS",
        f".B {_escaped(command.typed)}",
        f".RI [ OPTION ]...{' COMMAND ...' if command.typed == 'clntool' else ''}",
        *_keywords(command.keywords),
        ".SH DESCRIPTION",
        *_paragraphs(command.purpose),
        ".SH OPTIONS",
        *_options(command.options),
    ]
    for section in sections:
        lines += section
    lines += [".SH SEE ALSO", ", ".join(f"\\fB{_escaped(name)}\\fR(1)" for name in others)]
    lines += [".br", "The documentation in /usr/share/doc/cln\\-monitor/html"]
    return "\n".join(lines) + "\n"


def _keywords(keywords: Iterable[tuple[str, Iterable[str]]]) -> Iterator[str]:
    for keyword, following in keywords:
        yield f'.RI [ "{_escaped(keyword)} {_escaped("|".join(following))}" ]'


def _commands(commands: Iterable[Command]) -> Iterator[str]:
    yield ".SH COMMANDS"
    for command in commands:
        yield f".SS {' '.join([_escaped(command.typed.removeprefix('clntool ')), *map(_escaped, command.arguments)])}"
        yield from _paragraphs(command.purpose)
        yield from _options(command.options)


def _options(options: Iterable[Option]) -> Iterator[str]:
    for option in options:
        value = f" \\fI{_escaped(option.value)}\\fR" if option.value else ""
        yield ".TP"
        yield ", ".join(f"\\fB{_escaped(flag)}\\fR" for flag in option.flags) + value
        yield _escaped(option.help)


def _table(title: str, rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield f".SH {title}"
    for name, text in rows:
        yield from (".TP", f"\\fB{_escaped(name)}\\fR", _escaped(text))


def _paragraphs(text: str) -> Iterator[str]:
    for number, paragraph in enumerate(re.split(r"\n\s*\n", text.strip())):
        if number:
            yield ".PP"
        yield _escaped(paragraph)


def _escaped(text: str) -> str:
    """Return ``text`` on one line, with the special characters of troff escaped."""
    text = " ".join(text.split()).replace("\\", r"\e").replace("-", r"\-").replace("…", "...")
    return rf"\&{text}" if text[:1] in {".", "'"} else text
