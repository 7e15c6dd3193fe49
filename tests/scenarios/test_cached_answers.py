"""Responses from a cache between CLN and a running exporter do not affect the clock skew."""

from __future__ import annotations

import re
import socket
import time
from email.utils import formatdate
from pathlib import Path

import pytest

from tests.helpers.running import running_exporter
from tests.helpers.scripted import ScriptedServer, http_answer, read_head

pytestmark = pytest.mark.processes

FLAGS = b'{"success":true,"data":{"xmlrpc":true}}'
ODD_DATES = ["Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "yesterday", ""]


def http_date(seconds: float) -> str:
    """Return the HTTP date ``seconds`` from now."""
    return formatdate(time.time() + seconds, usegmt=True)


def scrape_of(folder: Path, *headers: str) -> str:
    """Return a scrape of an exporter that has polled the status of a CLN with these response ``headers``."""

    def script(connection: socket.socket) -> None:
        while read_head(connection):
            connection.sendall(http_answer(FLAGS, *headers))

    config = folder / "cln-monitor.yml"
    with ScriptedServer(script) as server:
        off = "".join(
            f"  {name}: {{enabled: false}}\n" for name in ("kernelcare", "imunify", "patch_status", "ip_licenses")
        )
        config.write_text(
            f"api_url: {server.url}/api\nprobes:\n{off}accounts: [{{name: a, login: login, secret_key: secret}}]\n"
        )
        with running_exporter(folder, f"--config.file={config}") as exporter:
            exporter.wait_ready()
            scrape = exporter.metrics()
    assert re.search(r'(?m)^cln_probe_success\{.*probe="status"\} 1', scrape), scrape
    return scrape


@pytest.mark.parametrize("age", ["900", "-1", "x", "0\r\nAge: 900"])
def test_a_cached_answer(age: str, tmp_path: Path) -> None:
    """A response with an Age and an old date does not change the clock skew, so no alert fires."""
    assert "cln_api_clock_skew_seconds{" not in scrape_of(tmp_path, f"Date: {http_date(-900)}", f"Age: {age}")


@pytest.mark.parametrize("date", ODD_DATES)
def test_a_date_of_no_clock(date: str, tmp_path: Path) -> None:
    """An impossible date does not change the clock skew."""
    assert "cln_api_clock_skew_seconds{" not in scrape_of(tmp_path, f"Date: {date}")


def test_an_answer_of_cln_itself(tmp_path: Path) -> None:
    """Without an Age, the date gives the clock skew."""
    found = re.search(r"cln_api_clock_skew_seconds\{.*\} (\S+)", scrape_of(tmp_path, f"Date: {http_date(-900)}"))
    assert found
    assert -1000 < float(found[1]) < -800
