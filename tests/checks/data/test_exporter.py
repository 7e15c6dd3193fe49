"""Asking an exporter: what it may be in place of one, and that each of it ends in words."""

from __future__ import annotations

import base64
import gzip
import json
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cln_monitor.checks.data import exporter
from tests.checks.inside import run_inside
from tests.checks.running import EXPORTER_PASSWORD, Outcome, run_held_up
from tests.helpers.certificates import Authority
from tests.helpers.clock import FakeClock
from tests.helpers.running import free_port
from tests.helpers.scripted import ScriptedServer, answering, http_answer, read_head

NAMES = ("check_cln_kernelcare", "check_cln_exporter")
HOST = "http://127.0.0.1"
PACKED = gzip.compress(b'{"format": 1, "probes": []}')


def index(*accounts: str, roots: int = 1) -> bytes:
    """Return the list of probes of an exporter that watches ``accounts`` at as many ``roots``."""
    probes = [{"account": "", "probe": "status"}] * roots
    probes += [{"account": account, "probe": "kernelcare"} for account in accounts]
    return json.dumps({"format": 1, "probes": probes}).encode()


def asked(answer: bytes, *arguments: str, name: str = "check_cln_kernelcare") -> Outcome:
    """Return how a check ends that gets ``answer`` to all it asks."""
    with ScriptedServer(answering(answer)) as server:
        return run_inside(name, "--exporter", server.url, *arguments)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            http_answer(b"<html>a|b\n</html>"),
            "answers HTTP 200 with something that is not of cln-exporter; is --exporter its address?",
        ),
        (http_answer(b""), "answers HTTP 200 with something that is not of cln-exporter"),
        (http_answer(b"[1]"), "answers HTTP 200 with something that is not of cln-exporter"),
        (http_answer(b"null"), "answers HTTP 200 with something that is not of cln-exporter"),
        (http_answer(b'{"a": 1'), "answers HTTP 200 with something that is not of cln-exporter"),
        (http_answer(b"\xff\xfe{}"), "answers HTTP 200 with something that is not of cln-exporter"),
        (http_answer(b"[" * 200_000), "answers HTTP 200 with something that is not of cln-exporter"),
        (http_answer(b"x", status="502 Bad Gateway"), "answers HTTP 502 with something that is not of cln-exporter"),
        (
            http_answer(b"", "Location: http://192.0.2.1/", status="302 Found"),
            "answers HTTP 302 with something that is not of cln-exporter",
        ),
        (
            http_answer(b'{"error": "no such account and probe; there are: a|b\\n"}', status="404 Not Found"),
            ": no such account and probe; there are: a¦b",
        ),
        (http_answer(b'{"format": 99}'), "is of another version, install the same on both sides"),
        (http_answer(b'{"format": "1"}'), "is of another version, install the same on both sides"),
        (http_answer(b'{"format": 1}'), "is of another version, install the same on both sides"),
        (
            http_answer(b"<html>", status="401 Unauthorized"),
            "wants another user and password: http://user:password@host",
        ),
        (http_answer(b'{"error": "no"}', status="403 Forbidden"), "wants another user and password"),
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_exporter_of_ours(name: str, answer: bytes, told: str) -> None:
    """Is UNKNOWN, whatever else --unreachable-state is: somebody does answer."""
    outcome = asked(answer, "--unreachable-state", "ok", "-a", "acme", name=name)
    assert outcome.state == "UNKNOWN"
    assert HOST in outcome.text
    assert told in outcome.text
    assert outcome.lines == []


def _cut(connection: socket.socket) -> None:
    read_head(connection)
    connection.sendall(http_answer(index("acme"))[:-5])


def _sends(answer: bytes) -> Callable[[socket.socket], None]:
    """Return the script that answers and keeps the connection open."""

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
            "(incomplete response: the gzip stream ends early)",
        ),
        (_sends(http_answer(b"{}", "Content-Encoding: gzip")), "(invalid gzip data)"),
        (_sends(http_answer(b"{}", "Content-Encoding: br")), "(unsupported Content-Encoding"),
        (
            _sends(b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello"),
            "(not valid HTTP: more than one Content-Length)",
        ),
        (
            _sends(b"HTTP/1.1 200 OK\r\nContent-Type text/html\r\nContent-Length: 2\r\n\r\n{}"),
            "(not valid HTTP: malformed header)",
        ),
        (
            _sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n"),
            "(not valid HTTP: malformed chunk size)",
        ),
        (_cut, "cannot be reached (incomplete response)"),
        (_reset, "cannot be reached (RemoteDisconnected)"),
        (_no_http, "cannot be reached (not valid HTTP: no HTTP status line)"),
        (_hang, "did not answer within 0.5 s"),
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_no_answer(
    name: str, script: Callable[[socket.socket], None], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state is that of --unreachable-state, by default CRITICAL where the exporter itself is checked."""
    monkeypatch.setattr("cln_monitor.checks.plugin_exit.time", FakeClock())  # only to wait in vain takes time
    with ScriptedServer(script) as server:
        arguments = ("--exporter", server.url, "-t", "0.5" if script is _hang else "30")
        outcome = run_inside(name, *arguments)
        other = run_inside(name, *arguments, "--unreachable-state", "warning")
    assert outcome.state == ("CRITICAL" if name == "check_cln_exporter" else "UNKNOWN")
    assert outcome.text.startswith(f"the exporter at {HOST}")
    assert told in outcome.text
    assert (other.state, other.text) == ("WARNING", outcome.text)


def test_nobody_there() -> None:
    """A port that nobody listens on is told in the words of the system."""
    outcome = run_inside("check_cln_status", "--exporter", f"{HOST}:{free_port()}")
    assert outcome.text.endswith("cannot be reached (Connection refused)")


def test_a_certificate_that_nobody_trusts_and_none(tmp_path: Path) -> None:
    """TLS that fails is no answer either."""
    with ScriptedServer(answering(http_answer(b"{}")), tls=Authority(tmp_path).server_context("exporter")) as server:
        outcome = run_inside("check_cln_status", "--exporter", server.url)
    assert outcome.state == "UNKNOWN"
    assert "cannot be reached (its certificate is not trusted: unable to get local issuer certificate)" in outcome.text
    with ScriptedServer(_no_http) as server:
        outcome = run_inside("check_cln_status", "--exporter", server.url.replace("http", "https"))
    assert "cannot be reached ([SSL: WRONG_VERSION_NUMBER] wrong version number" in outcome.text


@pytest.mark.processes
def test_a_hang_leaves_time_to_tell_of_it() -> None:
    """As a process: the check ends by itself, before its deadline does."""
    with ScriptedServer(_hang) as server:
        arguments = ("--exporter", server.url, "-t", "60")
        outcome = run_held_up("check_cln_exporter", *arguments, stage="asking the exporter", left=1)
    assert outcome.state == "CRITICAL"
    assert "did not answer within 60 s" in outcome.text
    assert outcome.seconds < 50


@pytest.mark.processes
def test_an_answer_that_drips() -> None:
    """Is ended by the deadline, which names whom it was asking."""

    def drip(connection: socket.socket) -> None:
        read_head(connection)
        for byte in http_answer(index("acme")):
            connection.sendall(bytes([byte]))
            time.sleep(0.1)

    with ScriptedServer(drip) as server:
        arguments = ("--exporter", server.url, "-t", "1")
        outcome = run_held_up("check_cln_status", *arguments, stage="asking the exporter")
    assert outcome.state == "UNKNOWN"
    assert outcome.text.startswith(f"no result within 1 s, it was still asking the exporter at {HOST}:")
    assert outcome.seconds < 50


def test_an_answer_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more is read than an exporter can have to tell."""
    monkeypatch.setattr(exporter, "_LARGEST", 1 << 20)
    outcome = asked(http_answer(b" " * ((1 << 20) + 1)), "-a", "acme")
    assert outcome.state == "UNKNOWN"
    assert outcome.text.endswith("answers with more than 1 MB; is --exporter its address?")
    assert "not of cln-exporter" in asked(http_answer(b" " * (1 << 20)), "-a", "acme").text


def paths_of(name: str, answer: bytes, *arguments: str) -> list[bytes]:
    """Return what an exporter below a path is asked for that gives ``answer`` to all."""
    heads: list[bytes] = []

    def script(connection: socket.socket) -> None:
        while head := read_head(connection):
            heads.append(head)
            connection.sendall(answer)

    with ScriptedServer(script) as server:
        run_inside(name, "--exporter", f"{server.url}/below/", *arguments)
    return [head.split(b" ")[1].removeprefix(b"/below/api/v1/observations") for head in heads]


def test_the_only_account_is_found() -> None:
    """One account need not be named; of several one has to be, and so where there is none."""
    answer = http_answer(index("a b/c"))
    assert paths_of("check_cln_kernelcare", answer) == [b"", b"/a%20b%2Fc/kernelcare"]
    assert paths_of("check_cln_kernelcare", answer, "-a", "other") == [b"/other/kernelcare"]
    text = asked(http_answer(index("acme", "beta"))).text
    assert text == "the exporter watches several accounts, name one with --account: acme, beta"
    assert asked(http_answer(index())).text == "the exporter watches no account"


def test_the_only_status_is_found() -> None:
    """However many accounts there are; where there are several API roots, an account says which one."""
    assert paths_of("check_cln_status", http_answer(index("acme", "beta"))) == [b"", b"/status"]
    assert paths_of("check_cln_status", http_answer(index())) == [b"", b"/status"]
    assert paths_of("check_cln_status", http_answer(index("acme", "beta")), "-a", "beta") == [b"/beta/status"]
    text = asked(http_answer(index("acme", "beta", roots=2)), name="check_cln_status").text
    assert text == "the exporter watches several accounts, name one with --account: acme, beta"


def test_a_view_without_an_observation() -> None:
    """Is of another version, as an index without probes is."""
    for name, answer in (
        ("check_cln_kernelcare", b'{"format": 1, "probes": []}'),
        ("check_cln_exporter", b'{"format": 1, "observation": null}'),
    ):
        text = asked(http_answer(answer), "-a", "acme", name=name).text
        assert text.endswith("is of another version, install the same on both sides")


def test_a_password_is_sent_and_not_shown() -> None:
    """Neither as it is nor as an address spells it, also where what answers repeats it."""
    quoted = EXPORTER_PASSWORD.replace("|", "%7C").replace(" ", "%20")
    heads: list[bytes] = []
    echo = json.dumps({"error": f"you said {EXPORTER_PASSWORD} and {quoted} and {EXPORTER_PASSWORD[:-1]}"}).encode()

    def script(connection: socket.socket) -> None:
        heads.append(read_head(connection))
        connection.sendall(http_answer(echo, status="404 Not Found"))

    with ScriptedServer(script) as server:
        url = server.url.replace("//", f"//icinga:{quoted}@")
        outcome = run_inside("check_cln_status", "--exporter", url, "-vvv")
    sent = base64.b64encode(f"icinga:{EXPORTER_PASSWORD}".encode())
    assert b"Authorization: Basic " + sent in heads[0]
    assert outcome.text.endswith(": you said <secret> and <secret> and exp0rter¦pl4nted pas")
    assert quoted not in outcome.output
    assert outcome.text.startswith(f"the exporter at {HOST}")


def test_an_account_of_strange_bytes() -> None:
    """argv may hold bytes that are no text."""
    outcome = asked(http_answer(b'{"error": "no such account"}', status="404 Not Found"), "-a", "\udcff/../|")
    assert outcome.text.endswith("no such account")


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exporter is on this machine or near it; a proxy out of the environment would get its password."""
    monkeypatch.setenv("http_proxy", f"{HOST}:9")
    monkeypatch.setenv("HTTP_PROXY", f"{HOST}:9")
    assert "is of another version" in asked(http_answer(b'{"format": 99}')).text


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
    """What stands before the exporter may announce its answer, and pack it."""
    outcome = asked(answer, "-a", "nobody", name="check_cln_exporter")
    assert outcome.text == "the exporter watches no such account"


def test_part_of_an_answer() -> None:
    """A 206 is no answer, whatever is in it."""
    outcome = asked(http_answer(index("acme"), status="206 Partial Content"))
    assert outcome.state == "UNKNOWN"
    assert "answers HTTP 206 with something that is not of cln-exporter" in outcome.text
