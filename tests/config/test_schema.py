"""The JSON schema of the configuration accepts the same as the programs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from cln_monitor.config import ConfigError, config_schema, parse_config, read_yaml
from tests.helpers.package import ROOT

BAD_FILES = Path(__file__).parent / "bad"
COMMITTED = ROOT / "systemd" / "cln-monitor.schema.json"
BASE = "accounts: [{name: acme, login: acme_login, secret_key: s3cret}]\n"

EPORTAL = "{name: dc1, url: 'https://eportal.example.net/admin/api', api_key_file: x}"
LOGIN = "username: a, password_file: b"

BEYOND_A_SCHEMA = {
    "account-name-doubled": "it compares two accounts",
    "ca-file-a-folder": "it reads the file",
    "ca-file-missing": "it reads the file",
    "login-missing-for-a-probe": "the probes of an account depend on its login",
    "ca-file-without-certificates": "it reads the file",
    "login-env-missing": "it reads the environment",
    "monitoring-keys-file-malformed": "it reads the file",
    "monitoring-keys-file-missing": "it reads the file",
    "registration-token-file-missing": "it reads the file",
    "requests-per-second-nan": "JSON has no such number",
    "secret-key-env-missing": "it reads the environment",
    "secret-key-file-a-folder": "it reads the file",
    "secret-key-file-below-a-file": "it reads the file",
    "secret-key-file-blank": "it reads the file",
    "secret-key-file-empty": "it reads the file",
    "secret-key-file-missing": "it reads the file",
    "secret-key-file-missing-by-its-whole-path": "it reads the file",
    "secret-key-file-not-utf8": "it reads the file",
    "secret-key-file-of-two-lines": "it reads the file",
    "secret-key-file-of-unknown-user": "it reads the users of the machine",
    "secret-key-file-without-credentials-directory": "it reads the environment",
    "shard-one-too-high": "it compares two numbers",
    "timeout-too-long": "it adds up the parts of a duration",
}
"""Bad files that the schema accepts, with the reason."""


@pytest.fixture(scope="module")
def validator() -> Any:
    """A validator of the schema, which is valid."""
    schema = config_schema()
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def problems(validator: Any, document: object) -> list[str]:
    """Return the locations in a document that the schema rejects."""
    return [error.json_path for error in validator.iter_errors(document)]


@pytest.mark.parametrize("name", sorted(file.stem for file in BAD_FILES.glob("*.yml")))
def test_the_schema_refuses_each_bad_file(validator: Any, name: str) -> None:
    """A bad file that is YAML is rejected, unless a schema cannot express the error."""
    try:
        document = read_yaml(BAD_FILES / f"{name}.yml")
    except ConfigError:
        assert name not in BEYOND_A_SCHEMA
        return
    found = problems(validator, {} if document is None else document)
    assert bool(found) is (name not in BEYOND_A_SCHEMA), found


@pytest.mark.parametrize(
    "sample",
    [
        pytest.param((ROOT / "systemd" / "cln-monitor.yml").read_text("utf-8"), id="the sample"),
        pytest.param(
            re.sub(r"(?m)^( +)# (?=[a-z_]+: )", r"\1", (ROOT / "systemd" / "cln-monitor.yml").read_text("utf-8")),
            id="the sample with its examples uncommented",
        ),
        pytest.param("probes: {status: null}\nproxy: null\n" + BASE, id="nothing"),
        pytest.param("timeout: 1h30m\nshard: 2/3\nrequests_per_second: 0.5\n" + BASE, id="other spellings"),
        pytest.param("api_url: HTTPS://münchen.example:8443/a/b\n" + BASE, id="a URL"),
        pytest.param('api_url: "http://[2001:db8::1]:8080/api"\n' + BASE, id="an IPv6 address"),
        pytest.param("proxy: http://user:p%40ss@proxy.example.com:3128\n" + BASE, id="a proxy with a password"),
        pytest.param(BASE.replace("secret_key: s3cret", "secret_key_file: null, secret_key: s3cret"), id="null"),
        pytest.param(
            f"eportals: [{EPORTAL}, {EPORTAL.replace('dc1', 'dc2').replace('api_key_file: x', LOGIN)}]\n" + BASE,
            id="ePortals",
        ),
        pytest.param("patches: {url: 'http://127.0.0.1/x', cves: [CVE-2026-1234, cve-2026-12345]}\n" + BASE, id="CVEs"),
        pytest.param(f"eportals: [{EPORTAL}]\n", id="ePortals alone"),
        pytest.param(f"accounts: []\neportals: [{EPORTAL}]\n", id="an empty list of accounts"),
        pytest.param(f"accounts:\neportals: [{EPORTAL}]\n", id="accounts that are comments"),
        pytest.param("eportals:\n" + BASE, id="ePortals that are comments"),
        pytest.param("patches: null\neportals: []\nprobes: {eportal: {stale_after: 3d}}\n" + BASE, id="no ePortals"),
    ],
)
def test_the_schema_accepts_what_is_read(validator: Any, sample: str) -> None:
    """The schema accepts configurations that the programs accept."""
    document = yaml.safe_load(sample)
    assert problems(validator, document) == []
    parse_config(sample, Path("/nowhere"), with_secrets=False)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("probes: {kernelcare: {stale_after: 12}}\n" + BASE, "$.probes.kernelcare.stale_after"),
        ("probes: {status: {interval: 1h, server_series: true}}\n" + BASE, "$.probes.status"),
        ("accounts: [{name: a, login: b, secret_key: c, secret_key_env: D}]\n", "$.accounts[0]"),
        ("accounts: [{name: a, login: b}]\n", "$.accounts[0]"),
        (f"eportals: [{EPORTAL.replace('api_key_file: x', '')}]\n" + BASE, "$.eportals[0]"),
        (f"eportals: [{EPORTAL.replace('api_key_file: x', LOGIN + ', api_key_file: x')}]\n" + BASE, "$.eportals[0]"),
        (f"eportals: [{EPORTAL.replace('api_key_file: x', 'username: a')}]\n" + BASE, "$.eportals[0]"),
        (f"eportals: [{EPORTAL.replace('https://', '')}]\n" + BASE, "$.eportals[0].url"),
        ("timeout: 5s\n", "$"),
        ("accounts: []\neportals: []\n", "$"),
        ("patches: {cves: [CVE-26-1234]}\n" + BASE, "$.patches.cves[0]"),
        ("patches: {url: ftp://x}\n" + BASE, "$.patches.url"),
        ("accounts: [{name: a, login: b, secret_key: c, probes: {eportal: {}}}]\n", "$.accounts[0].probes"),
    ],
)
def test_an_error_has_its_place(validator: Any, text: str, place: str) -> None:
    """An editor can show where an error is."""
    assert problems(validator, yaml.safe_load(text)) == [place]


def test_each_key_is_described(validator: Any) -> None:
    """Each key has a description, which editors show."""

    def undescribed(schema: dict[str, Any], path: str) -> list[str]:
        keys = schema.get("properties", {}) if schema.get("additionalProperties") is False else {}
        missing = [f"{path}.{name}" for name, each in keys.items() if "description" not in each and "$ref" not in each]
        below = keys | ({"[]": schema["items"]} if "items" in schema else {})
        return missing + [more for name, each in below.items() for more in undescribed(each, f"{path}.{name}")]

    schema = validator.schema
    assert undescribed(schema, "") == []
    assert [name for name, each in schema["definitions"].items() if not each["description"]] == []


def test_the_committed_schema_is_current(request: pytest.FixtureRequest) -> None:
    """The file next to the sample is the output of `clntool check config --schema`; --update-golden writes it."""
    text = json.dumps(config_schema(), indent=2, ensure_ascii=False) + "\n"
    if request.config.getoption("--update-golden"):
        COMMITTED.write_text(text, encoding="utf-8")
    assert COMMITTED.read_text("utf-8") == text


def test_the_sample_names_the_schema() -> None:
    """The first lines of the sample refer to the schema, for editors."""
    head = (ROOT / "systemd" / "cln-monitor.yml").read_text("utf-8").splitlines()[:3]
    assert f"# yaml-language-server: $schema={COMMITTED.name}" in head
