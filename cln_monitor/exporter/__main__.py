"""The entry point of ``cln-exporter``: blocks signals before slow imports, and exits without waiting for calls."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

from cln_monitor.daemon.terminal import OutputError, eprint, print_version
from cln_monitor.standard_streams import open_missing

_PROGRAM = "cln-exporter"
_LAST_LINES = 0.5  # seconds to write the last log lines if nothing reads them


def run() -> None:
    """Run ``main`` and exit the process immediately, even while calls to CLN are in progress."""
    open_missing()
    if sys.argv[1:] == ["--version"]:  # answered without the imports of everything else
        os._exit(_print_version())
    from .signals import hold_signals, reap_orphans  # noqa: PLC0415

    hold_signals()
    reap_orphans()
    import logging  # noqa: PLC0415

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
    from .options import make_parser  # noqa: PLC0415

    try:
        options = make_parser().parse_args()
    except OutputError as error:  # from --help or --version
        eprint(_PROGRAM, str(error))
        return 1
    with _without_rich():
        from .main import main  # noqa: PLC0415 # the whole exporter

    return main(options)


def _print_version() -> int:
    """Print the version, and return the exit code."""
    try:
        print_version(_PROGRAM)
    except OutputError as error:
        eprint(_PROGRAM, str(error))
        return 1
    return 0


@contextlib.contextmanager
def _without_rich() -> Iterator[None]:
    """Let ``import rich`` fail: structlog would use it for a log format that the exporter does not have, for 36 ms."""
    imported = sys.modules.get("rich")
    sys.modules["rich"] = None  # type: ignore[assignment] # the import statement then raises ModuleNotFoundError
    try:
        yield
    finally:
        del sys.modules["rich"]
        if imported is not None:
            sys.modules["rich"] = imported


@contextlib.contextmanager
def _non_blocking_stderr() -> Iterator[None]:
    """Replace ``sys.stderr`` with a stream that never blocks, and dump the stack of each thread there on a crash."""
    from .line_writer import LineStream, LineWriter, non_blocking  # noqa: PLC0415
    from .signals import dump_stacks_to  # noqa: PLC0415

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
