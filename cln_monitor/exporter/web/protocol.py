"""Checks of the request line and headers before routing (RFC 9112), and content negotiation (RFC 9110)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from starlette.types import Scope

_MAX_BODY = 1 << 16
"""Bytes; no path reads a body, but some clients send a short one with every POST."""

_HOST = re.compile(rb"(?:[A-Za-z0-9._~%!$&'()*+,;=-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?")
_RANK = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")
_ABSOLUTE = re.compile(rb"(?i)https?://[^/?#]*(/[^?#]*)?")


def problem_of(scope: Scope) -> tuple[int, str] | None:
    """Return the status code and text of the error for an invalid request, else None.

    The connection must be closed after such a response.
    """
    headers: Mapping[bytes, bytes] = dict(scope["headers"])
    if not scope["http_version"].startswith("1."):
        return 505, "HTTP version not supported; use HTTP/1.1"
    if not _HOST.fullmatch(headers.get(b"host", b"")):  # optional in HTTP/1.0
        return 400, "invalid Host header"
    if b"transfer-encoding" in headers:
        return 411, "Transfer-Encoding is not supported; send Content-Length"
    if int(headers.get(b"content-length", b"0")) > _MAX_BODY:
        return 413, f"request body too large; the limit is {_MAX_BODY} bytes"
    return None


def by_its_path(scope: Scope) -> Scope:
    """Return ``scope`` with only the path if the request target is in absolute form (RFC 9112, section 3.2.2)."""
    found = _ABSOLUTE.fullmatch(scope.get("raw_path") or b"")
    if found is None:
        return scope
    path = re.sub(r"(?i)^https?://[^/]*", "", scope["path"]) or "/"
    return {**scope, "raw_path": found[1] or b"/", "path": path}


def _ranks(header: str) -> dict[str, float]:
    """Return the quality value, from 0 to 1, of each choice in an Accept or Accept-Encoding ``header``."""
    ranks: dict[str, float] = {}
    for choice in header.lower().split(","):
        named, *parameters = ("".join(piece.split()) for piece in choice.split(";"))
        rank = next((parameter[2:] for parameter in parameters if parameter.startswith("q=")), "1")
        if named:
            ranks[named] = float(rank) if _RANK.fullmatch(rank) else 0.0
    return ranks


def prefers_openmetrics(accept: str) -> bool:
    """Return whether a client prefers OpenMetrics, explicitly, over plain text or equally (RFC 9110, section 12.5)."""
    ranks = _ranks(accept)
    wanted = ranks.get("application/openmetrics-text", 0.0)
    other = next((ranks[name] for name in ("text/plain", "text/*", "*/*") if name in ranks), 0.0)
    return wanted > 0 and wanted >= other


def prefers_gzip(accept_encoding: str) -> bool:
    """Return whether a client accepts gzip, and does not prefer ``identity`` (RFC 9110, section 12.5.3)."""
    ranks = _ranks(accept_encoding)
    wanted = ranks.get("gzip", ranks.get("*", 0.0))
    return wanted > 0 and wanted >= ranks.get("identity", 0.0)
