"""The browser for tests leaves nothing behind."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.helpers.chromium import Chromium
from tests.helpers.running import wait_until

pytestmark = pytest.mark.needs_server("chromium")

_FOLDERS = ("HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR")


def test_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """No directories and no processes of the browser are left."""
    with tempfile.TemporaryDirectory(prefix="left-") as name:  # tmp_path is too long for the name of a socket
        folder = Path(name)
        for variable in _FOLDERS:
            (folder / variable).mkdir()
            monkeypatch.setenv(variable, str(folder / variable))
        monkeypatch.setattr(tempfile, "tempdir", str(folder / "TMPDIR"))
        with Chromium() as chromium:
            chromium.page("about:blank", 800)
            assert _processes(folder)
        assert [*folder.glob("*/*")] == []
        wait_until(lambda: not _processes(folder), "its processes, which were killed, to end")


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
