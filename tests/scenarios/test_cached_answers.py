"""Answers from a cache between CLN and us, seen by a running exporter: they are no word on CLN's clock."""

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
    """Return the HTTP date of that many seconds from now."""
    return formatdate(time.time() + seconds, usegmt=True)


def scrape_of(folder: Path, *headers: str) -> str:
    """Return a scrape of an exporter that has polled the status of a CLN which answers with ``headers``."""

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
    """A date of 900 s ago in an answer with an Age leaves the gauge as it is, so no alert can fire."""
    assert "cln_api_clock_skew_seconds{" not in scrape_of(tmp_path, f"Date: {http_date(-900)}", f"Age: {age}")


@pytest.mark.parametrize("date", ODD_DATES)
def test_a_date_of_no_clock(date: str, tmp_path: Path) -> None:
    """A date that no clock can show leaves it as well."""
    assert "cln_api_clock_skew_seconds{" not in scrape_of(tmp_path, f"Date: {date}")


def test_an_answer_of_cln_itself(tmp_path: Path) -> None:
    """Without an Age the date tells how far the clocks are apart."""
    found = re.search(r"cln_api_clock_skew_seconds\{.*\} (\S+)", scrape_of(tmp_path, f"Date: {http_date(-900)}"))
    assert found
    assert -1000 < float(found[1]) < -800
