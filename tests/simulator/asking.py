"""Requests to a simulator, in memory, or over HTTP with the standard library only."""

import gzip
import hashlib
import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from cln_monitor.simulator import Account, Served, Simulator, calls_of

NOW = 1_714_490_800  # 2024-04-30T15:26:40Z


@dataclass
class Reply:
    """A response: status, headers with lowercase names, uncompressed body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


def token(account: Account, at: float = NOW) -> str:
    """Return a token by the API document, made without code of the simulator."""
    signed = hashlib.sha1(f"{account.secret_key}{int(at)}".encode()).hexdigest()
    return f"{account.login}|{int(at)}|{signed}"


def ask(simulator: Simulator, path: str, client_ip: str = "127.0.0.1", method: str = "GET", **query: str) -> Reply:
    """Return the response to a request in memory."""
    answer = simulator.answer(method, path, query, client_ip)
    return Reply(answer.status, {"content-type": answer.content_type, **answer.headers}, answer.body)


def method_of(simulator: Simulator, path: str) -> str:
    """Return the method of the call at ``path`` in the revision of the simulator, GET if it has several or none."""
    methods = [method for method, known in calls_of(simulator.revision) if known == path]
    return methods[0] if len(methods) == 1 else "GET"


def data(simulator: Simulator, account: Account, path: str, method: str = "", **query: str) -> Any:
    """Return the data of a successful response to a request in memory, with a fresh token."""
    method = method or method_of(simulator, path)
    reply = ask(simulator, path, method=method, token=token(account, simulator.now()), **query)
    answer = reply.json
    if path.startswith("/v2/"):
        assert reply.status == 200, answer
        return answer
    assert (answer["success"], answer["message"], answer["type"]) == (True, None, None), answer
    return answer["data"]


def refusal(simulator: Simulator, account: Account, path: str, method: str = "", **query: str) -> Any:
    """Return the message of a refusal of a request in memory, with a fresh token."""
    method = method or method_of(simulator, path)
    reply = ask(simulator, path, method=method, token=token(account, simulator.now()), **query)
    answer = reply.json
    if path.startswith("/v2/"):
        assert (reply.status >= 400, answer["status"]) == (True, reply.status), answer
        return answer["message"]
    assert (answer["success"], answer["data"], answer["type"]) == (False, None, None), answer
    return answer["message"]


def snapshot(account: Account) -> dict[str, object]:
    """Return everything that calls can change of an account, as immutable values."""
    return {
        "kernelcare": {
            key.key: (key.limit, key.note, tuple(key.cidrs), tuple(key.servers))
            for key in account.kernelcare_keys.values()
        },
        "imunify": {
            key.key: (key.limit, key.note, key.code, tuple(key.servers)) for key in account.imunify_keys.values()
        },
        "els": {key.key: (key.limit, key.note, key.code, tuple(key.servers)) for key in account.els_keys.values()},
        "cloudlinux": {key.key: (key.limit, key.note, tuple(key.servers)) for key in account.cloudlinux_keys.values()},
        "ip_licenses": {held: license_.els_allowed for held, license_ in account.ip_licenses.items()},
        "groups": {
            group.name: (group.description, tuple(server.server_id for server in group.servers))
            for group in account.groups.values()
        },
    }


def fetch(
    served: Served,
    path: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: object = None,
    **query: str,
) -> Reply:
    """Return the response to a request over HTTP on its own connection; `path` is below `/api` or `/-/`."""
    target = path if path.startswith("/-/") else f"/api{path}"
    if query:
        target += "?" + urlencode(query, quote_via=quote)
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    try:
        connection.request(method, target, body=json.dumps(body) if body is not None else None, headers=headers or {})
        return reply(connection)
    finally:
        connection.close()


def await_request(simulator: Simulator) -> None:
    """Return once a request is in the log; the wait yields to the thread that adds it."""
    until = time.monotonic() + 20
    while not simulator.requests:
        assert time.monotonic() < until, "no request came in"
        time.sleep(0)


def reply(connection: http.client.HTTPConnection) -> Reply:
    """Return the response on a connection."""
    response = connection.getresponse()
    raw = response.read()
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Reply(response.status, headers, gzip.decompress(raw) if "content-encoding" in headers else raw)
