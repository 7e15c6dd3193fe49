"""The exporter in a process that has imported it: forks of this process become exporters."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from cln_monitor.exporter import __main__ as program

with program._without_rich():
    import cln_monitor.exporter.main  # noqa: F401 # what `run` imports as soon as it has options
gc.freeze()  # the forks share these objects as long as none of them looks at them


def become_exporter(command: Sequence[str], environment: Mapping[str, str], directory: Path, log_file: Path) -> None:
    """Run the exporter in this process as if ``command`` had just been executed, with its output in ``log_file``."""
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    output = os.open(log_file, os.O_WRONLY | os.O_APPEND)
    for stream, file in enumerate((os.open(os.devnull, os.O_RDONLY), output, output)):
        os.dup2(file, stream)
    sys.argv = [*command]
    program.run()
