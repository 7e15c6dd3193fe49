"""Planted secrets are in no output, for any failure and verbosity."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from cln_monitor.cln.caller import make_token
from cln_monitor.probes import kernelcare as kernelcare_probe
from cln_monitor.simulator import Fault
from tests.helpers.scripted import ScriptedServer, http_answer, read_head
from tests.helpers.small_cln import ELS_KEY, IMUNIFY_KEY, KEY, LOGIN, REGISTRATION_TOKEN, SECRET_KEY, UNLIMITED_KEY

from .conftest import Cln
from .inside import run_in_process
from .running import API_TOKEN, EXPORTER_PASSWORD, MONITORING_KEY, PLANTED, PROXY_PASSWORD, run_plugin

pytestmark = pytest.mark.many_inputs

ECHO = " ".join([*PLANTED, make_token(LOGIN, SECRET_KEY, 1_714_490_800)])
"""What a hostile or a careless server would send back: all that it may have been sent, and more."""

FAULTS = {
    "fine": None,
    "401": Fault("status", status=401),
    "403-html": Fault("status", status=403, html=True),
    "404": Fault("status", status=404),
    "429": Fault("status", status=429, retry_after=999),
    "500": Fault("status", status=500, html=True),
    "redirect": Fault("redirect", location=f"http://{quote(LOGIN)}.{KEY}:{SECRET_KEY}@{IMUNIFY_KEY}/?{quote(ECHO)}"),
    "cut": Fault("cut"),
    "cut-body": Fault("cut_body"),
    "html": Fault("html"),
    "empty": Fault("empty"),
    "garbage": Fault("garbage"),
    "reset": Fault("reset"),
    "skew": Fault("skew", seconds=-7200),
    "echo-refusal": Fault("answer", body=f'{{"success": false, "message": "{ECHO}"}}'),
    "echo-long": Fault("answer", body=f'{{"success": false, "message": "{"x" * 380} {ECHO}"}}'),
    "echo-plain": Fault("answer", body=f"success:false\nmessage:{ECHO}"),
    "echo-text": Fault("answer", body=f"Registration token not found for reseller {ECHO} not found"),
    "echo-rows": Fault("answer", body=f'{{"success": true, "data": [{{"key": "{ECHO}", "limit": "{ECHO}"}}]}}'),
    "echo-date": Fault("answer", "/kcare/key/servers.json", body=f'[{{"server_id": "1", "last_checkin": "{ECHO}"}}]'),
    "echo-names": Fault("answer", "/kcare/key/servers.json", body=f'[{{"server_id": "1", "ip": "{ECHO}"}}]'),
    "echo-host": Fault(
        "answer",
        "/kcare/nagios*",
        body="1 machines are OUTOFDATE!|uptodate=0;outofdate=1;unsupported=0;inactive=0\n"
        + "\n".join(f"{secret} ({secret}) is OUTOFDATE" for secret in PLANTED),
    ),
}
PLUGINS = {
    "check_cln_status": (),
    "check_cln_kernelcare": ("--key", KEY, "--key", UNLIMITED_KEY),
    "check_cln_imunify": (),
    "check_cln_ip_licenses": (),
    "check_cln_patch_status": ("--reseller",),
    "check_cln_patch_status -k": ("-k", KEY, "-k", MONITORING_KEY, "--register"),
    "register_cln_monitoring_key": ("--key", MONITORING_KEY),
}


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retry without waiting."""
    monkeypatch.setattr("cln_monitor.cln.http.retry._FIRST_BACK_OFF", 0.001)


@pytest.fixture
def full_config(cln: Cln, tmp_path: Path) -> Path:
    """A configuration with all planted secrets, including those of other accounts."""
    config = tmp_path / "full.yml"
    config.write_text(f"""\
api_url: {cln.url}
requests_per_second: 0
accounts:
  - name: acme
    login: {LOGIN}
    secret_key: {SECRET_KEY}
    registration_token: {REGISTRATION_TOKEN}
    monitoring_keys: [{MONITORING_KEY}, {KEY}, {UNLIMITED_KEY}]
  - name: other
    login: {LOGIN}2
    secret_key: "{EXPORTER_PASSWORD}"
    registration_token: {API_TOKEN}
    monitoring_keys: [{IMUNIFY_KEY}, {ELS_KEY}]
  - name: third
    login: {LOGIN}3
    secret_key: "{PROXY_PASSWORD}"
""")
    return config


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("verbose", ["", "-v", "-vvv"])
def test_whatever_cln_does(fault: str, verbose: str, cln: Cln, full_config: Path) -> None:
    """No plugin prints a planted secret for any fault and any verbosity."""
    striking = FAULTS[fault]
    if striking is not None:
        cln.simulator.faults.add(striking)
    for name, arguments in PLUGINS.items():
        loud = [verbose] if verbose else []
        outcome = run_in_process(name.split(" ")[0], "-C", str(full_config), "-a", "acme", *arguments, *loud)
        assert "internal error" not in outcome.text


def test_a_bug_of_ours_at_its_loudest(cln: Cln, full_config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An internal error with all secrets in its text is redacted, also in the traceback."""

    def broken(*_: object) -> None:
        raise KeyError(ECHO, {"token": ECHO})

    with monkeypatch.context() as patching:
        patching.setattr(kernelcare_probe, "_read", broken)
        outcome = run_in_process("check_cln_kernelcare", "-C", str(full_config), "-a", "acme", "-vvv")
    assert "internal error; see the log, and please report it: KeyError" in outcome.text
    monkeypatch.setattr("cln_monitor.checks.checkin_rules.judge", broken)
    outcome = run_in_process("check_cln_kernelcare", "-C", str(full_config), "-a", "acme", "-vvv")
    assert "internal error while evaluating the result (use -vvv for the traceback): KeyError" in outcome.text
    assert any(line.startswith("Traceback") for line in outcome.lines)
    assert any(line.startswith("KeyError") for line in outcome.lines)
    assert cln.simulator.requests


def basic(user: str, password: str) -> str:
    """Return the credentials of an Authorization header."""
    return base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture
def echo() -> Iterator[ScriptedServer]:
    """A server that refuses every request and repeats it."""

    def script(connection: object) -> None:
        head = read_head(connection).decode("latin-1")  # type: ignore[arg-type] # a socket
        sent = next((line for line in head.splitlines() if line.startswith("Proxy-Authorization")), "")
        said = f"{sent} {ECHO} {head}".replace('"', "'").replace("\r\n", " ")
        body = f'{{"success": false, "message": "{said}", "error": "{said}"}}'.encode()
        connection.sendall(http_answer(body, status="418 I am a teapot"))  # type: ignore[attr-defined]

    with ScriptedServer(script) as server:
        yield server


def test_a_proxy_that_repeats_what_it_was_sent(echo: ScriptedServer, full_config: Path) -> None:
    """The password of a proxy that repeats it is redacted in all notations."""
    quoted = quote(PROXY_PASSWORD)
    address = echo.url.replace("//", f"//me:{quoted}@")
    for name, arguments in PLUGINS.items():
        outcome = run_in_process(
            name.split(" ")[0], "-C", str(full_config), "-a", "acme", "--proxy", address, *arguments, "-vvv"
        )
        assert outcome.state != "OK"
        assert quoted not in outcome.output
        assert basic("me", PROXY_PASSWORD) not in outcome.output


@pytest.mark.parametrize("name", ["check_cln_kernelcare", "check_cln_patch_status", "check_cln_exporter"])
def test_an_exporter_that_repeats_what_it_was_sent(name: str) -> None:
    """The password of an exporter and the keys of options are redacted."""
    own = {"check_cln_kernelcare": "--key", "check_cln_patch_status": "-k"}
    arguments = [argument for key in (KEY, MONITORING_KEY) for argument in (own[name], key)] if name in own else []
    sent = basic("icinga", EXPORTER_PASSWORD)
    said = " ".join([EXPORTER_PASSWORD, quote(EXPORTER_PASSWORD), sent, *arguments]).replace('"', "'")

    def script(connection: object) -> None:
        read_head(connection)  # type: ignore[arg-type] # a socket
        connection.sendall(http_answer(f'{{"error": "{said}"}}'.encode(), status="404 Not Found"))  # type: ignore[attr-defined]

    with ScriptedServer(script) as server:
        url = server.url.replace("//", f"//icinga:{quote(EXPORTER_PASSWORD)}@")
        outcome = run_in_process(name, "--exporter", url, *arguments, "-vvv")
    assert outcome.state == "UNKNOWN"
    assert quote(EXPORTER_PASSWORD) not in outcome.output
    assert sent not in outcome.output


def test_argv_is_not_repeated(cln: Cln) -> None:
    """Secrets in arguments are not repeated in errors."""
    for arguments in (
        ("--api-token", API_TOKEN, "--login", LOGIN, "--api-url", cln.url),
        ("--api-token", API_TOKEN, "--login", LOGIN, "--api-url", cln.url, "--secret-key", SECRET_KEY),
        ("-k", KEY, SECRET_KEY),
        ("-k", KEY, f"--register={MONITORING_KEY}"),
        ("-k", KEY, "--proxy", f"htp://me:{PROXY_PASSWORD}@h"),
        ("-k", KEY, "--exporter", f"http://me:{EXPORTER_PASSWORD}@h"),
        ("-k", KEY, "--api-url", f"http://me:{EXPORTER_PASSWORD}@h"),
        ("-k", KEY, "--reseller"),
    ):
        assert run_in_process("check_cln_patch_status", *arguments, "-vvv").state == "UNKNOWN"


@pytest.mark.processes
@pytest.mark.parametrize("fault", ["401", "echo-refusal", "reset", "redirect"])
def test_as_a_process(fault: str, cln: Cln, full_config: Path) -> None:
    """A plugin as a process prints no secrets to stderr either."""
    striking = FAULTS[fault]
    assert striking is not None
    cln.simulator.faults.add(striking)
    source = ("-C", str(full_config), "-a", "acme")
    outcome = run_plugin("check_cln_kernelcare", *source, "-vvv", environment={"PYTHONWARNINGS": "always"})
    assert outcome.state == "UNKNOWN"


def test_secret_files_that_change_while_cln_answers(tmp_path: Path) -> None:
    """Secrets that change during a request are redacted too."""
    files = [tmp_path / name for name in ("key", "token")]
    new = ["n3w-pl4nted-key", "n3w-pl4nted-token"]

    def put(file: Path, text: str) -> None:
        part = file.with_name(f"{file.name}.{threading.get_ident()}")
        part.write_text(text)
        part.replace(file)  # a reader sees the one or the other

    def script(connection: socket.socket) -> None:
        while read_head(connection):
            for file, text in zip(files, new, strict=True):
                put(file, text)
            connection.sendall(http_answer(f'{{"success": false, "message": "{" ".join(new)}"}}'.encode()))

    with ScriptedServer(script) as server:
        config = tmp_path / "files.yml"
        config.write_text(
            f"api_url: {server.url}\nrequests_per_second: 0\naccounts:\n"
            f"  - {{name: acme, login: {LOGIN}, secret_key_file: key, registration_token_file: token}}\n"
        )
        for name in ("check_cln_kernelcare", "check_cln_imunify", "check_cln_ip_licenses", "check_cln_patch_status"):
            for file in files:
                put(file, "0ld-pl4nted-text")
            outcome = run_in_process(name, "-C", str(config), *PLUGINS[name], "-vvv")
            assert not [text for text in new if text in outcome.output], name
            assert "<secret> <secret>" in outcome.output, name
