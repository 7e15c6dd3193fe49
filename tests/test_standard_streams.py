"""Descriptors 0, 1 and 2 are the standard streams, also in a process that is started without them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.helpers.running import PATIENCE
from tests.helpers.streams import SUBSETS, without

pytestmark = pytest.mark.processes

_OPEN_SOME = """
import os, socket, sys
from cln_monitor.standard_streams import open_missing
missing = open_missing()
file, sock = open(os.devnull), socket.socket()
print("printed", file=sys.stdout, flush=True)
print("printed", file=sys.stderr, flush=True)
read = sys.stdin.read() if 0 in missing else ""
paths = [os.readlink(f"/proc/self/fd/{number}") for number in sorted(missing)]
os.write({report}, repr((set(missing), min(file.fileno(), sock.fileno()) > 2, set(paths), read)).encode())
"""


def _report(code: str, closed: set[int]) -> str:
    """Run the Python ``code`` with the descriptors ``closed``, and return what it writes to the descriptor {report}."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as report:
        command = without(closed, [sys.executable, "-c", code.replace("{report}", str(writing))])
        try:
            subprocess.run(command, pass_fds=[writing], stdin=subprocess.DEVNULL, timeout=PATIENCE, check=True)
        finally:
            os.close(writing)
        return report.read().decode()


@pytest.mark.parametrize("closed", SUBSETS, ids=str)
def test_a_closed_stream_becomes_dev_null(closed: set[int]) -> None:
    """A closed standard stream becomes /dev/null, so that no file gets its descriptor."""
    assert _report(_OPEN_SOME, closed) == repr((closed, True, {os.devnull}, ""))


def test_open_streams_stay_as_they_are() -> None:
    """Open standard streams are not changed."""
    code = "import os, sys\nfrom cln_monitor.standard_streams import open_missing\n"
    code += "before = (sys.stdin, sys.stdout, sys.stderr)\nmissing = open_missing()\n"
    code += "os.write({report}, repr((missing, (sys.stdin, sys.stdout, sys.stderr) == before)).encode())"
    assert _report(code, set()) == "(frozenset(), True)"


@pytest.mark.parametrize(
    "module", ["cln_monitor.exporter.__main__", "cln_monitor.cli.main", "cln_monitor.checks.entry"]
)
def test_no_import_opens_a_file_before_the_streams_are_opened(module: str) -> None:
    """No import leaves a descriptor open that would be a standard stream."""
    code = f"import os, {module}\n"
    code += "are_open = [number for number in range(3) if os.path.exists(f'/proc/self/fd/{number}')]\n"
    # Listing a directory takes a descriptor; to look for single numbers takes none.
    code += "os.write({report}, repr(are_open).encode())"
    assert _report(code, {0, 1, 2}) == "[]"
