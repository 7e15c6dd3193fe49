"""The shipped files match the code."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from cln_monitor.checks.registry import MODULES
from cln_monitor.config import load_config, parse_config, show_config

ROOT = Path(__file__).parents[2]


def test_the_example_configuration_is_good_and_shows_the_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The example is valid, and its values are the defaults."""
    (tmp_path / "acme.secret").write_text("s3cret")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    example = load_config(ROOT / "systemd" / "cln-monitor.yml")
    bare = parse_config("accounts: [{name: acme, login: acme_login, secret_key_file: '%d/acme.secret'}]", tmp_path)
    assert show_config(example) == show_config(bare)


def test_the_example_configuration_names_every_key() -> None:
    """The example has every configuration key."""
    text = (ROOT / "systemd" / "cln-monitor.yml").read_text()
    shown = yaml.safe_load(show_config(parse_config("accounts: [{name: a, login: l, secret_key: s}]", Path())))
    keys = set(shown) | {key for settings in shown["probes"].values() for key in settings} | set(shown["accounts"][0])
    missing = {key for key in keys if not re.search(rf"\b{key}\b", text)}
    # The other ways to give a secret are said of one of them.
    assert missing <= {"registration_token_env", "registration_token", "monitoring_keys"}


def test_each_plugin_is_installed_as_a_script() -> None:
    """Each plugin has its script, which pip installs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    scripts = {Path(file).name: ROOT / file for file in project["tool"]["setuptools"]["script-files"]}
    assert set(scripts) == set(MODULES)
    for name, script in scripts.items():
        assert f'\nrun("{name}")\n' in script.read_text()
        assert script.stat().st_mode & 0o111 == 0o111
