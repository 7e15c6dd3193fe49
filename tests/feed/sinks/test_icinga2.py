"""Results are submitted to Icinga 2, and each refusal and failure is reported for its object."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cln_monitor.feed.sinks import Delivery, Outcome
from cln_monitor.feed.sinks.icinga2 import Icinga2Sink, Settings
from cln_monitor.probes import Duration
from tests.feed.sinks.fake_icinga import PASSWORD, USER, FakeIcinga
from tests.feed.sinks.http_script import serving
from tests.feed.sinks.results import ITEMS, LONG, NINE_KB, result
from tests.helpers.certificates import Authority
from tests.helpers.scripted import ScriptedServer, http_answer

NOW = 1_764_000_000.25
DELIVERED = Outcome(Delivery.DELIVERED)
PATIENCE = 20.0


@dataclass
class Lab:
    """A fake Icinga with its server, and the files of its user."""

    icinga: FakeIcinga
    server: ScriptedServer
    authority: Authority
    password: Path

    def sink(self, *before: str, **changes: Any) -> Icinga2Sink:
        """Return a sink whose endpoints are those ``before`` the fake one."""
        settings: dict[str, Any] = {
            "url": [*before, self.server.url],
            "username": USER,
            "password_file": str(self.password),
            "ca_file": str(self.authority.file),
            "timeout": PATIENCE,
        }
        return Icinga2Sink(Settings(**(settings | changes)))

    @property
    def name(self) -> str:
        """The address of the server, as reasons have it."""
        return self.server.url.removeprefix("https://")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """Serve a fake Icinga with three services, one of which takes no passive results."""
    authority = Authority(tmp_path)
    icinga = FakeIcinga("acme!kernelcare", "acme!imunify", "acme!active")
    icinga.services["acme!active"] = False
    password = tmp_path / "password"
    password.write_text(f"{PASSWORD}\n")
    with icinga.serve(authority.server_context("icinga")) as server:
        yield Lab(icinga, server, authority, password)


def send(sink: Icinga2Sink, *services: str) -> list[Outcome]:
    """Send a result of each service, and close the sink."""
    try:
        return sink.send([result(service) for service in services], now=NOW, ttl=180.0)
    finally:
        sink.close()


def test_a_result_is_submitted(lab: Lab) -> None:
    """State, output, perfdata as a list, time to live and the current time are submitted, over one connection."""
    sink = lab.sink()
    results = [result("kernelcare"), result("imunify", "OK - fine", "", state=0)]
    assert sink.send(results, now=NOW, ttl=180.0) == [DELIVERED, DELIVERED]
    sink.close()
    assert lab.server.connections == 1
    assert lab.icinga.results["acme!kernelcare"] == {
        "type": "Service",
        "service": "acme!kernelcare",
        "exit_status": 1,
        "plugin_output": LONG,
        "performance_data": ITEMS,
        "check_source": "cln-feed",
        "execution_start": NOW,
        "execution_end": NOW,
        "ttl": 180.0,
    }
    assert lab.icinga.results["acme!imunify"]["performance_data"] == []


def test_a_long_output_is_not_cut(lab: Lab) -> None:
    """Icinga has no limit, so 9 KB arrive as they are; a lone surrogate, which UTF-8 lacks, is a question mark."""
    sink = lab.sink()
    results = [result(output=f"{NINE_KB}\nend"), result("imunify", "OK - \ud800")]
    assert sink.send(results, now=NOW, ttl=180.0) == [DELIVERED, DELIVERED]
    sink.close()
    assert lab.icinga.results["acme!kernelcare"]["plugin_output"] == f"{NINE_KB}\nend"
    assert lab.icinga.results["acme!imunify"]["plugin_output"] == "OK - ?"


def test_refusals_name_their_objects(lab: Lab) -> None:
    """An unknown object, disabled passive checks and a newer result are refusals; the others are delivered."""
    lab.icinga.newest["acme!imunify"] = NOW + 1
    outcomes = send(lab.sink(), "kernelcare", "none", "active", "imunify", "kernelcare")
    refused = Delivery.REFUSED
    assert outcomes == [
        DELIVERED,
        Outcome(
            refused,
            f"acme!none: {lab.name}: No objects found. (HTTP 404): create the service, "
            "or permit actions/process-check-result for it",
        ),
        Outcome(refused, f"acme!active: {lab.name}: Passive checks are disabled for object 'acme!active'. (code 403)"),
        Outcome(
            refused, f"acme!imunify: {lab.name}: Newer check result already present for 'acme!imunify'. (code 409)"
        ),
        DELIVERED,
    ]
    assert lab.server.connections == 1


def test_a_wrong_password_is_tried_once(lab: Lab) -> None:
    """A wrong password is a refusal of each result, one request, and not shown even if the server does."""
    lab.password.write_text("pl4nted-wrong")
    outcomes = send(lab.sink(), "kernelcare", "imunify")
    reason = f"{lab.name}: Unauthorized: Basic <secret> (HTTP 401)"
    assert outcomes == [Outcome(Delivery.REFUSED, f"acme!{service}: {reason}") for service in ("kernelcare", "imunify")]
    assert len(lab.icinga.requests) == 1


def test_a_changed_password_is_used(lab: Lab) -> None:
    """A password file is read again when it changes."""
    sink = lab.sink()
    lab.password.write_text("pl4nted-wrong")
    assert sink.send([result()], now=NOW, ttl=180.0)[0].delivery is Delivery.REFUSED
    lab.password.write_text(f"{PASSWORD}\n\n")
    assert sink.send([result()], now=NOW, ttl=180.0) == [DELIVERED]
    sink.close()


def test_a_missing_password_file(lab: Lab) -> None:
    """Without a readable password nothing is sent, and the results are kept for later."""
    lab.password.unlink()
    assert send(lab.sink(), "kernelcare") == [
        Outcome(Delivery.FAILED, "Icinga 2: password_file: No such file or directory")
    ]
    assert not lab.icinga.requests


def test_another_endpoint(lab: Lab) -> None:
    """If an endpoint does not run, the next one takes all results, and stays the first one."""
    with ScriptedServer(lambda sock: sock.recv(1)) as down:
        pass
    sink = lab.sink(down.url.replace("http:", "https:"))
    assert sink.send([result(), result("imunify")], now=NOW, ttl=180.0) == [DELIVERED, DELIVERED]
    sink.close()
    assert lab.server.connections == 1


def test_the_version_of_the_api_may_be_in_the_url(lab: Lab) -> None:
    """The URL may be a text instead of a list, and end with /v1."""
    assert send(lab.sink(url=f"{lab.server.url}/v1/"), "kernelcare") == [DELIVERED]


ANSWERS = {
    "an error inside a 200": (
        b'{"results":[{"code":503.0,"status":"busy"}]}',
        "200 OK",
        "REFUSED",
        r"busy \(code 503\)",
    ),
    "a 200 for no object": (b'{"results":[]}', "200 OK", "REFUSED", "create the service"),
    "a 403 of a proxy": (b"<h1>No</h1>", "403 Forbidden", "REFUSED", r"refused \(HTTP 403\)"),
    "a 404 of another server": (b"<h1>Not here</h1>", "404 Not Found", "FAILED", "not of Icinga's API"),
    "a 200 of another server": (b'{"data": 1}', "200 OK", "FAILED", "not of Icinga's API"),
    "a 404 in other JSON": (b'{"detail": "Not Found"}', "404 Not Found", "FAILED", "not of Icinga's API"),
    "an error for all in a 200": (b'{"error":404,"status":"None"}', "200 OK", "REFUSED", "create the service"),
    "a page": (b"<html>", "200 OK", "FAILED", "not of Icinga's API"),
    "a cut answer": (b'{"results":[{"code":20', "200 OK", "FAILED", "not of Icinga's API"),
    "an error": (b'{"error":500,"status":"Oops"}', "500 Error", "FAILED", r"Oops \(HTTP 500\)"),
    "reloading": (b'{"error":503,"status":"reload"}', "503 Unavailable", "FAILED", r"reload \(HTTP 503\)"),
    "a redirect": (b"", "302 Found", "FAILED", r"\(HTTP 302\)"),
    "too many": (b'{"error":429}', "429 Too Many Requests", "FAILED", r"\(HTTP 429\)"),
}


@pytest.mark.parametrize(("body", "status", "delivery", "reason"), ANSWERS.values(), ids=ANSWERS.keys())
def test_unusual_answers(lab: Lab, body: bytes, status: str, delivery: str, reason: str) -> None:
    """What is not a complete answer of Icinga is a failure; an error inside a complete one is a refusal."""
    lab.icinga.answers["acme!kernelcare"] = http_answer(body, status=status)
    (refused, delivered) = send(lab.sink(), "kernelcare", "imunify")
    assert (refused.delivery.name, delivered) == (delivery, DELIVERED)
    assert re.search(reason, refused.reason), refused.reason


def test_the_rest_waits_after_failures_in_a_row(lab: Lab) -> None:
    """After three failures in a row the remaining results are not sent."""
    lab.icinga.answers["acme!kernelcare"] = http_answer(b"{}", status="503 Unavailable")
    outcomes = send(lab.sink(), *["kernelcare"] * 5, "imunify")
    assert [outcome.delivery for outcome in outcomes] == [Delivery.FAILED] * 6
    assert len(lab.icinga.requests) == 3


@pytest.mark.usefixtures("call_clock")
def test_a_hang_holds_up_all_results_once(tmp_path: Path) -> None:
    """A server that hangs takes one timeout, not one per result."""
    authority = Authority(tmp_path)
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    with ScriptedServer(
        lambda sock: sock.recv(1 << 16) and sock.recv(1 << 16), tls=authority.server_context("x")
    ) as hung:
        settings = Settings(
            url=[hung.url],
            username=USER,
            password_file=str(password),
            ca_file=str(authority.file),
            timeout=Duration(0.5),
        )
        outcomes = send(Icinga2Sink(settings), *["kernelcare"] * 100)
    name = hung.url.removeprefix("https://")
    expected = rf"Icinga 2: {name}: timed out after 0\.\d+ s while waiting for the response"
    assert re.fullmatch(expected, outcomes[0].reason)
    assert outcomes == [Outcome(Delivery.FAILED, outcomes[0].reason)] * 100
    assert hung.connections == 1


def test_a_wrong_certificate_is_a_failure(lab: Lab, tmp_path: Path) -> None:
    """A certificate of another authority is named as the reason."""
    (tmp_path / "other").mkdir()
    outcomes = send(lab.sink(ca_file=str(Authority(tmp_path / "other").file)), "kernelcare", "imunify")
    assert {outcome.delivery for outcome in outcomes} == {Delivery.FAILED}
    assert "TLS certificate verification failed: unable to get local issuer certificate" in outcomes[0].reason
    assert not lab.icinga.requests


def test_a_client_certificate(tmp_path: Path) -> None:
    """With cert_file and key_file the connection has a client certificate, and requests have no password."""
    authority = Authority(tmp_path)
    context = authority.server_context("icinga")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority.file)
    requests: list[Any] = []
    answer = http_answer(b'{"results":[{"code":200,"status":"done"}]}')
    certificate, key = authority.issue("feed")
    with ScriptedServer(serving(lambda _: answer, requests), tls=context) as server:
        settings = Settings(
            url=[server.url], cert_file=str(certificate), key_file=str(key), ca_file=str(authority.file)
        )
        assert send(Icinga2Sink(settings), "kernelcare") == [DELIVERED]
    assert "authorization" not in requests[0].headers


def test_check_names_what_is_missing(lab: Lab) -> None:
    """The check names missing services and those without passive checks, and submits nothing."""
    services = ("kernelcare", "none", "active", "too")
    sink = lab.sink()
    assert sink.check([result(service) for service in services]) == [
        f"{lab.name}: no service 'acme!none'",
        f"{lab.name}: no service 'acme!too'",
        f"{lab.name}: passive checks are disabled for the service 'acme!active'",
    ]
    assert sink.check([result()]) == []
    assert sink.check([result("none")]) == [f"{lab.name}: no service 'acme!none'"]
    sink.close()
    assert not lab.icinga.results


@pytest.mark.parametrize(
    ("permissions", "missing"),
    [
        (["*"], []),
        (["actions/*", "objects/query/service (filtered)"], []),
        (["objects/query/Host"], ["actions/process-check-result", "objects/query/Service"]),
    ],
)
def test_check_names_permissions(lab: Lab, permissions: list[str], missing: list[str]) -> None:
    """The check names the permissions that the user lacks."""
    lab.icinga.permissions = permissions
    sink = lab.sink()
    lacks = f"{lab.name}: the API user cln lacks the permission"
    assert sink.check([result()]) == [f"{lacks} {permission}" for permission in missing]
    sink.close()


def test_check_of_a_wrong_password(lab: Lab) -> None:
    """The check reports a wrong password, and does not show it."""
    lab.password.write_text("pl4nted-wrong")
    sink = lab.sink()
    assert sink.check([result()]) == [f"Icinga 2: {lab.name}: Unauthorized: Basic <secret> (HTTP 401)"]
    sink.close()


TIMEOUT = "expected more than 0s, and 60s at most"
EXPOSED = (
    "{public} is world-readable; run chmod 600 on it (640 if a group has to read it), "
    "or set defaultMode: 0440 of a Kubernetes volume"
)
SETTINGS: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "a password": ({"username": "cln", "password_file": "secret"}, []),
    "a certificate": ({"cert_file": "public", "key_file": "secret"}, []),
    "no user": ({}, [("username", "is required, with password_file; or set cert_file and key_file")]),
    "no password": ({"username": "cln"}, [("password_file", "is required with username")]),
    "no name": ({"password_file": "secret"}, [("username", "is required with password_file")]),
    "no key": ({"cert_file": "public"}, [("key_file", "is required with cert_file")]),
    "both": (
        {"username": "cln", "password_file": "secret", "cert_file": "public", "key_file": "secret"},
        [("cert_file", "username is also set; set only one of username and cert_file")],
    ),
    "a colon": (
        {"username": "c:ln", "password_file": "secret"},
        [("username", "expected a name without a colon or control characters")],
    ),
    "plain HTTP": (
        {"username": "cln", "password_file": "secret", "url": ["http://icinga.example.com:5665"]},
        [("url", "expected the URL of an Icinga 2 API, for example https://icinga.example.com:5665")],
    ),
    "a password in the URL": (
        {"username": "cln", "password_file": "secret", "url": ["https://cln:pw@icinga.example.com:5665"]},
        [("url", "expected the URL of an Icinga 2 API, for example https://icinga.example.com:5665")],
    ),
    "no URL": (
        {"username": "cln", "password_file": "secret", "url": []},
        [("url", "expected at least one URL")],
    ),
    "no time": ({"username": "cln", "password_file": "secret", "timeout": 0}, [("timeout", TIMEOUT)]),
    "a readable password": (
        {"username": "cln", "password_file": "public"},
        [
            ("password_file", EXPOSED),
        ],
    ),
    "a missing password": (
        {"username": "cln", "password_file": "missing"},
        [("password_file", "{missing} cannot be read: No such file or directory")],
    ),
    "a missing authority": (
        {"username": "cln", "password_file": "secret", "ca_file": "missing"},
        [("ca_file", "{missing} cannot be read: No such file or directory")],
    ),
    "an empty authority": (
        {"username": "cln", "password_file": "secret", "ca_file": "empty"},
        [("ca_file", "{empty} is empty")],
    ),
}


@pytest.mark.parametrize(("fields", "problems"), SETTINGS.values(), ids=SETTINGS.keys())
def test_settings(tmp_path: Path, fields: dict[str, Any], problems: list[tuple[str, str]]) -> None:
    """Each problem of the settings has its field, and the files of secrets are not readable by all users."""
    tmp_path.chmod(0o755)
    paths = {name: tmp_path / name for name in ("public", "secret", "empty", "missing")}
    for name, mode in (("public", 0o644), ("secret", 0o600), ("empty", 0o600)):
        paths[name].write_text("" if name == "empty" else "pl4nted")
        paths[name].chmod(mode)
    named: dict[str, Any] = {"url": ["https://icinga.example.com:5665"]}
    named |= {name: str(paths[value]) if name in Settings.files else value for name, value in fields.items()}
    settings = Settings(**named)
    expected = [(field, text.format(**paths)) for field, text in problems]
    assert list(settings.problems()) == expected
