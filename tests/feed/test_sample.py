"""The sample configuration of the feed, and those of its page."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import yaml

from cln_monitor.feed.config import load_config
from cln_monitor.feed.services import CHECKS
from cln_monitor.feed.sinks import SINKS

ROOT = Path(__file__).parents[2]
SAMPLE = (ROOT / "systemd" / "cln-feed.yml").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "feed.md").read_text(encoding="utf-8")


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with what the samples name: credentials, certificates, a command file, a spool directory."""
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    for name in ("icinga2.password", "nrdp.token"):
        (tmp_path / name).write_text("s3cret\n", encoding="utf-8")
        (tmp_path / name).chmod(0o600)
    (tmp_path / "ca.crt").write_text(Path(_bundle()).read_text(encoding="utf-8"), encoding="utf-8")
    os.mkfifo(tmp_path / "nagios.cmd")
    (tmp_path / "spool").mkdir()
    return tmp_path


def _bundle() -> str:
    import certifi  # noqa: PLC0415 # only this fixture needs it

    return certifi.where()


def loaded(directory: Path, text: str) -> object:
    """Return the configuration in ``text``, with files of ``directory`` instead of those of a core."""
    text = re.sub(r"/var/lib/\S*/(ca\.crt|nagios\.cmd|spool)\b", rf"{directory}/\1", text)
    file = directory / "cln-feed.yml"
    file.write_text(text, encoding="utf-8")
    return load_config(file)


def test_the_sample_is_valid(directory: Path) -> None:
    """The sample can be loaded, also with all receivers and the mapping of the exporter that are comments in it."""
    loaded(directory, SAMPLE)
    every_sink = re.sub(r"(?m)^  # ((?:nagios|nrdp|checkmk|  \w+):)", r"  \1", SAMPLE)
    config = loaded(directory, every_sink)
    assert list(getattr(config, "sinks", ())) == list(SINKS)
    mapping = re.sub(r"(?m)^exporter: .*\n# exporter:", "exporter:", SAMPLE)
    mapping = re.sub(r"(?m)^#   (\w+: )", r"  \1", mapping)
    assert yaml.safe_load(mapping)["exporter"].keys() >= {"url", "ca_file", "cert_file", "username", "password_file"}
    loaded(directory, mapping)


def test_the_examples_of_the_page_are_valid(directory: Path) -> None:
    """Each YAML of the page is a part of a configuration that can be loaded."""
    examples = re.findall(r"(?m)^( *)```yaml\n(.*?)^ *```", PAGE, re.DOTALL)
    assert len(examples) == 2
    sample = yaml.safe_load(SAMPLE)
    for _, text in examples:
        loaded(directory, yaml.safe_dump({**sample, **yaml.safe_load(text)}))


def test_the_page_names_all_receivers() -> None:
    """The page has a row for each sink, and for each key of the configuration."""
    for name in SINKS:
        assert f"| `{name}` |" in PAGE
    assert CHECKS
