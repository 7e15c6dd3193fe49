"""HTTP anomalies of CLN and of the connection, in the exporter, plugins and clntool."""

from __future__ import annotations

import gzip
import json
import math
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.checks.running import run_plugin
from tests.cli.processes import process
from tests.helpers.running import Exporter, wait_until
from tests.helpers.scripted import ScriptedServer, http_answer, read_head

KEYS = ("Aaaa1111Bbbb2222", "Cccc3333Dddd4444", "Eeee5555Ffff6666")
SERVERS = {KEYS[0]: ["A-1", "A-2"], KEYS[1]: ["B-1"], KEYS[2]: []}
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"

pytestmark = pytest.mark.processes


def enveloped(data: object, **beside: object) -> bytes:
    """Return ``data`` in CLN's envelope."""
    return json.dumps({"success": True, "message": None, "type": None, "data": data, **beside}).encode()


def data_of(head: bytes) -> Any:
    """Return the data of a healthy CLN for a request, or None for an unknown one."""
    if b"/status.json" in head:
        return {"xmlrpc": True}
    if b"/key/list.json" in head:
        return [{"key": key, "limit": 5, "enabled": True} for key in KEYS]
    if b"/key/servers.json" in head:
        key = next(key for key in KEYS if key.encode() in head)
        dates = dict.fromkeys(("created", "last_checkin"), "2026-04-30T11:26-0400")
        return [{"server_id": name, "ip": "192.0.2.1", **dates} for name in SERVERS[key]]
    return "Nnnn1111Nnnn2222" if b"/key/create.json" in head else None


def well(head: bytes) -> bytes:
    """Return the complete response of a healthy CLN."""
    return http_answer(enveloped(data_of(head)))


class Cln(ScriptedServer):
    """Answers each request with the result of ``answer`` for its head; with None it stops responding.

    ``pause`` is the delay after interim responses. Requests on a connection that was idle for ``forgets_after`` seconds
    are lost, as behind a NAT.
    """

    def __init__(
        self, answer: Callable[[bytes], bytes | None] = well, *, pause: float = 0.0, forgets_after: float = 1e9
    ) -> None:
        super().__init__(self._talk)
        self.answer = answer
        self.heads: list[bytes] = []
        self._pause, self._forgets_after = pause, forgets_after

    def _talk(self, connection: socket.socket) -> None:
        answered = math.inf
        while True:
            head = read_head(connection)
            if not head:
                return
            self.heads.append(head)
            if time.monotonic() - answered > self._forgets_after or (answer := self.answer(head)) is None:
                connection.recv(1)
                return
            if answer.startswith(HINTS):
                connection.sendall(HINTS)
                time.sleep(self._pause)
                answer = answer.removeprefix(HINTS)
            connection.sendall(answer)
            answered = time.monotonic()


class Programs:
    """The programs, with a configuration that monitors ``cln``."""

    def __init__(self, folder: Path, cln: Cln, timeout: str = "15s", interval: str = "1s") -> None:
        (folder / "acme.secret").write_text("pl4nted-secret-key\n")
        (folder / "acme.secret").chmod(0o600)
        off = "".join(f"  {name}: {{enabled: false}}\n" for name in ("imunify", "patch_status", "ip_licenses"))
        self.folder = folder
        self.config = folder / "cln-monitor.yml"
        self.config.write_text(
            f"api_url: {cln.url}/api\ntimeout: {timeout}\nrequests_per_second: 0\nprobes:\n"
            f"  status: {{interval: {interval}}}\n  kernelcare: {{interval: {interval}}}\n{off}"
            "accounts:\n  - {name: acme, login: acme_login, secret_key_file: acme.secret}\n"
        )

    def exporter(self) -> Exporter:
        """Start the exporter."""
        return Exporter(self.folder / "exporter.log", f"--config.file={self.config}", "--log.level=debug")

    def plugin(self, name: str, *arguments: str) -> tuple[str, str]:
        """Return state and text of a plugin."""
        outcome = run_plugin(name, "-C", str(self.config), *arguments, "-t", "50")
        return outcome.state, outcome.text

    def clntool(self, *arguments: str) -> tuple[int, Any, str]:
        """Return exit code, JSON and stderr of clntool."""
        outcome = process("--config", str(self.config), "--output", "json", *arguments)
        return outcome.code, json.loads(outcome.out or "null"), outcome.err


@pytest.fixture
def stopping() -> Iterator[list[Exporter]]:
    """Yield a list of exporters that are stopped after the test."""
    exporters: list[Exporter] = []
    yield exporters
    for exporter in exporters:
        exporter.stop()


def failures(exporter: Exporter) -> dict[str, str]:
    """Return the reason of each probe that has run, or "" if it succeeded."""
    probes = json.loads(exporter.ask("/api/v1/observations").text)["probes"]
    return {view["probe"]: view["failure"]["reason"] if view["failure"] else "" for view in probes if view["last_run"]}


def test_interim_answers(tmp_path: Path, stopping: list[Exporter]) -> None:
    """Interim responses do not assign servers to wrong keys, and do not lose a created key."""
    with Cln(lambda head: HINTS + well(head), pause=0.05) as cln:
        programs = Programs(tmp_path, cln)
        stopping.append(exporter := programs.exporter())
        wait_until(lambda: failures(exporter) == {"status": "", "kernelcare": ""}, "both probes to succeed")
        shown = json.loads(exporter.ask("/api/v1/observations/acme/kernelcare").text)["observation"]["parts"]
        counts = sorted(len(part["value"]["servers"]) for part in shown)
        assert counts == [0, 1, 2]
        metrics = exporter.metrics()
        for key, names in SERVERS.items():
            mine = [line for line in metrics.splitlines() if f'key="{key[:4]}' in line]
            assert {name for name in ("A-1", "A-2", "B-1") if any(f'"{name}"' in line for line in mine)} == set(names)
        code, rows, _ = programs.clntool("kernelcare", "servers", "list")
        assert code == 0
        assert [(row["key"], row["server_id"]) for row in rows] == [
            (key, name) for key, names in SERVERS.items() for name in names
        ]
        code, row, _ = programs.clntool("kernelcare", "keys", "create", "--limit", "5", "--yes")
        assert (code, row) == (0, {"key": "Nnnn1111Nnnn2222"})
        assert sum(b"create.json" in head for head in cln.heads) == 1
        assert programs.plugin("check_cln_status")[0] == "OK"


def test_plugins_read_an_exporter_behind_interim_answers(tmp_path: Path, stopping: list[Exporter]) -> None:
    """Plugins accept interim responses of a proxy before the exporter."""
    with Cln() as cln:
        programs = Programs(tmp_path, cln)
        stopping.append(exporter := programs.exporter())
        wait_until(lambda: failures(exporter) == {"status": "", "kernelcare": ""}, "both probes to succeed")

        def proxied(head: bytes) -> bytes:
            answer = exporter.ask(head.split()[1].decode())
            return HINTS + http_answer(answer.text.encode(), status=str(answer.status))

        with Cln(proxied) as front:
            outcome = run_plugin("check_cln_exporter", "--exporter", front.url)
            assert outcome.text.startswith("all 2 probes OK")
            assert run_plugin("check_cln_status", "--exporter", front.url).state == "OK"

        def cut(head: bytes) -> bytes:
            packed = gzip.compress(exporter.ask(head.split()[1].decode()).text.encode())
            return http_answer(packed[:-8], "Content-Encoding: gzip")

        with Cln(cut) as front:
            outcome = run_plugin("check_cln_status", "--exporter", front.url)
            assert outcome.state == "UNKNOWN"
            assert "incomplete response: the gzip stream ends early" in outcome.text


def cut_gzip(text: bytes) -> bytes:
    """Return a gzip response of the first half of ``text``, without a trailer, with a matching length."""
    packer = zlib.compressobj(wbits=31)
    packed = packer.compress(text[: len(text) // 2]) + packer.flush(zlib.Z_SYNC_FLUSH)
    return http_answer(packed, "Content-Encoding: gzip", "Content-Type: text/plain")


NOT_WHOLE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "gzip without its end": (
        lambda head: cut_gzip(enveloped(data_of(head))),
        "incomplete response from CLN: the gzip stream ends early",
    ),
    "a part": (lambda head: http_answer(enveloped(data_of(head)), status="206 Partial Content"), "(HTTP 206)"),
    "not modified": (lambda _: b"HTTP/1.1 304 Not Modified\r\n\r\n", "an empty body (HTTP 304)"),
    "two lengths": (
        lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello",
        "unexpected response from CLN: not valid HTTP (more than one Content-Length)",
    ),
    "a header without a colon": (
        lambda _: b"HTTP/1.1 200 OK\r\nContent-Type text/html\r\nContent-Length: 2\r\n\r\n{}",
        "unexpected response from CLN: not valid HTTP (malformed header)",
    ),
    "HTTP/0.9": (lambda _: b"<html>", "not valid HTTP (no HTTP status line); check api_url"),
    "another charset": (
        lambda _: http_answer(b'{"success":true,"data":"\xff"}', "Content-Type: application/json; charset=us-ascii"),
        "unexpected response from CLN: invalid ascii text",
    ),
}


@pytest.mark.parametrize(("answer", "problem"), NOT_WHOLE.values(), ids=NOT_WHOLE.keys())
def test_incomplete_or_invalid_response(
    tmp_path: Path, stopping: list[Exporter], answer: Callable[[bytes], bytes], problem: str
) -> None:
    """An incomplete or invalid response is bad_answer at once, UNKNOWN, and exit code 3."""
    with Cln(answer) as cln:
        programs = Programs(tmp_path, cln, timeout="5m")
        stopping.append(exporter := programs.exporter())
        wait_until(
            lambda: failures(exporter) == {"status": "bad_answer", "kernelcare": "bad_answer"}, "both probes to fail"
        )
        assert problem in exporter.log
        state, text = programs.plugin("check_cln_status")
        assert state == "UNKNOWN"
        assert problem in text
        code, rows, error = programs.clntool("kernelcare", "keys", "list")
        assert (code, rows) == (3, None)
        assert problem in error


def test_page_of_several(tmp_path: Path, stopping: list[Exporter]) -> None:
    """A list that is one page of nine is not counted as all keys."""
    with Cln(lambda head: http_answer(enveloped(data_of(head), page=1, pages=9))) as cln:
        programs = Programs(tmp_path, cln)
        stopping.append(exporter := programs.exporter())
        wait_until(lambda: failures(exporter) == {"status": "", "kernelcare": "bad_answer"}, "both probes to run")
        state, text = programs.plugin("check_cln_kernelcare")
        assert state == "UNKNOWN"
        assert "one page of several (pages: 9; 3 rows)" in text
        assert "one page of several" in programs.clntool("kernelcare", "keys", "list")[2]


def test_letters_of_another_charset(tmp_path: Path) -> None:
    """A note is decoded with the charset that CLN declares."""
    keys = json.dumps({"success": True, "data": [{"key": KEYS[0], "limit": 1, "note": "Büro"}]}, ensure_ascii=False)
    answer = http_answer(keys.encode("latin-1"), "Content-Type: application/json;charset=ISO-8859-1")
    servers = http_answer(enveloped([]))
    with Cln(lambda head: answer if b"/key/list.json" in head else servers) as cln:
        code, rows, _ = Programs(tmp_path, cln).clntool("kernelcare", "keys", "list")
        assert (code, rows[0]["note"]) == (0, "Büro")


def test_way_that_forgets_idle_connections(tmp_path: Path, stopping: list[Exporter]) -> None:
    """A NAT that drops idle connections causes neither failures nor timeouts."""
    with Cln(forgets_after=4.0) as cln:
        stopping.append(exporter := Programs(tmp_path, cln, timeout="15s", interval="6s").exporter())
        wait_until(lambda: sum(b"/key/list.json" in head for head in cln.heads) >= 3, "three polls", 60)
        assert "probe failed" not in exporter.log
        assert 'code="timeout"' not in exporter.metrics()


def test_connections_end_with_the_run(tmp_path: Path, stopping: list[Exporter]) -> None:
    """The exporter closes its connections to CLN between polls, and limits them within one."""
    open_now, most, lock = 0, 0, threading.Lock()

    class Counting(Cln):
        def _talk(self, connection: socket.socket) -> None:
            nonlocal open_now, most
            with lock:
                open_now += 1
                most = max(most, open_now)
            super()._talk(connection)
            with lock:
                open_now -= 1

    with Counting() as cln:
        stopping.append(exporter := Programs(tmp_path, cln, interval="1h").exporter())
        wait_until(lambda: failures(exporter) == {"status": "", "kernelcare": ""}, "both probes to succeed")
        wait_until(lambda: not open_now, "all connections to end")
        assert most <= 5
