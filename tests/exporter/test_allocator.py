"""The allocator: large objects go back to the system, and other C libraries are left alone."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cln_monitor.exporter import allocator

_FREED = """
import sys
from pathlib import Path
from cln_monitor.exporter.allocator import set_up_allocator

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

if sys.argv[1] == "set up":
    set_up_allocator()
large = b"x" * (12 << 20)
del large  # by default, later objects of this size are in the heap
before, large, small = resident(), [], []
for number in range(4):
    large.append(b"x" * (8 << 20))
    small.append(b"x" * 100_000)  # after the large one if both are in the heap
del large
print(resident() - before)
"""


def grown(how: str) -> int:
    """Return by how many bytes a process has grown after large objects were freed."""
    done = subprocess.run([sys.executable, "-c", _FREED, how], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.processes
def test_large_objects_are_returned() -> None:
    """After large objects are freed, a process is hardly larger than before; by default it stays larger."""
    assert grown("set up") < 6 << 20 < grown("default")


def test_another_c_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """A C library without these functions is left as it is."""
    monkeypatch.setattr(allocator, "_libc", object())
    allocator.set_up_allocator()
    allocator.release_free_memory()
