"""What the exporter prints itself: the answer of ``--help`` or ``--config.check``, and errors before there is a log."""

from __future__ import annotations

import contextlib
import sys


class OutputError(Exception):
    """An answer that was asked for cannot be written to stdout."""


def answer(text: str) -> None:
    """Print what was asked for. Raises OutputError, but not where the reader of a pipe has gone, as ``head`` does."""
    try:
        print(text, flush=True)  # noqa: T201 # the answer asked for
    except BrokenPipeError:
        pass
    except OSError as error:
        raise OutputError(f"cannot write to stdout: {error.strerror}") from None


def say(text: str) -> None:
    """Print errors on stderr, each line with the name of the program; that nobody can read them changes nothing."""
    with contextlib.suppress(OSError):
        for line in text.splitlines():
            print(f"cln-exporter: {line}", file=sys.stderr, flush=True)  # noqa: T201 # no log yet
