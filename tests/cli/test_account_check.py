"""`check account`: what an account can use, and the matching configuration of probes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from cln_monitor.cln import ELS_CODES
from cln_monitor.config import Config, parse_config
from cln_monitor.probes import PROBES
from cln_monitor.simulator import Fault

from .account import ELS_KEY, KEY, LOGIN, MONITORING_KEY, SECRET_KEY, Cln
from .fleet import empty
from .inside import Outcome, ask, run

REFUSED = '{"success": false, "message": "Product not found"}'


@pytest.fixture
def options(cln: Cln, tmp_path: Path) -> list[str]:
    """Return options that replace a configuration, so that all products are the default ones."""
    secret = tmp_path / "secret"
    secret.write_text(SECRET_KEY)
    return ["--login", LOGIN, "--secret-key-file", str(secret), "--api-url", cln.url]


def check(options: list[str]) -> Outcome:
    """Return the outcome of the command with JSON output."""
    return run(*options, "check", "account", "-o", "json")


def results(outcome: Outcome) -> dict[str, str]:
    """Return the result of each probe."""
    return {check["probe"]: check["result"] for check in outcome.json["checks"]}


def configured(text: str) -> Config:
    """Return the configuration with the probes: block at the end of ``text``."""
    block = text[text.index("probes:") :]
    return parse_config(f"accounts: [{{name: a, login: l, secret_key: s}}]\n{block}", Path())


def test_what_works(options: list[str]) -> None:
    """Each probe has a line, and the printed block is a valid configuration."""
    outcome = run(*options, "check", "account")
    assert (outcome.code, outcome.err) == (0, "")
    lines = {line.split()[0]: " ".join(line.split()[1:]) for line in outcome.out.splitlines()[: len(PROBES)]}
    assert lines == {
        "status": "works CLN answers; 8 flags, all good",
        "kernelcare": "works 2 keys, 2 servers",
        "imunify": "works 2 keys, 1 server",
        "patch_status": "works 2 keys, reseller access",
        "ip_licenses": "works 3 licenses",
        "els": "works CELS (1 key); not available: ELS CELS7, ELS CELS7+SLA, ELS UELS16_SLA and 4 more",
        "groups": "works 1 group",
        "awp": "not available nothing is billed this month",
        "cloudlinux": "works CL (1 key)",
    }
    probes: Any = configured(outcome.out).accounts[0].probes
    assert {name: settings.enabled for name, settings in probes.items()} == dict.fromkeys(lines, True) | {"awp": False}
    assert probes["els"].products == ["CELS"]
    assert probes["patch_status"].scopes == ["key", "reseller"]
    assert check(options).json["probes"]["els"] == {"enabled": True, "products": ["CELS"]}
    assert "  cloudlinux: {enabled: true, products: [CL]}\n" in outcome.out


def test_only_reads_are_sent(cln: Cln, options: list[str]) -> None:
    """Only calls that read are sent."""
    check(options)
    assert {method for method, _, _ in cln.sent()} == {"GET"}
    assert not [path for _, path, _ in cln.sent() if "remove" in path or "create" in path or "register" in path]


def test_unavailable_products(cln: Cln, options: list[str]) -> None:
    """Missing access and refused products exit with 0, and the block omits them."""
    for code in [*ELS_CODES][1:]:
        cln.simulator.faults.add(Fault("answer", "/els/*", match=f"code={code.replace(' ', '+')}&", body=REFUSED))
    cln.simulator.faults.add(
        Fault("answer", "/kcare/nagios-res/*", body="Reseller not found", content_type="text/plain")
    )
    cln.simulator.faults.add(Fault("answer", "/im/*", body=REFUSED))
    cln.simulator.faults.add(Fault("status", "/v2/*", status=404))
    cln.account.ip_licenses.clear()
    cln.account.groups.clear()
    outcome = run(*options, "check", "account")
    assert (outcome.code, outcome.err) == (0, "")
    assert "patch_status  works          2 keys; not available: reseller access\n" in outcome.out
    assert "CELS (1 key); not available: ELS OELS, ELS UELS16, ELS CELS_8 and 14 more" in outcome.out
    probes: Any = configured(outcome.out).accounts[0].probes
    assert [name for name, settings in probes.items() if settings.enabled] == [
        "status",
        "kernelcare",
        "patch_status",
        "els",
    ]
    assert probes["patch_status"].scopes == ["key"]
    assert probes["els"].products == ["CELS"]


def test_an_api_without_a_status(cln: Cln, options: list[str]) -> None:
    """Where the status is refused, as at the TuxCare portal, the other probes are checked all the same."""
    for path in ("/status.*", "/im/*", "/cl/*"):
        cln.simulator.faults.add(Fault("status", path, status=404))
    outcome = check(options)
    assert outcome.code == 0
    absent = {name for name, result in results(outcome).items() if result == "not available"}
    assert absent == {"status", "imunify", "awp"}
    (account,) = configured(run(*options, "check", "account").out).accounts
    assert {name for name, settings in account.probes.items() if not settings.enabled} == absent


def test_an_api_that_refuses_everything(cln: Cln, options: list[str]) -> None:
    """Where everything is refused, as at another path of the host, the check fails and suggests nothing."""
    cln.simulator.faults.add(Fault("status", "/*", status=404))
    outcome = check(options)
    assert outcome.code == 1
    assert set(results(outcome).values()) == {"fails", "not available"}
    assert "probes:" not in run(*options, "check", "account").out


def test_an_account_with_nothing(cln: Cln, options: list[str]) -> None:
    """For an account without products, only the status probe is enabled."""
    cln.simulator.accounts.clear()
    cln.simulator.add_account(LOGIN, SECRET_KEY)
    cln.simulator.faults.add(
        Fault("answer", "/kcare/nagios-res/*", body="Reseller not found", content_type="text/plain")
    )
    outcome = check(options)
    assert outcome.code == 0
    assert {name for name, settings in outcome.json["probes"].items() if settings["enabled"]} == {"status"}


@pytest.mark.parametrize("wrong", ["secret", "login"])
def test_wrong_credentials(wrong: str, cln: Cln, options: list[str]) -> None:
    """Wrong credentials exit with 1 and are reported once; no further calls are made, and no block is shown."""
    if wrong == "secret":
        cln.account.secret_key = "another"
    else:
        options[1] = "acme_login"
    outcome = check(options)
    assert outcome.code == 1
    assert outcome.json["ok"] is False
    assert results(outcome) == {"status": "works", "kernelcare": "fails"} | dict.fromkeys(
        ["imunify", "patch_status", "ip_licenses", "els", "groups", "awp", "cloudlinux"], "not asked"
    )
    assert "CLN refused the token" in outcome.json["checks"][1]["text"]
    assert outcome.json["probes"] == {}
    assert len(cln.sent()) == 2
    assert "probes:" not in run(*options, "check", "account").out


def test_cln_that_cannot_be_reached(options: list[str]) -> None:
    """If CLN cannot be reached, the exit code is 3."""
    options[-1] = "http://127.0.0.1:9/api"
    outcome = check(options)
    assert outcome.code == 3
    assert set(results(outcome).values()) == {"fails", "not asked"}
    assert outcome.err == "clntool: checks of account options failed: status; see the results above\n"
    assert "works" not in outcome.out
    assert "good" not in outcome.out


@pytest.mark.parametrize(("seconds", "words"), [(990, "16m ahead of"), (-990, "16m behind"), (200, "")])
def test_a_clock_that_is_off(seconds: float, words: str, cln: Cln, options: list[str]) -> None:
    """A wrong clock is reported, before tokens and ages suffer from it."""
    cln.simulator.faults.add(Fault("skew", seconds=seconds))
    outcome = check(options)
    text = outcome.json["checks"][0]["text"]
    assert outcome.code == 0
    assert text == "CLN answers; 8 flags, all good" + (f"; CLN's clock is {words} the local clock" if words else "")


def test_a_part_that_fails(cln: Cln, options: list[str]) -> None:
    """A malformed response exits with 3; the other probes are run, and the probe stays enabled."""
    cln.simulator.faults.add(Fault("html", "/kcare/key/servers.json", match=KEY))
    outcome = check(options)
    assert outcome.code == 3
    assert results(outcome) | {"kernelcare": "", "awp": ""} == dict.fromkeys(results(outcome), "works") | {
        "kernelcare": "",
        "awp": "",
    }
    assert results(outcome)["kernelcare"] == "fails"
    assert outcome.json["probes"]["kernelcare"] == {"enabled": True}


def test_configured_scope_that_is_refused(cln: Cln) -> None:
    """A configured scope that is refused exits with 1, and the block omits it."""
    cln.config.write_text(
        cln.config.read_text().replace("probes:", "probes:\n  patch_status: {scopes: [key, reseller]}")
    )
    cln.simulator.faults.add(
        Fault("answer", "/kcare/nagios-res/*", body="Reseller not found", content_type="text/plain")
    )
    outcome = ask(cln, "check", "account", "-o", "json")
    assert outcome.code == 1
    assert results(outcome)["patch_status"] == "fails"
    assert outcome.json["probes"]["patch_status"] == {"enabled": True, "scopes": ["key"]}


def test_monitoring_keys(cln: Cln) -> None:
    """Each monitoring key is checked; one unknown to CLN exits with 1."""
    cln.config.write_text(f"{cln.config.read_text()}    monitoring_keys: [{MONITORING_KEY}]\n")
    outcome = ask(cln, "check", "account", "-o", "json")
    assert (outcome.code, results(outcome)["patch_status"]) == (1, "fails")
    assert MONITORING_KEY not in outcome.out + outcome.err
    cln.account.add_monitoring_key(MONITORING_KEY)
    outcome = ask(cln, "check", "account", "-o", "json")
    texts = {check["probe"]: check["text"] for check in outcome.json["checks"]}
    assert (outcome.code, texts["patch_status"]) == (0, "2 keys, 1 monitoring key, reseller access")


def test_codes_that_yaml_would_misread(cln: Cln) -> None:
    """Codes that YAML would misread are quoted."""
    empty(cln)
    cln.account.remove_els_key(ELS_KEY)
    codes = ["no", "RHEL9 ELS+", "ELS CELS7+SLA", "7", "- x"]
    products = "[" + ", ".join(f'"{code}"' for code in codes) + "]"
    cln.config.write_text(cln.config.read_text().replace("[CELS, OELS, RHEL9 ELS+]", products))
    for code in codes:
        cln.account.add_els_key(code=code)
    outcome = ask(cln, "check", "account")
    probes: Any = configured(outcome.out).accounts[0].probes
    assert sorted(probes["els"].products) == sorted(codes)


def test_the_command_of_the_installation(cln: Cln, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command in docs/installation.md exists, and checks the account of the configuration."""
    page = (Path(__file__).parents[2] / "docs" / "installation.md").read_text(encoding="utf-8")
    (typed,) = re.findall(r"^ +CREDENTIALS_DIRECTORY=\S+ \S+/bin/clntool (.+)$", page, re.MULTILINE)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(cln.config.parent))
    cln.config.write_text(
        cln.config.read_text()
        .replace("secret_key_file: acme", "secret_key_file: '%d/acme")
        .replace(".secret", ".secret'")
    )
    outcome = ask(cln, *typed.split())
    assert (outcome.code, outcome.err) == (0, "")
    assert configured(outcome.out).probes["els"].enabled
