"""A program in a process that cannot start threads: ``python -m tests.helpers.few_threads FILE NAME …``.

While FILE exists, starting a thread fails, as under ``ulimit -u``; if FILE contains ``dies``, the thread dies of lack
of memory before it runs.
"""

from __future__ import annotations

import _thread
import sys
import threading
from pathlib import Path
from typing import Any

from cln_monitor.checks import entry as plugins
from cln_monitor.cli import main as clntool
from cln_monitor.exporter import __main__ as exporter

REFUSED, DIES = "refused", "dies"
STACK = 1 << 28
"""The size of the stack of a thread, in bytes: with half of it left a process has memory, but not for a thread."""


def limit(file: Path) -> None:
    """Let ``file`` control whether threads can be started, and give each of them a stack of ``STACK`` bytes."""
    threading.stack_size(STACK)
    start = _thread.start_new_thread

    def start_if_any_is_left(*args: Any) -> int:
        how = file.read_text(encoding="utf-8") if file.exists() else ""
        if how == REFUSED:
            raise RuntimeError("can't start new thread")
        return 0 if how == DIES else start(*args)

    _thread.start_new_thread = start_if_any_is_left
    threading._start_new_thread = start_if_any_is_left  # type: ignore[attr-defined] # under which threading knows it


def main() -> None:
    """Run a program with the arguments after its name."""
    limit(Path(sys.argv[1]))
    program = sys.argv[2]
    sys.argv = sys.argv[2:]
    if program == "cln-exporter":
        exporter.run()
    elif program == "clntool":
        clntool.run()
    else:
        plugins.run(program)


if __name__ == "__main__":
    main()
