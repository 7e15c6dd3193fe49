"""The route table: the simulator answers every call of the API document.

A product family has one module with its `ROUTES`, and one line in `FAMILIES`.
"""

from collections.abc import Callable, Mapping
from urllib.parse import unquote

from cln_monitor.simulator import answers
from cln_monitor.simulator.answers import SimulatedAnswer
from cln_monitor.simulator.model import NEWER

from . import awp, cloudlinux, els, groups, imunify, ip_licenses, kernelcare, nagios, status
from .call import CallRefusedError, Route, SimulatedCall

FAMILIES = (
    status.ROUTES,
    els.ROUTES,
    imunify.ROUTES,
    ip_licenses.ROUTES,
    kernelcare.ROUTES,
    nagios.ROUTES,
    groups.ROUTES,
    awp.ROUTES,
    cloudlinux.ROUTES,
)


def calls_of(revision: str) -> tuple[tuple[str, str], ...]:
    """Return method and path below `/api` of every call in a revision, in the order of the API document."""
    return tuple((route.method, route.path) for family in FAMILIES for route in family if revision in route.revisions)


CALLS = calls_of(NEWER)
"""The calls of the newest revision."""


def answer(
    method: str,
    path: str,
    failure_status: int,
    revision: str,
    make_call: Callable[[Mapping[str, str]], SimulatedCall],
) -> SimulatedAnswer:
    """Return the response to the call at `path` (below `/api`, as sent), or an HTML page with status 404 or 405.

    `revision` is that of the API document. `make_call` receives the parts of the path; a refusal has the HTTP status
    `failure_status`.
    """
    found = [(route, parts) for route, parts in _find(path) if revision in route.revisions]
    if not found:
        return answers.page(404)
    for route, parts in found:
        if route.method == method:
            try:
                return route.handler(make_call(parts))
            except CallRefusedError as refused:
                if path.startswith("/v2/"):
                    return answers.rest_refusal(str(refused))
                refuse = answers.plain_refusal if path.endswith(".plain") else answers.refusal
                return refuse(str(refused), failure_status)
    allowed = ", ".join(route.method for route, _ in found)
    return answers.page(405, f"This call accepts {allowed}.", {"Allow": allowed})


def _find(path: str) -> list[tuple[Route, dict[str, str]]]:
    """Return the routes of a path, with the parts of the path; a route without placeholders takes precedence."""
    if path in _LITERAL:
        return [(route, {}) for route in _LITERAL[path]]
    sent = [unquote(part) for part in path.split("/")]
    return [(route, parts) for route in _TEMPLATES if (parts := _parts(route, sent)) is not None]


def _parts(route: Route, sent: list[str]) -> dict[str, str] | None:
    wanted = route.path.split("/")
    if len(wanted) != len(sent):
        return None
    parts = {}
    for want, got in zip(wanted, sent, strict=True):
        if want.startswith("{") and got:
            parts[want[1:-1]] = got
        elif want != got:
            return None
    return parts


_TEMPLATES = [route for family in FAMILIES for route in family if "{" in route.path]
_LITERAL: dict[str, list[Route]] = {}
for _family in FAMILIES:
    for _route in _family:
        if "{" not in _route.path:
            _LITERAL.setdefault(_route.path, []).append(_route)
