"""An Icinga 2 API as its documentation describes it, with a strict reading of what it is sent."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.feed.sinks.http_script import Request, serving
from tests.helpers.scripted import ScriptedServer, http_answer

USER, PASSWORD = "cln", "pl4nted-passwörd"
PARAMETERS: dict[str, tuple[type, ...]] = {
    "type": (str,),
    "service": (str,),
    "exit_status": (int,),
    "plugin_output": (str,),
    "performance_data": (list,),
    "check_source": (str,),
    "execution_start": (int, float),
    "execution_end": (int, float),
    "ttl": (int, float),
}


class FakeIcinga:
    """Has ``services`` by ``host!service``, True if they take passive results, and records the last result of each.

    ``newest`` has the time of a result that is already there. ``statuses`` replaces the answers for services.
    """

    def __init__(self, *services: str) -> None:
        self.services = dict.fromkeys(services, True)
        self.permissions = ["actions/process-check-result (filtered)", "objects/query/*"]
        self.results: dict[str, dict[str, Any]] = {}
        self.newest: dict[str, float] = {}
        self.answers: dict[str, bytes] = {}
        self.requests: list[Request] = []

    @contextmanager
    def serve(self, tls: ssl.SSLContext) -> Iterator[ScriptedServer]:
        """Serve the API."""
        with ScriptedServer(serving(self._answer, self.requests), tls=tls) as server:
            yield server

    def _answer(self, request: Request) -> bytes:
        if request.headers.get("accept") != "application/json":
            return http_answer(b"<h1>Accept header is missing</h1>", "Connection: close", status="400 Bad Request")
        expected = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {expected}":
            text = f"Unauthorized: {request.headers.get('authorization')}"  # not in the documentation: a leak
            return _whole(401, text, "Connection: close")
        if (request.method, request.target) == ("GET", "/v1"):
            return _results(200, {"user": USER, "permissions": self.permissions, "version": "r2.13.6", "info": ""})
        body = json.loads(request.body)
        if (request.method, request.target) == ("POST", "/v1/actions/process-check-result"):
            return self._process(body)
        if request.target == "/v1/objects/services" and request.headers.get("x-http-method-override") == "GET":
            assert body["filter"] == "wanted.contains(service.__name)"
            found = [name for name in body["filter_vars"]["wanted"] if name in self.services]
            services = [
                {"name": name, "type": "Service", "attrs": {"enable_passive_checks": self.services[name]}}
                for name in found
            ]
            return _results(200, *services) if services else _whole(404, "No objects found.")
        return _whole(404, "The requested path could not be found")

    def _process(self, body: dict[str, Any]) -> bytes:
        assert set(body) == set(PARAMETERS), set(body) ^ set(PARAMETERS)
        for name, kinds in PARAMETERS.items():
            assert type(body[name]) in kinds, name
        assert body["type"] == "Service"
        assert body["ttl"] > 0
        assert body["execution_start"] <= body["execution_end"]
        name = body["service"]
        if name in self.answers:
            return self.answers[name]
        if name not in self.services:
            return _whole(404, "No objects found.")
        if not self.services[name]:
            return _results(403, {"code": 403, "status": f"Passive checks are disabled for object '{name}'."})
        if body["exit_status"] not in {0, 1, 2, 3}:
            return _results(400, {"code": 400, "status": f"Invalid 'exit_status' for Service {name}."})
        if self.newest.get(name, 0.0) > body["execution_end"]:
            return _results(409, {"code": 409, "status": f"Newer check result already present for '{name}'."})
        self.results[name] = body
        self.newest[name] = body["execution_end"]
        return _results(200, {"code": 200.0, "status": f"Successfully processed check result for object '{name}'."})


_REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 409: "Conflict"}


def _results(status: int, *results: object) -> bytes:
    body = json.dumps({"results": results}).encode()
    return http_answer(body, "Content-Type: application/json", status=f"{status} {_REASONS[status]}")


def _whole(status: int, text: str, *headers: str) -> bytes:
    body = json.dumps({"error": status, "status": text}).encode()
    return http_answer(body, "Content-Type: application/json", *headers, status=f"{status} {_REASONS[status]}")
