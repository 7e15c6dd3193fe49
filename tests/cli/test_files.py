"""``clntool files``."""

from __future__ import annotations

from pathlib import Path

import pytest

from cln_monitor import bundled_files as bundled
from tests.helpers.package import ROOT

from .inside import run


def test_files_are_copied(tmp_path: Path) -> None:
    """Rules, dashboards, units and definitions are copied unchanged, to a new directory."""
    target = tmp_path / "new" / "files"
    outcome = run("-o", "json", "files", str(target))
    assert outcome.code == 0
    written = outcome.json["written"]
    assert {name.partition("/")[0] for name in written} == {"prometheus", "grafana", "systemd", "nagios", "icinga2"}
    rules = (target / "prometheus" / "cln.rules.yml").read_bytes()
    assert rules == (ROOT / "dashboards" / "prometheus" / "cln.rules.yml").read_bytes()
    assert sorted(written) == sorted(str(each.relative_to(target)) for each in target.rglob("*") if each.is_file())


def test_each_file_that_another_program_reads_is_among_them() -> None:
    """Only Python modules of those directories are left out."""
    left_out = {
        file.suffix
        for source in bundled.SOURCES.values()
        for file in (ROOT / source).iterdir()
        if file.is_file() and file not in bundled.files_of_checkout(ROOT).values()
    }
    assert left_out == {".py"}


def test_a_changed_file_is_left_alone(tmp_path: Path) -> None:
    """It is reported, the exit code is 1, and --overwrite replaces it; identical files are not written again."""
    assert run("files", str(tmp_path)).code == 0
    rules = tmp_path / "prometheus" / "cln.rules.yml"
    rules.write_text("mine")
    outcome = run("-o", "json", "files", str(tmp_path))
    assert (outcome.code, outcome.json["changed"], outcome.json["written"]) == (1, ["prometheus/cln.rules.yml"], [])
    assert str(rules) in outcome.err
    assert rules.read_text() == "mine"
    outcome = run("-o", "json", "files", str(tmp_path), "--overwrite")
    assert (outcome.code, outcome.json["written"]) == (0, ["prometheus/cln.rules.yml"])
    assert rules.read_text() != "mine"


def test_a_directory_that_cannot_be_written(tmp_path: Path) -> None:
    """The error names the file."""
    (tmp_path / "prometheus").write_text("a file in the way")
    outcome = run("files", str(tmp_path / "prometheus"))
    assert (outcome.code, outcome.out) == (3, "")
    assert str(tmp_path / "prometheus") in outcome.err


def test_an_installation_without_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the package was copied without its files, the error names their directory."""
    monkeypatch.setattr(bundled, "__file__", str(tmp_path / "cln_monitor" / "bundled_files.py"))
    outcome = run("files", str(tmp_path / "to"))
    assert outcome.code == 3
    assert f"{tmp_path / 'cln_monitor' / 'files'}: the files are missing in this installation" in outcome.err
