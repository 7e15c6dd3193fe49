"""Which Pythons are tested, and what runs at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tools import every_python
from tools.every_python import Python, StepFailedError, chosen

LOCAL = [Python("3.10.9", "/a"), Python("3.11.2", "/b"), Python("3.11.14", "/c"), Python("3.12.1", "/d")]
TRIXIE, TESTING = Python("3.13.5", "/usr/bin/python3", Path("trixie")), Python("3.14.0", "/usr/bin/python3", Path("t"))


@pytest.fixture
def created(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replace the Pythons of this machine and of Debian; return the root file systems that were created."""
    created: list[str] = []

    def of_debian() -> Iterator[Python]:
        for python in (TRIXIE, TESTING):
            created.append(python.version)
            yield python

    monkeypatch.setattr(every_python, "local_pythons", lambda: iter(LOCAL))
    monkeypatch.setattr(every_python, "debian_pythons", of_debian)
    return created


@pytest.mark.parametrize(
    ("required", "versions", "missing", "root_file_systems"),
    [
        ([], ["3.11.2", "3.11.14", "3.12.1", "3.13.5", "3.14.0"], [], ["3.13.5", "3.14.0"]),
        (["3.11", "3.12"], ["3.11.14", "3.12.1"], [], []),
        (["3.11", "3.13"], ["3.11.14", "3.13.5"], [], ["3.13.5"]),
        (["3.15"], [], ["3.15"], ["3.13.5", "3.14.0"]),
    ],
)
def test_which_are_tested(
    required: list[str], versions: list[str], missing: list[str], root_file_systems: list[str], created: list[str]
) -> None:
    """All, or the newest release of each required version; a root file system is created only if it is needed."""
    pythons, not_found = chosen(required)
    assert ([python.version for python in pythons], not_found) == (versions, missing)
    assert created == root_file_systems


def test_the_next_is_installed_during_the_tests(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """While tests run, the next run is installed; each run has its own tests, and a failure ends no other run."""
    commands: list[tuple[str, ...]] = []
    next_is_there = threading.Event()

    def install(python: Python, which: str, _log: Path) -> str:
        if which == "newest":
            next_is_there.set()
        return f"{python.version}-{which}"

    def run(command: Sequence[str], _log: Path, _seconds: float, _root: Path | None = None) -> str:
        if "pytest" in command:
            commands.append(tuple(command))
            if command[0].endswith("lowest"):
                assert next_is_there.wait(60)
                raise StepFailedError("1 failed")
        return "3 passed in 1 s"

    monkeypatch.setattr(every_python, "WORK", tmp_path)
    monkeypatch.setattr(every_python, "install", install)
    monkeypatch.setattr(every_python, "uv", lambda: "uv")
    monkeypatch.setattr(every_python, "run", run)
    assert every_python.test_all([LOCAL[3]], ["--quiet"]) == [False, True]
    assert commands == [
        ("3.12.1-lowest", "-m", "pytest", "-m", "not processes and not many_inputs", "--quiet"),
        ("3.12.1-newest", "-m", "pytest", "-m", "not processes", "--quiet"),
    ]
