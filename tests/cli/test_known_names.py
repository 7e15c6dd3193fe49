"""Completion offers names of the configuration and of the API document, and never queries CLN."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest

from .account import NEW_ELS, Cln
from .inside import run


def completed(line: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the completions that fish gets for the last word of ``line``, without descriptions."""
    monkeypatch.setenv("_CLNTOOL_COMPLETE", "complete_fish")
    monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", f"clntool {line}")
    outcome = run()
    return [line.partition("\t")[0] for line in outcome.out.splitlines() if line]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("-C {config} -a ", ["acme", "beta"]),
        ("-C {config} status -a b", ["beta"]),
        ("status -C {config} --account ", ["acme", "beta"]),
        ("status -C /nowhere -a ", []),
        ("-C {config} els keys list --code CELS", ["CELS", "CELS_8"]),
        ("-C {config} els keys create --code RH", [NEW_ELS]),
        ("els keys list --code PHP", ["PHP_ELS"]),
        ("imunify keys create --code 360_3", ["360_30"]),
        ("ip-licenses remove 192.0.2.1 --type KernelCare", ["KernelCare", "KernelCare Plus"]),
        ("ip-licenses remove 192.0.2.1 --type 17", ["17"]),
        ("awp usage --product AWP_C", ["AWP_CDN"]),
        ("servers list --product ", ["kernelcare", "imunify", "els", "cloudlinux", "ip_licenses"]),
        ("servers prune --product i", ["imunify"]),
        ("keys list --product e", ["els"]),
        ("servers list --sort h", ["hostname"]),
        ("status -o c", ["csv"]),
    ],
)
def test_names(line: str, offered: list[str], cln: Cln, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are offered at any position of the option, and nothing is sent."""
    text = cln.config.read_text()
    cln.config.write_text(f"{text}  - {{name: beta, login: x, secret_key_file: nowhere}}\n")
    assert completed(line.format(config=cln.config), monkeypatch) == offered
    assert cln.sent() == []


@pytest.mark.parametrize(
    "text",
    ["", "accounts", "- 1", "accounts: {a: b}", "accounts: [1, {name: 2}, {login: x}]", "a: [", "probes: {els: [1]}",
     "probes: {els: {products: 7}}", "\x00"],
)  # fmt: skip
def test_a_broken_configuration(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken configuration gives no completions and no error."""
    file = tmp_path / "broken.yml"
    file.write_text(text)
    with mock.patch("cln_monitor.config.DEFAULT_CONFIG", file):
        assert completed("status -a ", monkeypatch) == []
        assert completed("els keys list --code OE", monkeypatch) == ["OELS"]
