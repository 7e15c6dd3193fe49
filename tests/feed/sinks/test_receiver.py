"""The endpoints of a receiver are tried in turn; TLS files are read again when they change."""

from __future__ import annotations

import ssl
import time
from pathlib import Path

import pytest

from cln_monitor.cln import Redactor
from cln_monitor.feed.sinks.connection import Connection, Request
from cln_monitor.feed.sinks.receiver import AnswerError, Receiver, ReceiverError, TlsFiles
from tests.feed.sinks.http_script import serving
from tests.helpers.certificates import Authority
from tests.helpers.scripted import ScriptedServer, http_answer

ASK = Request("GET", "/", "")
PATIENCE = 20.0


def text_of(status: int, body: bytes) -> str:
    """Return the text of a response; a 5xx is an error."""
    if status >= 500:
        raise AnswerError(f"HTTP {status}")
    return body.decode()


def receiver(*servers: ScriptedServer) -> Receiver:
    """Return a receiver with an endpoint for each server."""
    return Receiver([Connection(server.url, ssl.create_default_context) for server in servers], Redactor())


def test_the_endpoint_that_answers_is_asked_first() -> None:
    """After a failure the next endpoint is asked, which is then the first one until it fails."""
    down = {"one": True, "two": False}

    def named(name: str) -> ScriptedServer:
        status = {True: "503 Service Unavailable", False: "200 OK"}
        return ScriptedServer(serving(lambda _: http_answer(name.encode(), status=status[down[name]])))

    with named("one") as one, named("two") as two:
        asked = receiver(one, two)
        answers = []
        for failing in ("one", "", "two", "two", ""):
            down.update({name: name == failing for name in down})
            where, text = asked.ask(ASK, text_of, time.monotonic() + PATIENCE)
            assert where == {"one": one, "two": two}[text].url.removeprefix("http://")
            answers.append(text)
        asked.close()
    assert answers == ["two", "two", "one", "one", "one"]


def test_all_fail() -> None:
    """If no endpoint answers, the error has the reason of each."""
    with ScriptedServer(serving(lambda _: http_answer(status="500 Oops"))) as one:
        pass
    with ScriptedServer(serving(lambda _: http_answer(status="500 Oops"))) as two:
        asked = receiver(one, two)
        with pytest.raises(ReceiverError) as caught:
            asked.ask(ASK, text_of, time.monotonic() + PATIENCE)
        asked.close()
    places = [server.url.removeprefix("http://") for server in (one, two)]
    assert str(caught.value) == f"{places[0]}: connection refused; {places[1]}: HTTP 500"
    assert caught.value.answered


@pytest.mark.usefixtures("call_clock")
def test_each_endpoint_gets_its_share_of_the_time() -> None:
    """An endpoint that hangs leaves time for the next one."""
    with (
        ScriptedServer(lambda sock: sock.recv(1 << 16) and sock.recv(1)) as hung,
        ScriptedServer(serving(lambda _: http_answer(b"fine"))) as well,
    ):
        asked = receiver(hung, well)
        assert asked.ask(ASK, text_of, time.monotonic() + 2.0)[1] == "fine"
        asked.close()


def test_no_time_is_left() -> None:
    """After the deadline no endpoint is asked."""
    with ScriptedServer(serving(lambda _: http_answer())) as server:
        asked = receiver(server)
        with pytest.raises(ReceiverError, match="the time for sending is over") as caught:
            asked.ask(ASK, text_of, time.monotonic() - 1.0)
    assert not caught.value.answered
    assert server.connections == 0


def test_tls_files_are_read_again(tmp_path: Path) -> None:
    """The context is kept until a file changes; strict X.509 rules, which Icinga's authority breaks, are off."""
    authority = Authority(tmp_path)
    certificate, key = authority.issue("client")
    files = TlsFiles(str(authority.file), str(certificate), str(key))
    first = files()
    assert files() is first
    assert not first.verify_flags & ssl.VERIFY_X509_STRICT
    assert first.verify_mode == ssl.CERT_REQUIRED
    assert first.check_hostname
    certificate.write_bytes(certificate.read_bytes() + b"\n")
    assert files() is not first


@pytest.mark.parametrize(
    ("ca", "certificate", "reason"),
    [
        ("ca.pem", "other.pem", "not a usable certificate with its key: key values mismatch"),
        ("ca.pem", "empty", "not a usable certificate with its key"),
        ("empty", "client.pem", "no certificates found"),
        ("missing", "client.pem", "No such file or directory"),
    ],
)
def test_wrong_tls_files(tmp_path: Path, ca: str, certificate: str, reason: str) -> None:
    """A file that is missing, or not what it should be, is an error with its name."""
    authority = Authority(tmp_path)
    _, key = authority.issue("client")
    authority.issue("other")
    (tmp_path / "empty").touch()
    wrong = certificate if ca == "ca.pem" else ca
    with pytest.raises(OSError, match=reason) as caught:
        TlsFiles(str(tmp_path / ca), str(tmp_path / certificate), str(key))()
    assert caught.value.filename == str(tmp_path / wrong)
