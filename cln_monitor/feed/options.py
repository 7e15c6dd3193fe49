"""The command line of ``cln-feed``."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from cln_monitor.daemon.command_line import Parser

PROGRAM = "cln-feed"
CORES = ("icinga2", "nagios")
"""The monitoring cores for which ``definitions`` prints objects."""


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = Parser(
        prog=PROGRAM,
        usage="cln-feed [options] [definitions {icinga2,nagios}]",
        description="Sends the results of the checks of cln-monitor to Icinga 2, Nagios, NRDP or Checkmk, without a "
        "process for each check.",
        allow_abbrev=False,
        add_help=False,
    )
    add = parser.add_argument
    add(
        "command",
        nargs="*",
        metavar="definitions CORE",
        help="Print the objects of the configured services for a monitoring core, icinga2 or nagios, and exit.",
    )
    add("-h", "--help", action="help", help="Show this help and exit.")
    add(
        "--config.file",
        dest="config_file",
        type=Path,
        metavar="FILE",
        help="Configuration file (default: /etc/cln-monitor/cln-feed.yml).",
    )
    add("--config.check", dest="config_check", action="store_true", help="Check the configuration, and exit.")
    add(
        "--check",
        action="store_true",
        help="Read the exporter, ask the receivers for the configured services without sending results, and exit.",
    )
    add(
        "--web.listen-address",
        dest="listen_address",
        type=_address,
        metavar="HOST:PORT",
        help="Address on which to expose the feed's own metrics; use :PORT for all interfaces (default: none).",
    )
    parser.add_log_and_version()
    return parser


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the options; ``core`` is that of ``definitions``, or None."""
    parser = make_parser()
    options = parser.parse_args(arguments)
    options.core = None
    if options.command:
        if options.command[0] != "definitions":
            parser.error(f"unknown command {options.command[0]!r}: expected definitions")
        if len(options.command) != 2 or options.command[1] not in CORES:
            parser.error(f"definitions needs the name of a monitoring core: {' or '.join(CORES)}")
        options.core = options.command[1]
    if sum((options.config_check, options.check, options.core is not None)) > 1:
        parser.error("use only one of --config.check, --check and definitions")
    return options


def _address(text: str) -> tuple[str, int]:
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.%a-z]+)\]|([^:\[\]\s]*)):([0-9]{1,5})", text)
    if found is None or not int(found[3]) < 65536:
        raise argparse.ArgumentTypeError(f"invalid address {text!r}: use for example 127.0.0.1:10098 or :10098")
    return found[1] or found[2] or "", int(found[3])
