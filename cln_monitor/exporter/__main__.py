"""The entry point of ``cln-exporter``: blocks signals before slow imports, and exits without waiting for calls."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator

from cln_monitor.standard_streams import open_missing

from .signals import dump_stacks_to, hold_signals

_LAST_LINES = 0.5  # seconds to write the last log lines if nothing reads them


def run() -> None:
    """Run ``main`` and exit the process immediately, even while calls to CLN are in progress."""
    open_missing()
    hold_signals()
    with _non_blocking_stderr():
        try:
            code = _main()
        except SystemExit as end:  # after --help, --version, or an invalid flag
            code = int(end.code or 0)
        # A normal exit would wait for the threads that wait for CLN. Their calls only read, so they can be abandoned.
        logging.shutdown()
        with contextlib.suppress(OSError):
            sys.stderr.flush()
    os._exit(code)


def _main() -> int:
    from .options import OutputError, eprint, make_parser  # noqa: PLC0415

    try:
        options = make_parser().parse_args()
    except OutputError as error:  # from --help or --version
        eprint(str(error))
        return 1
    from .main import main  # noqa: PLC0415 # the whole exporter

    return main(options)


@contextlib.contextmanager
def _non_blocking_stderr() -> Iterator[None]:
    """Replace ``sys.stderr`` with a stream that never blocks, and dump the stack of each thread there on a crash."""
    from .line_writer import LineStream, LineWriter, non_blocking  # noqa: PLC0415

    dump_stacks_to(non_blocking(sys.stderr.fileno()))
    stderr, writer = sys.stderr, LineWriter(sys.stderr.fileno())
    sys.stderr = LineStream(writer)
    try:
        yield
    finally:
        sys.stderr = stderr
        writer.close(_LAST_LINES)


if __name__ == "__main__":
    run()
