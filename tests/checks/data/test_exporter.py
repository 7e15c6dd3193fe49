"""The exporter as data source: invalid servers and responses, each of which is reported."""

from __future__ import annotations

import base64
import gzip
import json
import re
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cln_monitor import __version__
from cln_monitor.checks.data import exporter
from cln_monitor.masking import mask_key
from tests.checks.inside import run_in_process
from tests.checks.running import EXPORTER_PASSWORD, Outcome, run_held_up
from tests.helpers.certificates import Authority
from tests.helpers.clock import FakeClock
from tests.helpers.running import free_port
from tests.helpers.scripted import ScriptedServer, answering, http_answer, read_head
from tests.helpers.small_cln import KEY

NAMES = ("check_cln_kernelcare", "check_cln_exporter")
HOST = "http://127.0.0.1"
PACKED = gzip.compress(b'{"format": 1, "probes": []}')


def index(*accounts: str, roots: int = 1) -> bytes:
    """Return the list of probes of an exporter with ``accounts`` at this number of API ``roots``."""
    probes = [{"account": "", "probe": "status"}] * roots
    probes += [{"account": account, "probe": "kernelcare"} for account in accounts]
    return json.dumps({"format": 1, "probes": probes}).encode()


def asked(answer: bytes, *arguments: str, name: str = "check_cln_kernelcare") -> Outcome:
    """Return the outcome of a check that gets ``answer`` to all requests."""
    with ScriptedServer(answering(answer)) as server:
        return run_in_process(name, "--exporter", server.url, *arguments)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            http_answer(b"<html>a|b\n</html>"),
            "not of cln-exporter (HTTP 200): check the URL of --exporter",
        ),
        (http_answer(b""), "not of cln-exporter (HTTP 200)"),
        (http_answer(b"[1]"), "not of cln-exporter (HTTP 200)"),
        (http_answer(b"null"), "not of cln-exporter (HTTP 200)"),
        (http_answer(b'{"a": 1'), "not of cln-exporter (HTTP 200)"),
        (http_answer(b"\xff\xfe{}"), "not of cln-exporter (HTTP 200)"),
        (http_answer(b"[" * 200_000), "not of cln-exporter (HTTP 200)"),
        (http_answer(b"x", status="502 Bad Gateway"), "not of cln-exporter (HTTP 502)"),
        (http_answer(b'{"error": null}', status="502 Bad Gateway"), "not of cln-exporter (HTTP 502)"),
        (http_answer(b'{"error": {"code": 5}}', status="503 Service Unavailable"), "not of cln-exporter (HTTP 503)"),
        (
            http_answer(b"", "Location: http://192.0.2.1/", status="302 Found"),
            "not of cln-exporter (HTTP 302)",
        ),
        (
            http_answer(b'{"error": "no such account and probe; there are: a|b\\n"}', status="404 Not Found"),
            ": no such account and probe; there are: a¦b",
        ),
        (
            http_answer(b'{"format": 99}'),
            "is newer than this plugin: its report format 99 is not supported; upgrade the plugins",
        ),
        (
            http_answer(b'{"format": 2, "exporter_version": "7.0.0"}'),
            f"is newer than this plugin (version 7.0.0, this is {__version__}): its report format 2 is not supported; ",
        ),
        (
            http_answer(b'{"format": 0}'),
            "is older than this plugin: its report format 0 is not supported; upgrade the exporter",
        ),
        (
            http_answer(b'{"format": "1"}'),
            "has another version: its report format 1 is not supported; install the same version on both sides",
        ),
        (
            http_answer(b'{"format": true}'),
            "has another version: its report format True is not supported; install the same version on both sides",
        ),
        (http_answer(b'{"format": 1}'), "has another version: it does not report "),
        (
            http_answer(b"<html>", status="401 Unauthorized"),
            "rejected the user or password (HTTP 401): use --exporter http://user:password@host",
        ),
        (http_answer(b'{"error": "no"}', status="403 Forbidden"), "rejected the user or password (HTTP 403)"),
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_exporter_of_ours(name: str, answer: bytes, told: str) -> None:
    """An invalid response is UNKNOWN regardless of --unreachable-state."""
    outcome = asked(answer, "--unreachable-state", "ok", "-a", "acme", name=name)
    assert outcome.state == "UNKNOWN"
    assert HOST in outcome.text
    assert told in outcome.text
    assert outcome.lines == []


def _cut(connection: socket.socket) -> None:
    read_head(connection)
    connection.sendall(http_answer(index("acme"))[:-5])


def _sends(answer: bytes) -> Callable[[socket.socket], None]:
    """Return a script that sends a response and keeps the connection open."""

    def script(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(answer)
        connection.recv(1)

    return script


def _reset(connection: socket.socket) -> None:
    read_head(connection)


def _no_http(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")
    read_head(connection)


def _hang(connection: socket.socket) -> None:
    while read_head(connection):
        pass


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (
            _sends(http_answer(PACKED[:-8], "Content-Encoding: gzip")),
            "incomplete response: the gzip stream ends early",
        ),
        (
            _sends(http_answer(b"{}", "Content-Encoding: gzip")),
            "failed: invalid gzip data",
        ),
        (
            _sends(http_answer(b"{}", "Content-Encoding: br")),
            "failed: unsupported Content-Encoding",
        ),
        (
            _sends(b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello"),
            "failed: invalid HTTP response: more than one Content-Length",
        ),
        (
            _sends(b"HTTP/1.1 200 OK\r\nContent-Type text/html\r\nContent-Length: 2\r\n\r\n{}"),
            "failed: invalid HTTP response: malformed header",
        ),
        (
            _sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n"),
            "failed: invalid HTTP response: malformed chunk size",
        ),
        (_cut, "failed: incomplete response"),
        (_reset, "failed: RemoteDisconnected"),
        (_no_http, "failed: invalid HTTP response: no HTTP status line"),
        (_hang, "did not respond within 0.5 s"),
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_no_answer(
    name: str, script: Callable[[socket.socket], None], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--unreachable-state applies without a response; its default is CRITICAL for check_cln_exporter."""
    monkeypatch.setattr("cln_monitor.checks.plugin_exit.time", FakeClock())  # only to wait in vain takes time
    with ScriptedServer(script) as server:
        arguments = ("--exporter", server.url, "-t", "0.5" if script is _hang else "30")
        outcome = run_in_process(name, *arguments)
        other = run_in_process(name, *arguments, "--unreachable-state", "warning")
    assert outcome.state == ("CRITICAL" if name == "check_cln_exporter" else "UNKNOWN")
    assert f"the exporter at {HOST}" in outcome.text
    assert told in outcome.text
    assert (other.state, other.text) == ("WARNING", outcome.text)


def test_nobody_there() -> None:
    """A closed port is reported with the error of the system."""
    outcome = run_in_process("check_cln_status", "--exporter", f"{HOST}:{free_port()}")
    assert outcome.text.endswith("failed: Connection refused")


def test_a_certificate_that_nobody_trusts_and_none(tmp_path: Path) -> None:
    """A failed TLS handshake is reported with its reason."""
    with ScriptedServer(answering(http_answer(b"{}")), tls=Authority(tmp_path).server_context("exporter")) as server:
        outcome = run_in_process("check_cln_status", "--exporter", server.url)
    assert outcome.state == "UNKNOWN"
    assert "failed: TLS certificate verification failed: unable to get local issuer certificate" in outcome.text
    with ScriptedServer(_no_http) as server:
        outcome = run_in_process("check_cln_status", "--exporter", server.url.replace("http", "https"))
    assert "failed: [SSL: WRONG_VERSION_NUMBER] wrong version number" in outcome.text


@pytest.mark.processes
def test_a_hang_leaves_time_to_tell_of_it() -> None:
    """A check of a server that hangs ends before its timeout."""
    with ScriptedServer(_hang) as server:
        arguments = ("--exporter", server.url, "-t", "60")
        outcome = run_held_up("check_cln_exporter", *arguments, stage="querying the exporter", left=1)
    assert outcome.state == "CRITICAL"
    assert "did not respond within 60 s" in outcome.text
    assert outcome.seconds < 50


@pytest.mark.processes
def test_an_answer_that_drips() -> None:
    """A slow response is ended by the timeout, with the URL of the exporter."""

    def drip(connection: socket.socket) -> None:
        read_head(connection)
        for byte in http_answer(index("acme")):
            connection.sendall(bytes([byte]))
            time.sleep(0.1)

    with ScriptedServer(drip) as server:
        arguments = ("--exporter", server.url, "-t", "1")
        outcome = run_held_up("check_cln_status", *arguments, stage="querying the exporter")
    assert outcome.state == "UNKNOWN"
    assert outcome.text.startswith(f"timed out after 1 s (-t/--timeout) while querying the exporter at {HOST}:")
    assert outcome.seconds < 50


def test_an_answer_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A response over the maximum size is not read to the end."""
    monkeypatch.setattr(exporter, "_LARGEST", 1 << 20)
    outcome = asked(http_answer(b" " * ((1 << 20) + 1)), "-a", "acme")
    assert outcome.state == "UNKNOWN"
    assert outcome.text.endswith("is larger than 1 MB: check the URL of --exporter")
    assert "not of cln-exporter" in asked(http_answer(b" " * (1 << 20)), "-a", "acme").text


def paths_of(name: str, answer: bytes, *arguments: str) -> list[bytes]:
    """Return the paths that a plugin requests from an exporter below a path, without their parameters."""
    heads: list[bytes] = []

    def script(connection: socket.socket) -> None:
        while head := read_head(connection):
            heads.append(head)
            connection.sendall(answer)

    with ScriptedServer(script) as server:
        run_in_process(name, "--exporter", f"{server.url}/below/", *arguments)
    targets = [head.split(b" ")[1].removeprefix(b"/below/api/v1/observations") for head in heads]
    return [target.partition(b"?")[0] for target in targets]


def test_the_only_account_is_found() -> None:
    """A single account is used by default; several accounts require --account."""
    answer = http_answer(index("a b/c"))
    assert paths_of("check_cln_kernelcare", answer) == [b"", b"/a%20b%2Fc/kernelcare"]
    assert paths_of("check_cln_kernelcare", answer, "-a", "other") == [b"/other/kernelcare"]
    text = asked(http_answer(index("acme", "beta"))).text
    assert text == "the exporter has several accounts; use --account with one of: acme, beta"
    assert asked(http_answer(index())).text == "the exporter has no account"


def test_an_eportal_is_not_an_account() -> None:
    """With one account of CLN and ePortals, checks of the account need no --account."""
    document = json.loads(index("acme"))
    document["probes"].append({**document["probes"][-1], "account": "dc1", "probe": "eportal"})
    answer = http_answer(json.dumps(document).encode())
    assert paths_of("check_cln_kernelcare", answer) == [b"", b"/acme/kernelcare"]


def test_the_only_eportal_is_found() -> None:
    """With one ePortal its checks need no --account, however many accounts there are."""
    document = json.loads(index("acme", "beta"))
    without = asked(http_answer(json.dumps(document).encode()), name="check_cln_cve")
    assert without.text == "the exporter has no ePortal"
    row = {**document["probes"][-1], "probe": "eportal"}
    document["probes"].append({**row, "account": "dc1"})
    assert paths_of("check_cln_eportal", http_answer(json.dumps(document).encode())) == [b"", b"/dc1/eportal"]
    document["probes"].append({**row, "account": "dc2"})
    several = asked(http_answer(json.dumps(document).encode()), name="check_cln_cve")
    assert several.text == "the exporter has several ePortals; use --account with one of: dc1, dc2"


def test_the_only_status_is_found() -> None:
    """A single API root is used by default; several roots require --account."""
    assert paths_of("check_cln_status", http_answer(index("acme", "beta"))) == [b"", b"/status"]
    assert paths_of("check_cln_status", http_answer(index())) == [b"", b"/status"]
    assert paths_of("check_cln_status", http_answer(index("acme", "beta")), "-a", "beta") == [b"/beta/status"]
    text = asked(http_answer(index("acme", "beta", roots=2)), name="check_cln_status").text
    assert text == "the exporter has several accounts; use --account with one of: acme, beta"


def test_the_example_of_the_page() -> None:
    """docs/upgrade.md shows the line for an exporter that is too new."""
    outcome = asked(http_answer(b'{"format": 2, "exporter_version": "0.3.0"}'), "-a", "acme")
    page = (Path(__file__).parents[3] / "docs" / "upgrade.md").read_text("utf-8")
    line = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:10099", outcome.output).replace(__version__, "0.1.0")
    assert f"```text\n{line}```" in page


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("0.0.9", f"is older than this plugin (version 0.0.9, this is {__version__}): {{}}; upgrade the exporter"),
        ("99.10", f"is newer than this plugin (version 99.10, this is {__version__}): {{}}; upgrade the plugins"),
        ("1.0-rc2", f"is newer than this plugin (version 1.0-rc2, this is {__version__}): {{}}; upgrade the plugins"),
        ("", "has another version: {}; install the same version on both sides"),
        ("next", f"has another version (version next, this is {__version__}): {{}}; install the same version on both"),
        (__version__, f"has another version (version {__version__}, this is {__version__}): {{}}; install the same"),
    ],
)
def test_a_view_without_an_observation(version: str, told: str) -> None:
    """A response without the expected field is UNKNOWN and says which side to upgrade."""
    answers: list[tuple[str, dict[str, object], str]] = [
        ("check_cln_kernelcare", {"probes": []}, "observation"),
        ("check_cln_exporter", {"observation": None}, "probes"),
        ("check_cln_kernelcare", {"observation": {}}, "parts"),
    ]
    for name, answer, field in answers:
        body = json.dumps({"format": 1, **answer, **({"exporter_version": version} if version else {})}).encode()
        outcome = asked(http_answer(body), "-a", "acme", name=name)
        assert outcome.state == "UNKNOWN"
        assert told.format(f"it does not report '{field}'") in outcome.text
        assert outcome.lines == []


def test_a_password_is_sent_and_not_shown() -> None:
    """The password is sent and never shown, neither in plain nor percent-encoded."""
    quoted = EXPORTER_PASSWORD.replace("|", "%7C").replace(" ", "%20")
    heads: list[bytes] = []
    echo = json.dumps({"error": f"you said {EXPORTER_PASSWORD} and {quoted} and {EXPORTER_PASSWORD[:-1]}"}).encode()

    def script(connection: socket.socket) -> None:
        heads.append(read_head(connection))
        connection.sendall(http_answer(echo, status="404 Not Found"))

    with ScriptedServer(script) as server:
        url = server.url.replace("//", f"//icinga:{quoted}@")
        outcome = run_in_process("check_cln_status", "--exporter", url, "-vvv")
    sent = base64.b64encode(f"icinga:{EXPORTER_PASSWORD}".encode())
    assert b"Authorization: Basic " + sent in heads[0]
    assert outcome.text.endswith(": you said <secret> and <secret> and exp0rter¦pl4nted pas")
    assert quoted not in outcome.output
    assert outcome.text.startswith(f"the exporter at {HOST}")


def test_an_account_of_strange_bytes() -> None:
    """--account may have bytes that are not text."""
    outcome = asked(http_answer(b'{"error": "no such account"}', status="404 Not Found"), "-a", "\udcff/../|")
    assert outcome.text.endswith("no such account")


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the environment does not receive the request or its password."""
    monkeypatch.setenv("http_proxy", f"{HOST}:9")
    monkeypatch.setenv("HTTP_PROXY", f"{HOST}:9")
    assert "is newer than this plugin" in asked(http_answer(b'{"format": 99}')).text


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n" + http_answer(index("acme")),
        b"HTTP/1.1 102 Processing\r\n\r\n" * 3 + http_answer(index("acme")),
        http_answer(gzip.compress(index("acme")), "Content-Encoding: gzip"),
        http_answer(gzip.compress(index("acme")[:9]) + gzip.compress(index("acme")[9:]), "Content-Encoding: gzip"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n%x\r\n%b\r\n0\r\n\r\n"
        % (len(index("acme")) - 1, index("acme")[1:]),
    ],
    ids=["103 before it", "102 before it", "gzip", "gzip of two members", "chunks"],
)
def test_answer_of_a_reverse_proxy(answer: bytes) -> None:
    """Interim responses and compression by a reverse proxy are accepted."""
    outcome = asked(answer, "-a", "nobody", name="check_cln_exporter")
    assert outcome.text == "the exporter has no probe of account nobody"


def test_part_of_an_answer() -> None:
    """A response with HTTP 206 is rejected."""
    outcome = asked(http_answer(index("acme"), status="206 Partial Content"))
    assert outcome.state == "UNKNOWN"
    assert "not of cln-exporter (HTTP 206)" in outcome.text


def test_keys_are_masked_in_the_url() -> None:
    """A check that selects a key, an address or a server requests only those, and its URL has the mask of the key."""
    heads: list[bytes] = []

    def script(connection: socket.socket) -> None:
        heads.append(read_head(connection))
        connection.sendall(http_answer(b"{}"))

    for name, key_option in (
        ("check_cln_kernelcare", "--key"),
        ("check_cln_imunify", "--key"),
        ("check_cln_cloudlinux", "--key"),
        ("check_cln_els", "--key"),
        ("check_cln_patch_status", "-k"),
    ):
        with ScriptedServer(script) as server:
            run_in_process(name, "--exporter", server.url, "-a", "acme", key_option, KEY)
        assert KEY.encode() not in heads[-1]
        assert f"?key={mask_key(KEY)} HTTP".encode() in heads[-1]
    with ScriptedServer(script) as server:
        run_in_process(
            "check_cln_kernelcare", "--exporter", server.url, "-a", "acme", "--ip", "2001:DB8::1", "--server-id", "a&b"
        )
    assert b"?ip=2001%3Adb8%3A%3A1&server_id=a%26b HTTP" in heads[-1]
