"""The web application of the exporter: its HTTP paths."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import msgspec
from anyio import move_on_after
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route, Router
from starlette.types import Receive, Scope, Send

from cln_monitor import __version__
from cln_monitor.config import Config, reason_disabled, reason_not_configured, show_config
from cln_monitor.exporter.forms import Encoded, FormQuery, QueryError, parse_query
from cln_monitor.exporter.service import Service
from cln_monitor.exporter.target import Target
from cln_monitor.probes import ALL_PROBES, FORMAT
from cln_monitor.source_kinds import kind_of

from .discovery import DiscoveryError, discover
from .discovery_lists import DiscoveryLists
from .protocol import prefers_gzip, prefers_openmetrics
from .responses import (
    SAFE_HEADERS,
    PiecesResponse,
    exposition_response,
    header_of,
    in_pieces,
    json_response,
    observation_response,
    text_response,
)
from .status_page import POLICY, RUNBOOK_POLICY, Runbook, StatusPage

T = TypeVar("T")

_WRITE_TIMEOUT = 60.0  # seconds for a whole response; the default scrape timeout of Prometheus is 10


@dataclass(frozen=True, slots=True)
class WebOptions:
    """Options of the web application.

    ``max_requests`` is the maximum number of parallel scrape requests; 0 disables the limit. ``route_prefix`` is the
    prefix of all paths, ``external_path`` the path of the external URL, both without a trailing slash and empty for
    none; if ``external_path`` is None, links are relative. ``is_demo``: the account is simulated, and the page says so.
    """

    telemetry_path: str = "/metrics"
    enable_lifecycle: bool = False
    max_requests: int = 40
    route_prefix: str = ""
    external_path: str | None = None
    is_demo: bool = False


def make_app(service: Service, options: WebOptions) -> Starlette:
    """Return the web application that serves the data of ``service``."""
    web, prefix = _Web(service, options), options.route_prefix
    paths = _routes(web, options)
    # Links of the page are relative to its path, which therefore ends in a slash.
    page = f"{prefix if options.external_path is None else options.external_path}/"
    to_page = [Route(path, _redirect(page)) for path in (prefix, "/")] if prefix else []
    app = Starlette(
        routes=[*to_page, Mount(prefix, Router(paths, redirect_slashes=False))] if prefix else paths,
        exception_handlers={HTTPException: _plain_error, Exception: _internal_error},
    )
    app.router.redirect_slashes = False  # such a redirect would use the Host header of the request
    return app


def _redirect(path: str) -> Callable[[Request], Awaitable[Response]]:
    async def redirect(_: Request) -> Response:
        return Response(status_code=302, headers=SAFE_HEADERS | {"Location": path})

    return redirect


def _routes(web: _Web, options: WebOptions) -> list[Route]:
    return [
        # Those that each check and each scrape requests come first, as routes are tried in order.
        Route("/api/v1/observations/{account}/{probe}", web.observation),
        Route(options.telemetry_path, _RequestLimit(options.max_requests, web.metrics), methods=["GET", "HEAD"]),
        Route("/", web.index),
        Route("/runbook", web.runbook),
        Route("/probe", web.probe),
        Route("/config", web.config),
        Route("/-/healthy", web.healthy),
        Route("/-/ready", web.ready),
        Route("/-/reload", web.reload, methods=["POST"]),
        Route("/sd/{probe}", web.discovery),
        Route("/api/v1/observations", web.index_of_observations),
        Route("/api/v1/observations/{probe}", web.observation),
    ]


class _RequestLimit:
    """Serve at most ``limit`` requests in parallel, until their last byte is sent, and reject others; 0 is no limit."""

    def __init__(self, limit: int, endpoint: Callable[[Request], Awaitable[Response]]) -> None:
        self._limit = limit
        self._endpoint = endpoint
        self._active = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._limit and self._active >= self._limit:
            response = text_response(
                f"limit of parallel scrape requests reached ({self._limit}, see --web.max-requests); try again later",
                503,
            )
            return await response(scope, receive, send)
        self._active += 1
        try:
            response = await self._endpoint(Request(scope, receive, send))
            with move_on_after(_WRITE_TIMEOUT):  # a client that does not read must not occupy its slot forever
                await response(scope, receive, send)
        finally:
            self._active -= 1


class _Web:
    def __init__(self, service: Service, options: WebOptions) -> None:
        self._service = service
        self._options = options
        self._status_page = StatusPage(service, options.telemetry_path, options.external_path, is_demo=options.is_demo)
        self._runbook = Runbook(options.external_path)
        self._discovery_lists = DiscoveryLists()

    async def _in_thread(self, work: Callable[..., T], *args: object) -> T:
        """Run ``work``, which may block, in a thread, so that the event loop keeps serving other requests."""
        return await asyncio.get_running_loop().run_in_executor(self._service.answering, work, *args)

    async def index(self, request: Request) -> Response:
        page = await self._in_thread(self._status_page.render, request.query_params.get("account", ""))
        return HTMLResponse(page, headers=SAFE_HEADERS | {"Content-Security-Policy": POLICY})

    async def runbook(self, _: Request) -> Response:
        page = await self._in_thread(self._runbook.render)
        return HTMLResponse(page, headers=SAFE_HEADERS | {"Content-Security-Policy": RUNBOOK_POLICY})

    async def metrics(self, request: Request) -> Response:
        openmetrics = prefers_openmetrics(header_of(request, "accept"))
        if self._service.counters.is_rendered(openmetrics) and self._service.is_fresh():
            return self._metrics(request, openmetrics)  # cheaper than a hand-over to a thread
        return await self._in_thread(self._metrics, request, openmetrics)

    def _metrics(self, request: Request, openmetrics: bool) -> Response:
        own, content_type = self._service.counters.render(openmetrics)
        return exposition_response(request, self._service.exposition(), own, content_type)

    async def probe(self, request: Request) -> Response:
        target = self._target(request.query_params.get("account", ""), request.query_params.get("probe", ""))
        try:
            # Threads that wait for CLN are separate from those that serve scrapes; a shutdown does not wait for them.
            await asyncio.get_running_loop().run_in_executor(self._service.probing, self._service.run, target)
        except asyncio.CancelledError:
            return text_response("the exporter is shutting down", 503)
        return exposition_response(
            request, self._service.exposition_of(target), b"", "text/plain; version=0.0.4; charset=utf-8"
        )

    async def config(self, _: Request) -> Response:
        text = await self._in_thread(show_config, self._service.config)
        return Response(text, media_type="text/plain; charset=utf-8", headers=SAFE_HEADERS)

    async def healthy(self, _: Request) -> Response:
        return text_response("healthy")

    async def ready(self, _: Request) -> Response:
        if pending := self._service.not_yet_run():
            names = ", ".join(f"{target.probe} of {target.account or target.api}" for target in pending[:10])
            return text_response(f"not ready: {len(pending)} probes have not run yet: {names}", 503)
        return text_response("ready")

    async def reload(self, _: Request) -> Response:
        if not self._options.enable_lifecycle:
            return text_response("reload over HTTP is disabled; start with --web.enable-lifecycle, or send SIGHUP", 403)
        error = await self._in_thread(self._service.reload)
        return (
            text_response("reloaded")
            if error is None
            else text_response(f"failed to reload the configuration:\n{error}", 500)
        )

    async def discovery(self, request: Request) -> Response:
        probe, query = request.path_params["probe"], request.query_params.multi_items()
        try:
            found = await self._in_thread(discover, self._service, self._discovery_lists, probe, query)
        except DiscoveryError as error:
            return text_response(str(error), error.status)
        zipped = prefers_gzip(header_of(request, "accept-encoding"))
        size = len(found.zipped) if zipped else found.size
        headers = SAFE_HEADERS | {"Content-Length": str(size), "Vary": "Accept-Encoding"}
        if zipped:
            headers["Content-Encoding"] = "gzip"
        pieces = in_pieces([found.zipped]) if zipped else found.unzipped()
        return PiecesResponse(pieces, media_type="application/json", headers=headers)

    async def observation(self, request: Request) -> Response:
        try:
            target = self._target(request.path_params.get("account", ""), request.path_params["probe"])
        except HTTPException as error:
            return json_response({"error": error.detail}, error.status_code)
        query = request.scope["query_string"] and request.query_params.multi_items()
        try:
            form = parse_query(target.id.probe, query)
        except QueryError as error:
            return json_response({"error": str(error)}, 400)
        at = self._service.now() if form.at is None else form.at
        encoded = None if target.has_expired(self._service.monotonic()) else target.forms().known(form, at)
        if encoded is None:
            encoded = await self._in_thread(self._encoded, target, form, at)
        ages = msgspec.json.encode({"ages": target.ages(self._service.monotonic())})  # they change every second
        return observation_response(request, encoded, ages)

    def _encoded(self, target: Target, form: FormQuery, at: float) -> Encoded:
        self._service.expire()  # expired data must not appear here either
        return target.forms().encoded(form, at)

    async def index_of_observations(self, _: Request) -> Response:
        return await self._in_thread(self._index_of_observations)

    def _index_of_observations(self) -> Response:
        self._service.expire()
        now = self._service.monotonic()
        targets = list(self._service.targets.values())
        return json_response(
            {
                "format": FORMAT,
                "exporter_version": __version__,
                "shard": str(self._service.config.shard),
                "probes": [target.report(now, with_data=False) for target in targets],
                "problems": [problem.to_json() for problem in self._service.problems(targets)],
            }
        )

    def _target(self, account: str, probe: str) -> Target:
        target = self._service.find(account, probe)
        if target is None and (reader := self._service.reader_elsewhere(account, probe)):
            raise HTTPException(404, f"{probe} of {account} is read by shard {reader}, not by this exporter")
        if target is None:
            raise HTTPException(404, _reason_missing(self._service.config, account, probe))
        return target


def _reason_missing(config: Config, account: str, probe: str) -> str:
    """Return why ``config`` has no target for ``probe`` of ``account``, and what to do about it."""
    if probe not in ALL_PROBES:
        return f"unknown probe; expected one of: {', '.join(ALL_PROBES)}"
    if problem := reason_not_configured(config, probe, [account] if account else []):
        return problem
    if not account:
        kind = kind_of(probe)
        return f"the probe {probe} needs an {kind.noun}; configured {kind.plural}: {', '.join(config.names_of(kind))}"
    return reason_disabled(config, probe, [account], f" of {account}")


async def _plain_error(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    response = text_response(
        str(error.detail).lower() if error.status_code == 405 else str(error.detail), error.status_code
    )
    response.headers.update(error.headers or {})
    return response


async def _internal_error(_: Request, __: Exception) -> Response:
    return text_response("internal error; see the log of the exporter, and please report it", 500)
