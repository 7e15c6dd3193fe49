"""The command line that the long-running programs share, whose flags follow the conventions of Prometheus."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, NoReturn

from .log_levels import FORMATS, LEVELS
from .terminal import eprint, print_output, print_version

if TYPE_CHECKING:
    from _typeshed import SupportsWrite


class Parser(argparse.ArgumentParser):
    """Reports a usage error in one line, with exit code 1, as the program reports other errors."""

    def error(self, message: str) -> NoReturn:
        """Print ``message`` on stderr, and exit."""
        eprint(self.prog, f"{' '.join(message.splitlines())}; see --help")
        self.exit(1)

    def print_help(self, file: SupportsWrite[str] | None = None) -> None:  # noqa: ARG002 # argparse passes none
        """Print the help on stdout. Raises OutputError."""
        print_output(self.format_help().rstrip())

    def add_log_and_version(self) -> None:
        """Add the options for the log, and for the version, which the help lists last."""
        self.add_argument(
            "--log.level",
            dest="log_level",
            choices=LEVELS,
            default="info",
            help="Only log messages with the given severity or above (default: %(default)s).",
        )
        self.add_argument(
            "--log.format",
            dest="log_format",
            choices=FORMATS,
            default="logfmt",
            help="Output format of log messages (default: %(default)s).",
        )
        self.add_argument("--version", action=_Version, nargs=0, help="Print the version and exit.")


class _Version(argparse.Action):
    """Prints the version; unlike argparse's action, it reports output that cannot be written."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        print_version(parser.prog)
        parser.exit()
