"""The program ``clntool``: all errors are reported here, and set the exit code."""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import sys
from typing import TYPE_CHECKING

from cln_monitor import __version__
from cln_monitor.standard_streams import open_missing

if TYPE_CHECKING:
    from collections.abc import Callable

    from cln_monitor.cln import Redactor

    from .command_group import CommandGroup

_BY_CTRL_C = 130  # what typer makes of a KeyboardInterrupt


def main(arguments: list[str] | None = None) -> int:
    """Run ``clntool`` with ``arguments``, by default those of the process, and return its exit code."""

    @functools.cache
    def redactor() -> Redactor:
        from cln_monitor.cln import Redactor  # noqa: PLC0415 # help and completion have no secrets

        return Redactor()

    try:
        return _run(sys.argv[1:] if arguments is None else arguments, redactor)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 # a traceback could show secrets
        from .failure import report  # noqa: PLC0415 # all types of errors

        return report(error, redactor())


@functools.cache
def command() -> CommandGroup:
    """Return the tree of all commands, imported."""
    from .app import root  # noqa: PLC0415 # typer

    return root().import_all()


def _run(arguments: list[str], redactor: Callable[[], Redactor]) -> int:
    if arguments in (["--version"], ["-V"]) and "_CLNTOOL_COMPLETE" not in os.environ:
        with contextlib.suppress(BrokenPipeError):
            print(f"clntool {__version__}", flush=True)  # noqa: T201 # without typer: four times as fast
        return 0
    from .app import root  # noqa: PLC0415 # typer

    try:
        code = root()(args=arguments, prog_name="clntool", obj=redactor, standalone_mode=False)
    except SystemExit as end:  # typer answered a completion script, or the reader of its help has exited
        code = end.code
    if code == _BY_CTRL_C:
        raise KeyboardInterrupt
    return code if isinstance(code, int) else 0


def run() -> None:
    """Run :func:`main` as a process, which exits without waiting for calls in progress."""
    open_missing()
    gc.disable()  # imports leave no garbage, so a collection would be a tenth of a short run; a command enables it
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] # a terminal may not support all characters
    code = main()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(code)  # Python would wait for threads that wait for CLN, up to their timeout
