"""The checks of each request: credentials on every path, sizes, and rate; and the headers of responses."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace

import httpx
import pytest

from cln_monitor.exporter.web import middleware as module
from cln_monitor.exporter.web.app import WebOptions, make_app
from cln_monitor.exporter.web.config import WebConfig
from cln_monitor.exporter.web.config_schema import RateLimit
from cln_monitor.exporter.web.middleware import AuthMiddleware
from cln_monitor.exporter.web.passwords import PasswordQueueFullError
from cln_monitor.probes import Duration
from tests.exporter.asking import ask, basic, client
from tests.exporter.conftest import Exporting

from .paths import GET_PATHS
from .web_configs import HASH, PASSWORD

WITH_USERS = WebConfig(users={b"alice": HASH.encode(), "ünï".encode(): HASH.encode()})


@pytest.fixture
def app(exporting: Exporting) -> AuthMiddleware:
    """Return the application with users configured."""
    return AuthMiddleware(make_app(exporting.service, WebOptions(enable_lifecycle=True)), lambda: WITH_USERS)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("GET", path) for path in GET_PATHS),
        ("HEAD", "/metrics"),
        ("GET", "/nothing"),
        ("POST", "/-/reload"),
        ("PUT", "/"),
    ],
)
def test_every_path_is_behind_the_password(method: str, path: str, app: AuthMiddleware) -> None:
    """Every path requires a password, including health checks and unknown paths."""
    answer = ask(app, path, method)
    assert (answer.status_code, answer.text) == (401, "" if method == "HEAD" else "Unauthorized\n")
    assert answer.headers["www-authenticate"] == 'Basic realm="cln-exporter", charset="UTF-8"'
    assert ask(app, path, method, basic("alice", PASSWORD)).status_code != 401


@pytest.mark.parametrize(
    "headers",
    [
        basic("alice", "wrong"),
        basic("alice", ""),
        basic("", ""),
        basic("carol", PASSWORD),
        basic("alice", HASH),
        {"Authorization": ""},
        {"Authorization": "Basic"},
        {"Authorization": "Basic !!!!"},
        {"Authorization": "Basic " + base64.b64encode(b"alice").decode()},
        {"Authorization": "Bearer " + base64.b64encode(f"alice:{PASSWORD}".encode()).decode()},
        {"Authorization": basic("alice", PASSWORD)["Authorization"] + ", Basic x"},
    ],
)
def test_refused(headers: dict[str, str], app: AuthMiddleware) -> None:
    """Any invalid credentials get the same 401 response."""
    answer = ask(app, "/-/healthy", headers=headers)
    assert (answer.status_code, answer.text, len(answer.headers)) == (401, "Unauthorized\n", 5)


@pytest.mark.parametrize("headers", [basic("alice", PASSWORD), basic("ünï", PASSWORD)])
def test_let_in(headers: dict[str, str], app: AuthMiddleware) -> None:
    """Valid credentials are accepted, with non-ASCII user names and any case of the scheme."""
    assert ask(app, "/-/healthy", headers=headers).status_code == 200
    lower = {"authorization": headers["Authorization"].replace("Basic", "bASIC ")}
    assert ask(app, "/-/healthy", headers=lower).status_code == 200


def test_who_is_removed_is_out_at_once(exporting: Exporting) -> None:
    """A removed user is rejected immediately, even on an open connection."""
    config = WITH_USERS
    app = AuthMiddleware(make_app(exporting.service, WebOptions()), lambda: config)

    async def asked() -> list[int]:
        nonlocal config
        statuses = []
        async with client(app) as asking:
            for users in (WITH_USERS.users, {b"bob": HASH.encode()}):
                config = replace(config, users=users)
                statuses.append((await asking.get("/-/healthy", headers=basic("alice", PASSWORD))).status_code)
        return statuses

    assert asyncio.run(asked()) == [200, 401]


def test_a_flood_of_guesses(app: AuthMiddleware, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that is rejected during a flood of logins gets Retry-After."""

    async def fit(*_: object) -> bool:
        raise PasswordQueueFullError

    monkeypatch.setattr(app._passwords, "fit", fit)
    answer = ask(app, "/metrics", headers=basic("alice", "guess"))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


def test_headers_are_on_each_answer(exporting: Exporting) -> None:
    """Configured headers are in all responses, including errors, and replace the defaults."""
    policy = {"Content-Security-Policy": "default-src 'self'", "Strict-Transport-Security": "max-age=3600"}
    app = AuthMiddleware(make_app(exporting.service, WebOptions()), lambda: replace(WITH_USERS, headers=policy))
    for path, headers in (("/-/healthy", basic("alice", PASSWORD)), ("/nothing", basic("alice", PASSWORD)), ("/", {})):
        answer = ask(app, path, headers=headers)
        assert answer.headers["content-security-policy"] == "default-src 'self'"
        assert answer.headers["strict-transport-security"] == "max-age=3600"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers.get_list("content-security-policy") == ["default-src 'self'"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Length": "65537"}, 413),
        ({"Content-Length": "99999999999999"}, 413),
        ({"Transfer-Encoding": "chunked"}, 411),
        ({"Content-Length": "65536"}, 200),
        ({"Content-Length": "0"}, 200),
    ],
)
def test_bodies(headers: dict[str, str], status: int, exporting: Exporting) -> None:
    """A large request body is rejected before any other check."""
    app = AuthMiddleware(make_app(exporting.service, WebOptions()), WebConfig)
    assert ask(app, "/-/healthy", headers=headers).status_code == status
    refused = AuthMiddleware(app, lambda: WITH_USERS)
    assert ask(refused, "/-/healthy", headers=headers).status_code == (401 if status == 200 else status)


def test_the_rate(exporting: Exporting) -> None:
    """The burst is allowed at once, then one request per interval, over all clients."""
    now = 0.0
    config = replace(WITH_USERS, rate_limit=RateLimit(2, Duration(10)))
    app = AuthMiddleware(make_app(exporting.service, WebOptions()), lambda: config, lambda: now)

    def statuses(count: int) -> list[int]:
        return [ask(app, "/-/healthy").status_code for _ in range(count)]

    assert statuses(3) == [401, 401, 429]
    now = 9.9
    assert statuses(1) == [429]
    now = 10.0
    assert statuses(2) == [401, 429]
    now = 1000.0
    assert statuses(3) == [401, 401, 429]
    config = replace(WITH_USERS, rate_limit=RateLimit(1, Duration(1)))
    assert statuses(2) == [401, 429]
    config = WITH_USERS
    assert statuses(3) == [401, 401, 401]


def test_answers_that_refuse_are_safe_too() -> None:
    """Error responses forbid browsers to sniff another type."""
    headers = httpx.Headers(dict(module._refuse(413, "x").headers))
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
