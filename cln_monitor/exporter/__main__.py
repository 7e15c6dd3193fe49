"""The process ``cln-exporter``: it holds signals before it imports what takes long, and ends at once."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator

from cln_monitor.standard_streams import open_missing

from .signals import dump_stacks_to, hold_signals

_LAST_LINES = 0.5  # seconds for the last lines of the log, when nobody reads it


def run() -> None:
    """Run ``main`` as a process: it ends at once, whatever calls are under way."""
    open_missing()
    hold_signals()
    with _unhurried_stderr():
        try:
            code = _main()
        except SystemExit as end:  # after the help, the version, or a wrong flag
            code = int(end.code or 0)
        # Python would wait here for the threads that wait for CLN, and CLN may take its time; a call that only reads
        # can be left.
        logging.shutdown()
        with contextlib.suppress(OSError):
            sys.stderr.flush()
    os._exit(code)


def _main() -> int:
    from .options import OutputError, make_parser, say  # noqa: PLC0415

    try:
        options = make_parser().parse_args()
    except OutputError as error:  # of --help or --version
        say(str(error))
        return 1
    from .main import main  # noqa: PLC0415 # the whole exporter

    return main(options)


@contextlib.contextmanager
def _unhurried_stderr() -> Iterator[None]:
    """Let nobody who writes to ``sys.stderr`` wait for who reads it, and a crash tell there where each thread was."""
    from .line_writer import LineStream, LineWriter, unblocking  # noqa: PLC0415

    dump_stacks_to(unblocking(sys.stderr.fileno()))
    stderr, writer = sys.stderr, LineWriter(sys.stderr.fileno())
    sys.stderr = LineStream(writer)
    try:
        yield
    finally:
        sys.stderr = stderr
        writer.close(_LAST_LINES)


if __name__ == "__main__":
    run()
