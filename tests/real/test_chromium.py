"""The browser that tests drive: what it leaves behind, which is nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.chromium import Chromium

pytestmark = pytest.mark.needs_server("chromium")

_FOLDERS = ("HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR")


def test_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither folders, wherever it puts them, nor one of its many processes, which all name its folder."""
    for name in _FOLDERS:
        (tmp_path / name).mkdir()
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "TMPDIR"))
    with Chromium() as chromium:
        chromium.page("about:blank", 800)
        assert _processes(tmp_path)
    assert [*tmp_path.glob("*/*")] == []
    assert _processes(tmp_path) == []


def _processes(folder: Path) -> list[str]:
    found = []
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = command.read_text(errors="replace")
        except OSError:  # it has just ended
            continue
        if str(folder) in words:
            found.append(words)
    return found
