"""The recorded files of a version."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cln_monitor import __version__
from cln_monitor.probes import ALL_PROBES
from tools.record_version import VERSIONS, main, record


@pytest.mark.processes
def test_recording(tmp_path: Path) -> None:
    """The configuration, a state file of each probe and the response for each probe are recorded."""
    record(tmp_path / "1.2.3")
    files = sorted(re.sub(r"-[0-9a-f]{32}", "", file.name) for file in tmp_path.rglob("*") if file.is_file())
    answers = [f"{name}{end}" for name in ALL_PROBES for end in (".json", ".state")]
    expected = ["cln-monitor.yml", "dc1.key", "index.json", *answers]
    assert files == sorted(expected)
    text = (tmp_path / "1.2.3" / "answers" / "kernelcare.json").read_text("utf-8")
    assert '"is_kept": true' in text
    assert f'"exporter_version": "{__version__}"' in text


def test_a_recorded_version_is_kept(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The files of a version that has been recorded are not replaced without --again."""
    recorded: list[Path] = []
    monkeypatch.setattr("tools.record_version.record", recorded.append)
    monkeypatch.setattr("tools.record_version.__version__", next(VERSIONS.iterdir()).name)
    assert (main([]), recorded) == (1, [])
    assert "use --again" in capsys.readouterr().err
    assert main(["--again"]) == 0
    assert len(recorded) == 1
