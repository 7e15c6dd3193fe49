"""The direct source: accounts, credentials, and the errors when they are missing or wrong."""

from __future__ import annotations

import base64
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from cln_monitor.config import selection
from cln_monitor.masking import mask_key
from cln_monitor.simulator import Fault, Fixed, SimulatedKernel
from tests.checks.conftest import Cln
from tests.checks.inside import run_in_process
from tests.checks.running import PROXY_PASSWORD, run_plugin
from tests.helpers.scripted import ScriptedServer, answering, http_answer, read_head
from tests.helpers.small_cln import KEY, LOGIN, REGISTRATION_TOKEN, SECRET_KEY

NOT_SAID = (
    "no account given: use --config, or --login with --secret-key-file, or CLN_LOGIN with CLN_SECRET_KEY, or --exporter"
)


@pytest.fixture(autouse=True)
def _nothing_around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Remove the default configuration and the variables of this machine."""
    monkeypatch.delenv("CLN_LOGIN", raising=False)
    monkeypatch.delenv("CLN_SECRET_KEY", raising=False)
    monkeypatch.setattr(selection, "DEFAULT_CONFIG", tmp_path / "default.yml")


NOWHERE = "http://127.0.0.1:9/api"


def two_accounts(cln: Cln, directory: Path, other: str = NOWHERE) -> Path:
    """Write a configuration with two accounts, the second with ``other`` as its API root."""
    config = directory / "two.yml"
    config.write_text(f"""\
api_url: {cln.url}
proxy: null
accounts:
  - {{name: acme, login: {LOGIN}, secret_key_file: {cln.directory}/acme.secret}}
  - {{name: other, login: {LOGIN}, secret_key_file: {cln.directory}/acme.secret, api_url: "{other}"}}
""")
    return config


@pytest.mark.parametrize("name", ["check_cln_kernelcare", "check_cln_imunify", "check_cln_ip_licenses"])
def test_nobody_is_named(name: str) -> None:
    """A check without an account reports the options that select one."""
    assert run_in_process(name).output == f"UNKNOWN - {NOT_SAID}\n"


def test_the_ways_to_name_an_account(cln: Cln, monkeypatch: pytest.MonkeyPatch) -> None:
    """A configuration, options, variables, and the default configuration give the same result."""
    seen = [run_in_process("check_cln_kernelcare", "-C", str(cln.config)).text]
    seen.append(run_in_process("check_cln_kernelcare", *cln.login).text)
    seen.append(run_in_process("check_cln_kernelcare", "-C", str(cln.config), "-a", "acme").text)
    monkeypatch.setattr(selection, "DEFAULT_CONFIG", cln.config)
    seen.append(run_in_process("check_cln_kernelcare").text)
    monkeypatch.setenv("CLN_LOGIN", LOGIN)
    monkeypatch.setenv("CLN_SECRET_KEY", SECRET_KEY)
    monkeypatch.setattr(selection, "DEFAULT_CONFIG", Path("/nonexistent.yml"))
    seen.append(run_in_process("check_cln_kernelcare", "--api-url", cln.url).text)
    assert seen == [seen[0]] * 5
    assert seen[0].startswith("1 of 3 KernelCare servers never checked in, registered over 1d ago: ")


@pytest.mark.parametrize("name", ["check_cln_kernelcare", "check_cln_imunify", "check_cln_ip_licenses"])
def test_several_accounts_and_none_named(name: str, cln: Cln, tmp_path: Path) -> None:
    """A configuration with several accounts requires --account, and the error lists them."""
    outcome = run_in_process(name, "-C", str(two_accounts(cln, tmp_path, cln.url)))
    assert outcome.state == "UNKNOWN"
    assert outcome.text == "the configuration has several accounts; use --account with one of: acme, other"
    assert cln.simulator.requests == []


NO_ACCOUNT = {
    "check_cln_status": ((), "OK"),
    "check_cln_patch_status": (("-k", KEY), "WARNING"),
    "register_cln_monitoring_key": (("--key", "0123456789abcdef"), "OK"),
}
"""What takes no account: arguments, and the state that comes of them."""


def eportal_alone(cln: Cln, directory: Path) -> Path:
    """Write a configuration with the ePortal of the simulator and without an account."""
    (directory / "dc1.key").write_text(cln.simulator.eportal.api_key)
    config = directory / "alone.yml"
    root = cln.url.removesuffix("/api")
    config.write_text(f"""\
api_url: {cln.url}
patches: {{url: "{root}/patches"}}
eportals: [{{name: dc1, url: "{root}/admin/api", api_key_file: dc1.key}}]
""")
    return config


@pytest.mark.parametrize(
    ("name", "arguments"), [("check_cln_eportal", ()), ("check_cln_cve", ("--cve", "CVE-2026-11111"))]
)
def test_an_eportal_without_accounts(name: str, arguments: tuple[str, ...], cln: Cln, tmp_path: Path) -> None:
    """The checks of an ePortal need no account in the configuration, and no name of the only ePortal."""
    simulator, now = cln.simulator, cln.simulator.now()
    kernel = simulator.patches.add_kernel(SimulatedKernel("almalinux8", "4.18.0-553.el8.x86_64"))
    kernel.add_patch(now - 86400, ("fix-a", "CVE-2026-11111"))
    key = simulator.eportal.add_key("Pl4ntedServerKey1")
    simulator.eportal.add_server(kernel, key, registered=now - 86400, loads=[(now - 3600, 1)], checkins=Fixed(now - 60))
    config = ("-C", str(eportal_alone(cln, tmp_path)))
    outcome = run_in_process(name, *config, *arguments)
    assert (outcome.state, outcome.output) == ("OK", run_in_process(name, *config, "-a", "dc1", *arguments).output)
    assert {request.path.split("/")[1] for request in simulator.requests} == {"admin", "patches"}


@pytest.mark.parametrize(
    "name", ["check_cln_kernelcare", "check_cln_imunify", "check_cln_awp", "check_cln_patch_status"]
)
def test_an_account_beside_eportals_alone(name: str, cln: Cln, tmp_path: Path) -> None:
    """The checks of an account say that there is no account, and whose name is given."""
    config = ("-C", str(eportal_alone(cln, tmp_path)))
    none = "no accounts are configured; add one to accounts"
    outcome = run_in_process(name, *config)
    assert (outcome.state, outcome.text) == ("UNKNOWN", none)
    outcome = run_in_process(name, *config, "-a", "dc1")
    assert (outcome.state, outcome.text) == ("UNKNOWN", f"--account: dc1 is an ePortal, not an account; {none}")
    assert cln.simulator.requests == []


@pytest.mark.parametrize("name", NO_ACCOUNT)
class TestNoAccount:
    """Plugins without credentials need only an API root."""

    def test_of_eportals_alone(self, name: str, cln: Cln, tmp_path: Path) -> None:
        """The API root of a configuration without accounts is used."""
        arguments, state = NO_ACCOUNT[name]
        assert run_in_process(name, "-C", str(eportal_alone(cln, tmp_path)), *arguments).state == state

    def test_of_several_accounts(self, name: str, cln: Cln, tmp_path: Path) -> None:
        """--account is required only if the accounts of a configuration use several API roots."""
        arguments, state = NO_ACCOUNT[name]
        assert run_in_process(name, "-C", str(two_accounts(cln, tmp_path, cln.url)), *arguments).state == state
        config = ("-C", str(two_accounts(cln, tmp_path)))
        assert run_in_process(name, *config, "-a", "acme", *arguments).state == state
        assert run_in_process(name, *config, "--api-url", cln.url, *arguments).state == state
        cln.simulator.clear_requests()
        outcome = run_in_process(name, *config, *arguments)
        assert (outcome.state, outcome.text) == (
            "UNKNOWN",
            "the accounts of the configuration use several APIs; use --account with one of: acme, other",
        )
        assert cln.simulator.requests == []

    def test_secrets_that_cannot_be_read(self, name: str, cln: Cln, tmp_path: Path) -> None:
        """A plugin without credentials works if secrets cannot be read."""
        config = tmp_path / "barred.yml"
        config.write_text(f"{{api_url: '{cln.url}', accounts: [{{name: a, login: {LOGIN}, secret_key_file: none}}]}}")
        arguments, state = NO_ACCOUNT[name]
        assert run_in_process(name, "-C", str(config), *arguments).state == state
        assert run_in_process("check_cln_kernelcare", "-C", str(config)).state == "UNKNOWN"

    def test_a_default_configuration_that_may_not_be_read(
        self, name: str, cln: Cln, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An unreadable default configuration is ignored, but an explicit one is an error."""

        def refuse(*_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(selection, "DEFAULT_CONFIG", cln.config)
        monkeypatch.setattr(os, "access", lambda *_, **__: False)
        monkeypatch.setattr(Path, "read_text", refuse)
        arguments, state = NO_ACCOUNT[name]
        assert run_in_process(name, "--api-url", cln.url, *arguments).state == state
        for named in (("-C", str(cln.config)), ("-a", "acme")):
            outcome = run_in_process(name, *named, *arguments)
            assert outcome.state == "UNKNOWN"
            assert outcome.text.startswith(f"{cln.config}: cannot be read: Permission denied")

    def test_an_account_of_no_configuration(self, name: str) -> None:
        """--account without a configuration reports the options to use with it."""
        outcome = run_in_process(name, "-a", "acme", *NO_ACCOUNT[name][0])
        assert outcome.text.endswith(": use --config" + ("" if name.startswith("register") else ", or --exporter"))


def test_a_variable_beside_an_account(cln: Cln, monkeypatch: pytest.MonkeyPatch) -> None:
    """CLN_LOGIN is ignored if an account or a configuration is given."""
    monkeypatch.setattr(selection, "DEFAULT_CONFIG", cln.config)
    monkeypatch.setenv("CLN_LOGIN", "nobody")
    monkeypatch.setenv("CLN_SECRET_KEY", "none")
    assert run_in_process("check_cln_kernelcare", "-a", "acme").state == "WARNING"
    assert run_in_process("check_cln_kernelcare", "-C", str(cln.config)).state == "WARNING"
    assert "CLN refused the token" in run_in_process("check_cln_kernelcare", "--api-url", cln.url).text


def test_one_of_several_accounts(cln: Cln, tmp_path: Path) -> None:
    """Each account uses its own API root, unless --api-url overrides all of them."""
    config = str(two_accounts(cln, tmp_path))
    assert run_in_process("check_cln_kernelcare", "-C", config, "-a", "acme").state == "WARNING"
    assert run_in_process("check_cln_kernelcare", "-C", config, "-a", "other", "--api-url", cln.url).state == "WARNING"
    outcome = run_in_process("check_cln_kernelcare", "-C", config, "-a", "other")
    assert outcome.text == "reading /kcare/key/list.json at 127.0.0.1:9: connection refused"


def test_keys_in_full(cln: Cln, tmp_path: Path) -> None:
    """With key_labels: full, keys are masked in the output and can be selected in full or masked."""
    config = tmp_path / "full.yml"
    text = cln.config.read_text().replace("acme.secret", f"{cln.directory}/acme.secret")
    config.write_text(f"key_labels: full\n{text}")
    for given in ((), ("--key", KEY), ("--key", mask_key(KEY))):
        outcome = run_in_process("check_cln_kernelcare", "-C", str(config), *given)
        assert outcome.lines[-1].endswith(f"({mask_key(KEY)}) at 75% (3/4)")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("--config", "--login"),
        ("--config", "--secret-key-file"),
        ("--config", "--api-token"),
        ("--exporter", "--config"),
        ("--exporter", "--login"),
        ("--exporter", "--api-token"),
        ("--login", "--account"),
    ],
)
def test_two_ways_to_say_whom_to_ask(one: str, other: str) -> None:
    """Two options that select different accounts are an error."""
    outcome = run_in_process("check_cln_patch_status", "--reseller", one, "http://127.0.0.1:9", other, "nothing")
    assert (outcome.state, outcome.text) == (
        "UNKNOWN",
        f"{one} cannot be combined with {other}: use one of them",
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("accounts: [", "line 1, column 12: expected the node content, but found '<stream end>'"),
        ("acounts: []", "acounts: unknown key; did you mean accounts?; "),
        (
            f"accounts: [{{name: a, login: {LOGIN}, secret_key_file: nowhere}}]",
            "accounts[0].secret_key_file: cannot read ",
        ),
        (f"accounts: [{{name: a, login: {LOGIN}, secret_key: ''}}]", "accounts[0].secret_key: is empty"),
        (f"accounts: [{{name: a, login: {LOGIN}, secret_key: [{SECRET_KEY}]}}]", "expected a string, got a list"),
        (
            f"accounts: [{{name: a, login: {LOGIN}, secret_key_env: CLN_NONE}}]",
            "accounts[0].secret_key_env: CLN_NONE",
        ),
    ],
)
def test_a_bad_configuration(text: str, complaint: str, tmp_path: Path) -> None:
    """An invalid configuration is reported on one line with its file and the place."""
    config = tmp_path / "bad.yml"
    config.write_text(text)
    outcome = run_in_process("check_cln_kernelcare", "-C", str(config))
    assert outcome.state == "UNKNOWN"
    assert outcome.text.startswith(f"{config}: ")
    assert complaint in outcome.text
    assert outcome.lines == []


def test_a_configuration_that_cannot_be_read(tmp_path: Path) -> None:
    """A configuration that is missing or a directory is reported."""
    missing = tmp_path / "missing.yml"
    outcome = run_in_process("check_cln_kernelcare", "-C", str(missing))
    assert outcome.text.startswith(f"{missing}: cannot be read: No such file or directory")
    assert "cannot be read: Is a directory" in run_in_process("check_cln_kernelcare", "-C", str(tmp_path)).text


def test_what_needs_no_credentials_asks_for_none(cln: Cln, monkeypatch: pytest.MonkeyPatch) -> None:
    """The status of CLN and of a given key need no token, even if only a login is set."""
    for _ in range(2):
        assert run_in_process("check_cln_status", "--api-url", cln.url).state == "OK"
        outcome = run_in_process("check_cln_patch_status", "-k", KEY, "--api-url", cln.url)
        assert (outcome.state, outcome.perfdata["inactive"].value) == ("WARNING", 2)
        monkeypatch.setenv("CLN_LOGIN", LOGIN)
    assert not any("token" in request.query for request in cln.simulator.requests)


def test_the_vendors_options_need_no_secret_key(cln: Cln) -> None:
    """-l LOGIN --api-token TOKEN works without a secret key, as with the vendor's plugin."""
    vendor = ("-l", LOGIN, "--api-token", REGISTRATION_TOKEN)
    outcome = run_in_process("check_cln_patch_status", *vendor, "--api-url", cln.url)
    assert (outcome.state, outcome.perfdata["inactive"].value) == ("WARNING", 2)
    assert [request.path for request in cln.simulator.requests] == [f"/kcare/nagios-res/{LOGIN}/{REGISTRATION_TOKEN}"]
    outcome = run_in_process("check_cln_patch_status", "-l", LOGIN, "--api-token", "another", "--api-url", cln.url)
    assert outcome.state == "UNKNOWN"
    assert "Registration token not found for reseller <login>" in outcome.text


def test_a_wrong_secret_key(cln: Cln, tmp_path: Path) -> None:
    """A wrong secret key is reported with the error of CLN."""
    wrong = tmp_path / "wrong"
    wrong.write_text("pl4nted-secret-kez")
    outcome = run_in_process(
        "check_cln_kernelcare", "--login", LOGIN, "--secret-key-file", str(wrong), "--api-url", cln.url
    )
    assert outcome.state == "UNKNOWN"
    assert "reading /kcare/key/list.json at 127.0.0.1" in outcome.text
    assert "CLN refused the token: Authorization failed" in outcome.text


@pytest.fixture
def proxy() -> Iterator[tuple[ScriptedServer, list[bytes]]]:
    """A proxy that requires authentication, and the requests that it received."""
    heads: list[bytes] = []

    def script(connection: object) -> None:
        heads.append(read_head(connection))  # type: ignore[arg-type] # a socket
        connection.sendall(http_answer(b"who are you|?", status="407 Proxy Authentication Required"))  # type: ignore[attr-defined]

    with ScriptedServer(script) as server:
        yield server, heads


@pytest.mark.parametrize("with_config", [False, True])
def test_a_proxy(with_config: bool, cln: Cln, proxy: tuple[ScriptedServer, list[bytes]]) -> None:
    """--proxy is used with and without a configuration, and its password is not shown."""
    server, heads = proxy
    quoted = PROXY_PASSWORD.replace("|", "%7C").replace(" ", "%20")
    address = server.url.removesuffix("/api").replace("//", f"//me:{quoted}@")
    login = ("-C", str(cln.config)) if with_config else cln.login
    outcome = run_in_process("check_cln_kernelcare", *login, "--proxy", address, "-vvv")
    assert outcome.state == "UNKNOWN"
    assert "HTTP 407" in outcome.text
    assert heads[0].startswith(b"GET http://127.0.0.1")
    assert b"Proxy-Authorization: Basic " in heads[0]
    assert quoted not in outcome.output
    assert cln.simulator.requests == []


def test_another_place_is_not_followed_with_a_token(cln: Cln) -> None:
    """A redirect is not followed, as it would disclose a token that can change the account."""
    with ScriptedServer(answering(http_answer(b"{}"))) as elsewhere:
        cln.simulator.faults.add(Fault("redirect", location=f"{elsewhere.url}/kcare/key/list.json"))
        outcome = run_in_process("check_cln_kernelcare", *cln.login)
        assert elsewhere.connections == 0
    assert outcome.state == "UNKNOWN"
    assert "not followed" in outcome.text


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Fault("status", status=401), "CLN refused the token: Authorization failed"),
        (Fault("status", status=403), "CLN refused the token: Access denied"),
        (
            Fault("status", status=404, html=True),
            "unexpected response from CLN: an HTML page (HTTP 404); check api_url",
        ),
        (Fault("status", status=429, retry_after=3600), "rate limited by CLN: HTTP 429, retry after 3600 s"),
        (Fault("status", status=500, html=True, times=3), "unexpected response from CLN: an HTML page (HTTP 500)"),
        (Fault("cut"), "unexpected response from CLN: truncated or malformed JSON"),
        (
            Fault("cut_body", times=3),
            "incomplete response from CLN: the connection was closed before the end of the body",
        ),
        (Fault("html"), "unexpected response from CLN: an HTML page (HTTP 200)"),
        (Fault("empty"), "unexpected response from CLN: an empty body (HTTP 200)"),
        (
            Fault("garbage"),
            "unexpected response from CLN: not valid HTTP (no HTTP status line); check api_url",
        ),
        (Fault("huge", size=70 << 20), "unexpected response from CLN: larger than 64 MB"),
        (Fault("answer", body="[" * 100000), "JSON that does not match the API document"),
    ],
    ids=lambda value: f"{value.kind}-{value.fields.get('status', '')}" if isinstance(value, Fault) else "",
)
def test_what_cln_may_do(fault: Fault, told: str, cln: Cln, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each failure of CLN is UNKNOWN with the request and the problem, and without metrics."""
    monkeypatch.setattr("cln_monitor.cln.http.retry._FIRST_BACK_OFF", 0.01)
    cln.simulator.faults.add(fault)
    outcome = run_in_process("check_cln_kernelcare", *cln.login)
    assert outcome.state == "UNKNOWN"
    assert outcome.text.startswith("reading /kcare/key/list.json at 127.0.0.1:")
    assert told in outcome.text
    assert outcome.perfdata == {}


@pytest.mark.usefixtures("call_clock")
def test_no_answer_has_a_state_of_its_own(cln: Cln, monkeypatch: pytest.MonkeyPatch) -> None:
    """--unreachable-state applies if CLN does not respond, but not to an invalid response."""
    monkeypatch.setattr("cln_monitor.cln.http.retry._FIRST_BACK_OFF", 0.01)
    state = ("--unreachable-state", "warning")
    for fault in (Fault("reset"), Fault("hang")):
        cln.simulator.faults.clear()
        cln.simulator.faults.add(fault)
        outcome = run_in_process(
            "check_cln_kernelcare", *cln.login, *state, "-t", "30" if fault.kind == "reset" else "1"
        )
        assert outcome.state == "WARNING"
        assert outcome.text.startswith("reading /kcare/key/list.json at 127.0.0.1:")
    cln.simulator.faults.clear()
    cln.simulator.faults.add(Fault("html"))
    assert run_in_process("check_cln_kernelcare", *cln.login, *state).state == "UNKNOWN"


def test_a_key_that_fails_hides_no_other(cln: Cln) -> None:
    """A known problem takes precedence over a part that could not be read; both are reported."""
    cln.simulator.faults.add(Fault("html", "/kcare/key/servers.json", match="Zq7T0p1xVb93LmKe"))
    outcome = run_in_process("check_cln_kernelcare", *cln.login, "-w", "1d", "-c", "3d")
    assert outcome.state == "CRITICAL"
    assert outcome.text.startswith("1 of 3 KernelCare servers not checked in for over 3d: ")
    assert "; reading /kcare/key/servers.json at 127.0.0.1" in outcome.text
    assert outcome.perfdata == {}
    calm = run_in_process("check_cln_kernelcare", *cln.login, "-c", "9999999d", "-w", "9999999d")
    assert (calm.state, calm.text.startswith("reading ")) == ("UNKNOWN", True)


@pytest.mark.processes
def test_strange_bytes_in_arguments(cln: Cln) -> None:
    """Arguments may have bytes that are not text."""
    for arguments in (("--login", "\udcff|\n", "--api-url", cln.url), ("-C", "\udcff|.yml"), ("-a", "\udcff")):
        outcome = run_plugin("check_cln_kernelcare", *arguments)
        assert outcome.state == "UNKNOWN"
        assert "internal error" not in outcome.text


def test_a_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the environment is ignored, and the error names the option to use instead."""
    monkeypatch.setenv("ALL_PROXY", "http://me:pl4nted@proxy.example:3128")
    outcome = run_in_process("check_cln_status", "--api-url", NOWHERE, "-t", "5")
    assert outcome.state == "UNKNOWN"
    assert outcome.text.endswith(
        "connection refused; ALL_PROXY is set but ignored: set proxy in the configuration, or use --proxy"
    )


@pytest.mark.processes
@pytest.mark.parametrize(
    ("login", "sent"),
    [
        ("user:%C3%A9t%C3%A9-2", b"user:\xc3\xa9t\xc3\xa9-2"),
        ("user:%E2%82%ACuro", b"user:\xe2\x82\xacuro"),
    ],
)
def test_a_proxy_password_beyond_ascii(login: str, sent: bytes, cln: Cln) -> None:
    """A proxy password is sent as the bytes in its URL in any locale, and is not shown."""
    heads: list[bytes] = []

    def script(connection: socket.socket) -> None:
        while head := read_head(connection):
            heads.append(head)
            said = f"{head.decode('latin-1')} {unquote(login)} {unquote(login, 'latin-1')}".replace("\r\n", " ")
            connection.sendall(http_answer(json.dumps({"success": False, "message": said}).encode()))

    with ScriptedServer(script) as proxy:
        address = proxy.url.replace("//", f"//{login}@")
        arguments = (*cln.login, "--proxy", address, "-vvv")
        outcomes = [
            run_plugin("check_cln_kernelcare", *arguments, environment={"LC_ALL": locale})
            for locale in ("C", "C.UTF-8")
        ]
    encoded = base64.b64encode(sent)
    assert [b"Proxy-Authorization: Basic " + encoded in head for head in heads] == [True] * len(heads)
    for outcome in outcomes:
        assert outcome.state == "UNKNOWN"
        assert "CLN refused" in outcome.text
        for secret in (encoded.decode(), unquote(login)[5:], unquote(login, "latin-1")[5:], login[5:]):
            assert secret not in outcome.output
