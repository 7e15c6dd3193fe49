"""The output of a program for the person who started it: requested output on stdout, errors on stderr."""

from __future__ import annotations

import contextlib
import sys

from cln_monitor import __version__


class OutputError(Exception):
    """The requested output cannot be written to stdout; the text is the whole message."""


def print_output(text: str) -> None:
    """Print ``text`` on stdout. Raises OutputError, except for a closed pipe, as with ``head``."""
    try:
        print(text, flush=True)  # noqa: T201 # the requested output
    except BrokenPipeError:
        pass
    except OSError as error:
        raise OutputError(f"cannot write to stdout: {error.strerror}") from None


def eprint(program: str, text: str) -> None:
    """Print ``text`` on stderr, each line prefixed with the name of the program; ignore a stderr that is closed."""
    with contextlib.suppress(OSError):
        for line in text.splitlines():
            print(f"{program}: {line}", file=sys.stderr, flush=True)  # noqa: T201 # before logging is set up


def print_version(program: str) -> None:
    """Print the version on stdout. Raises OutputError."""
    print_output(f"{program} {__version__}")
