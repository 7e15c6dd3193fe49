"""Results are submitted to NRDP in few requests, and its refusals are reported."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from cln_monitor.feed.sinks import Delivery, Outcome
from cln_monitor.feed.sinks.nrdp import NrdpSink, Settings
from tests.feed.sinks.http_script import Request, serving
from tests.feed.sinks.results import LONG, NINE_KB, PERFDATA, result
from tests.helpers.certificates import Authority
from tests.helpers.scripted import ScriptedServer, http_answer

TOKEN = "pl4nted+tok/en&=1"
NOW = 1_764_000_000.0
DELIVERED = Outcome(Delivery.DELIVERED)


class FakeNrdp:
    """An NRDP by its documentation and clients; ``received`` has the results as the core reads them."""

    def __init__(self) -> None:
        self.received: list[dict[str, str]] = []
        self.requests: list[Request] = []

    def answer(self, request: Request) -> bytes:
        """Return the answer to a request."""
        assert (request.method, request.target) == ("POST", "/nrdp/")
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        assert len(request.body) < 8 << 20  # PHP's post_max_size
        form = {name: values[0] for name, values in parse_qs(request.body.decode("ascii"), strict_parsing=True).items()}
        assert set(form) == {"token", "cmd", "json"}
        if form["token"] != TOKEN:
            return answered(-1, f"BAD TOKEN {form['token']}")
        assert form["cmd"] == "submitcheck"
        results = json.loads(form["json"])["checkresults"]
        for each in results:
            self.received.append(self._read(each))
        return answered(0, "OK", meta={"output": f"{len(results)} checks processed"})

    @staticmethod
    def _read(sent: dict[str, Any]) -> dict[str, str]:
        assert sent["checkresult"] == {"type": "service", "checktype": "1"}
        assert set(sent) == {"checkresult", "hostname", "servicename", "state", "output"}
        assert sent["state"] in {"0", "1", "2", "3"}
        # NRDP writes "\n" for a line end into a file, in which the core replaces escapes.
        written = sent["output"].replace("\n", "\\n")
        output = re.sub(r"\\([\\n])", lambda escape: {"\\": "\\", "n": "\n"}[escape[1]], written)
        return {"host": sent["hostname"], "service": sent["servicename"], "state": sent["state"], "output": output}


def answered(status: int, message: str, **more: object) -> bytes:
    """Return NRDP's answer, which has HTTP status 200 in all cases."""
    body = json.dumps({"result": {"status": status, "message": message, **more}}).encode()
    return http_answer(body, "Content-Type: application/json")


@contextmanager
def serve(
    answer: Callable[[Request], bytes], directory: Path, *, requests: list[Request] | None = None
) -> Iterator[tuple[NrdpSink, ScriptedServer]]:
    """Serve NRDP, and yield a sink for it and the server."""
    token = directory / "token"
    token.write_text(f"{TOKEN}\n")
    with ScriptedServer(serving(answer, requests)) as server:
        sink = NrdpSink(Settings(url=f"{server.url}/nrdp", token_file=str(token)))
        yield sink, server
        sink.close()


def test_results_are_submitted(tmp_path: Path) -> None:
    """Names, state, output and perfdata arrive as the core would read them from a plugin."""
    nrdp = FakeNrdp()
    results = [result(), result("Über & +", "OK - a | b\\n", "", host="h2", state=0), result("big", NINE_KB, state=2)]
    with serve(nrdp.answer, tmp_path) as (sink, _):
        assert sink.send(results, now=NOW, ttl=180.0) == [DELIVERED] * 3
    first, rest = LONG.split("\n", 1)
    perfdata = f" | {PERFDATA}\n"
    assert nrdp.received == [
        {"host": "acme", "service": "kernelcare", "state": "1", "output": f"{first}{perfdata}{rest}"},
        {"host": "h2", "service": "Über & +", "state": "0", "output": "OK - a ¦ b\\n"},
        {"host": "acme", "service": "big", "state": "2", "output": NINE_KB.replace("\n", perfdata, 1)},
    ]


def test_many_results_are_few_requests(tmp_path: Path) -> None:
    """A thousand results are a handful of requests over one connection."""
    nrdp = FakeNrdp()
    with serve(nrdp.answer, tmp_path, requests=nrdp.requests) as (sink, server):
        outcomes = sink.send([result(f"s{number}") for number in range(1000)], now=NOW, ttl=180.0)
    assert outcomes == [DELIVERED] * 1000
    assert [each["service"] for each in nrdp.received] == [f"s{number}" for number in range(1000)]
    assert (len(nrdp.requests), server.connections) == (4, 1)


def test_a_wrong_token(tmp_path: Path) -> None:
    """A wrong token is a refusal of all results after one request, and is not shown even if NRDP does."""
    nrdp = FakeNrdp()
    with serve(nrdp.answer, tmp_path, requests=nrdp.requests) as (sink, server):
        (tmp_path / "token").write_text("pl4nted-other")
        outcomes = sink.send([result()] * 600, now=NOW, ttl=180.0)
        problems = sink.check([result()])
    reason = f"NRDP: {server.url.removeprefix('http://')}: BAD TOKEN <secret> (status -1)"
    assert outcomes == [Outcome(Delivery.REFUSED, reason)] * 600
    assert problems == [reason]
    assert len(nrdp.requests) == 2


def test_check_submits_nothing(tmp_path: Path) -> None:
    """The check of a correct token sends no result."""
    nrdp = FakeNrdp()
    with serve(nrdp.answer, tmp_path) as (sink, _):
        assert sink.check([result()]) == []
    assert nrdp.received == []


ANSWERS: dict[str, tuple[bytes, str, str]] = {
    "another status": (answered(1, "NO CHECK RESULTS DIR"), "REFUSED", r"NO CHECK RESULTS DIR \(status 1\)"),
    "with information": (answered(-1, "BAD JSON", information="Syntax"), "REFUSED", r"\(status -1\): Syntax$"),
    "status as text": (http_answer(b'{"result":{"status":"0","message":"OK"}}'), "DELIVERED", ""),
    "fewer than sent": (answered(0, "OK", meta={"output": "0 checks processed"}), "REFUSED", "processed 0 of 1"),
    "XML": (http_answer(b"<result><status>0</status></result>"), "FAILED", "not of NRDP"),
    "no status": (http_answer(b'{"result":{}}'), "FAILED", "not of NRDP"),
    "no handler": (http_answer(b"No command specified or request handler"), "FAILED", "not of NRDP"),
    "not found": (http_answer(b"<h1>", status="404 Not Found"), "REFUSED", r"refused \(HTTP 404\)"),
    "forbidden": (http_answer(b"<h1>", status="403 Forbidden"), "REFUSED", r"refused \(HTTP 403\)"),
    "busy": (http_answer(b"", status="503 Unavailable"), "FAILED", "HTTP 503"),
    "redirect": (http_answer(b"", status="301 Moved"), "FAILED", "HTTP 301: check the url"),
    "limited": (http_answer(b"", status="429 Too Many"), "FAILED", "HTTP 429"),
}


@pytest.mark.parametrize(("answer", "delivery", "reason"), ANSWERS.values(), ids=ANSWERS.keys())
def test_answers(tmp_path: Path, answer: bytes, delivery: str, reason: str) -> None:
    """Only status 0 for all results is a delivery; what is not of NRDP is a failure."""
    with serve(lambda _: answer, tmp_path) as (sink, _):
        (outcome,) = sink.send([result()], now=NOW, ttl=180.0)
    assert outcome.delivery.name == delivery
    assert re.search(reason, outcome.reason), outcome.reason


def test_names(tmp_path: Path) -> None:
    """A name that would be another line of the core's file is refused, the others are delivered."""
    nrdp = FakeNrdp()
    with serve(nrdp.answer, tmp_path) as (sink, _):
        results = [result("a"), result("b\nreturn_code=0"), result("c")]
        outcomes = sink.send(results, now=NOW, ttl=180.0)
        problems = sink.check(results)
    problem = "NRDP: 'acme!b\\nreturn_code=0': a name must not be empty, or contain a tab or a line end"
    assert outcomes == [DELIVERED, Outcome(Delivery.REFUSED, problem), DELIVERED]
    assert problems == [problem]
    assert [each["service"] for each in nrdp.received] == ["a", "c"]


def test_no_server_and_no_token(tmp_path: Path) -> None:
    """A server that is away, and a token that cannot be read, are failures of all results."""
    with serve(FakeNrdp().answer, tmp_path) as (sink, server):
        pass
    name = server.url.removeprefix("http://")
    failed = Outcome(Delivery.FAILED, f"NRDP: {name}: connection refused")
    assert sink.send([result()] * 2, now=NOW, ttl=180.0) == [failed] * 2
    missing = NrdpSink(Settings(url=server.url, token_file=str(tmp_path / "none")))
    assert missing.check([]) == ["NRDP: token_file: No such file or directory"]


def test_tls(tmp_path: Path) -> None:
    """Over TLS the certificate is verified by ca_file."""
    authority = Authority(tmp_path)
    token = tmp_path / "token"
    token.write_text(TOKEN)
    with ScriptedServer(serving(FakeNrdp().answer), tls=authority.server_context("nrdp")) as server:
        outcomes = []
        for ca_file in (str(authority.file), None):
            sink = NrdpSink(Settings(url=f"{server.url}/nrdp/", token_file=str(token), ca_file=ca_file))
            outcomes += sink.send([result()], now=NOW, ttl=180.0)
            sink.close()
    assert outcomes[0] == DELIVERED
    assert outcomes[1].delivery is Delivery.FAILED
    assert "TLS certificate verification failed" in outcomes[1].reason


def test_settings(tmp_path: Path) -> None:
    """An invalid URL and a token that all users can read are problems, with their fields."""
    tmp_path.chmod(0o755)
    token = tmp_path / "token"
    token.write_text(TOKEN)
    assert list(Settings(url="http://nagios.example.com/nrdp/", token_file=str(token)).problems()) == []
    token.chmod(0o644)
    problems = list(Settings(url="ftp://x", token_file=str(token), ca_file="/none", timeout=0).problems())  # type: ignore[arg-type] # a number
    assert [field for field, _ in problems] == ["url", "ca_file", "timeout", "token_file"]
    assert "world-readable" in problems[-1][1]
