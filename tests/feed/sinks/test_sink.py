"""What all sinks share: the problems of files with secrets, and the name of an object."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

import pytest

from cln_monitor.feed.sinks import SinkSettings
from cln_monitor.feed.sinks.sink import object_name, problem_of_file
from tests.feed.sinks.results import result


class Settings(SinkSettings, frozen=True, kw_only=True):
    """Settings with one secret, which may be left out."""

    files: ClassVar[tuple[str, ...]] = ("token_file",)
    secrets: ClassVar[tuple[str, ...]] = ("token_file",)

    token_file: str | None = None


def test_secrets(tmp_path: Path) -> None:
    """A secret in a file that all users can read is a problem, unless its directory denies access."""
    file = tmp_path / "token"
    file.write_text("pl4nted")
    file.chmod(0o640)
    tmp_path.chmod(0o755)
    settings = Settings(token_file=str(file))
    assert list(settings.problems()) == []
    assert list(Settings().problems()) == []
    file.chmod(0o644)
    ((field, problem),) = settings.problems()
    assert field == "token_file"
    assert problem.startswith(f"{file} is world-readable; run chmod 600 on it")
    tmp_path.chmod(0o700)
    assert list(settings.problems()) == []


@pytest.mark.parametrize(
    ("content", "problem"), [(None, "cannot be read: No such file or directory"), ("\n", "is empty"), ("x", "")]
)
def test_files(tmp_path: Path, content: str | None, problem: str) -> None:
    """A file that is missing or empty is reported with its path."""
    file = tmp_path / "file"
    if content is not None:
        file.write_text(content)
    assert problem_of_file(file) == (f"{file} {problem}" if problem else "")


def test_a_pipe_without_a_writer(tmp_path: Path) -> None:
    """A pipe that no process writes to is reported, and does not block."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert problem_of_file(pipe).startswith(f"{pipe} is a pipe without a writer")


def test_object_name() -> None:
    """An object has the name that Icinga gives it."""
    assert object_name(result("CLN status")) == "acme!CLN status"
