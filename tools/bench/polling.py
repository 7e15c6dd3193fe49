"""Polls in a separate process, so that their CPU time can be measured: ours, or those of a bare ``requests.Session``.

``python -m tools.bench.polling ours|bare PORT KEYS CA_FILE CONCURRENCY POLLS`` prints one JSON line per poll.
"""

from __future__ import annotations

import json
import ssl
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from cln_monitor.cln import Redactor
from cln_monitor.config import parse_config
from cln_monitor.daemon.logs import set_up_logs
from cln_monitor.exporter.main import set_up_interpreter
from cln_monitor.exporter.service import Service

from .fleet import LOGIN, SECRET_KEY, Fleet


class _Shared(HTTPAdapter):
    """An adapter with one TLS context for all connections, so that certificates are loaded only once."""

    def __init__(self, context: ssl.SSLContext, size: int) -> None:
        self._context = context
        super().__init__(pool_connections=1, pool_maxsize=size)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=self._context)

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> Any:
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave the connection unchanged: the context has all settings."""


def bare(url: str, keys: int, ca_file: str, concurrency: int) -> Callable[[], object]:
    """Return a function that fetches the same bytes with only ``requests`` and a thread pool.

    Each poll opens its own connections, as ours does: connections do not outlive the minutes between polls.
    """
    context = ssl.create_default_context(cafile=ca_file)

    def poll() -> None:
        with requests.Session() as session, ThreadPoolExecutor(concurrency) as pool:
            session.trust_env = False
            session.mount("https://", _Shared(context, concurrency))

            def fetch(name: str) -> bytes:
                query = {"key": name, "token": "t" * 60}
                return session.get(f"{url}/kcare/key/servers.json", params=query, timeout=15).content

            session.get(f"{url}/kcare/key/list.json", params={"token": "t" * 60}, timeout=15)
            for body in pool.map(fetch, Fleet(0, keys).names):
                assert body

    return poll


def configuration(url: str, ca_file: str | None, concurrency: int, requests_per_second: float = 0) -> str:
    """Return a configuration that reads only the KernelCare servers of one account."""
    off = "\n".join(f"  {name}: {{enabled: false}}" for name in ("status", "imunify", "patch_status", "ip_licenses"))
    tls = f"tls_config: {{ca_file: {ca_file}}}" if ca_file else ""
    # Enough for the series of the largest fleet; one account with one probe, regardless of the defaults.
    return f"""\
api_url: {url}
concurrency: {concurrency}
requests_per_second: {requests_per_second:g}
max_server_series: 4000000
{tls}
probes:
  kernelcare: {{interval: 1d, max_age: 2d, stale_after: 24h}}
{off}
accounts:
  - name: acme
    login: {LOGIN}
    secret_key: {SECRET_KEY}
"""


def ours(url: str, _: int, ca_file: str, concurrency: int) -> Callable[[], object]:
    """Return a function that polls as the exporter does, from the calls to the text of ``/metrics`` and its gzip."""
    redactor = Redactor()
    set_up_logs("warn", "logfmt", redactor)
    service = Service(lambda: parse_config(configuration(url, ca_file, concurrency), Path()), redactor)
    service._poller.start = lambda: None  # type: ignore[method-assign] # noqa: SLF001 # polled from here alone
    service.start()
    set_up_interpreter()
    target = service.find("acme", "kernelcare")
    assert target is not None

    def poll() -> None:
        run = service.run(target)
        assert run.failure is None, run.failure

    return poll


def main() -> None:
    """Poll, and print the times of each poll."""
    who, port, keys, ca_file, concurrency, polls = sys.argv[1:]
    make = {"ours": ours, "bare": bare}[who]
    poll = make(f"https://localhost:{port}/api", int(keys), ca_file, int(concurrency))
    print("ready=1", flush=True)  # noqa: T201 # what it is run for
    for _ in range(int(polls)):
        sys.stdin.readline()
        started, used = time.perf_counter(), time.process_time()
        poll()
        took = {"wall": time.perf_counter() - started, "cpu": time.process_time() - used}
        print(json.dumps(took), flush=True)  # noqa: T201 # what it is run for


if __name__ == "__main__":
    main()
