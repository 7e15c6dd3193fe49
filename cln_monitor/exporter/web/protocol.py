"""What HTTP asks of a request before anybody reads its path (RFC 9112)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from starlette.types import Scope

_LARGEST_BODY = 1 << 16
"""Bytes; no path reads a body, and some clients send a short one with every POST."""

_HOST = re.compile(rb"(?:[A-Za-z0-9._~%!$&'()*+,;=-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?")
_RANK = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")
_ABSOLUTE = re.compile(rb"(?i)https?://[^/?#]*(/[^?#]*)?")


def problem_of(scope: Scope) -> tuple[int, str] | None:
    """Return the status and the words for a request that is none; the connection has to end with that answer."""
    headers: Mapping[bytes, bytes] = dict(scope["headers"])
    if not scope["http_version"].startswith("1."):
        return 505, "HTTP/1.1 is spoken here"
    if not _HOST.fullmatch(headers.get(b"host", b"")):  # HTTP/1.0 has none
        return 400, "the header Host is none"
    if b"transfer-encoding" in headers:
        return 411, "a body has to say how long it is"
    if int(headers.get(b"content-length", b"0")) > _LARGEST_BODY:
        return 413, f"a body has {_LARGEST_BODY} bytes at most, and nothing here reads one"
    return None


def by_its_path(scope: Scope) -> Scope:
    """Return ``scope`` with the path alone where a request names the whole address, as to a proxy (RFC 9112, 3.2.2)."""
    found = _ABSOLUTE.fullmatch(scope.get("raw_path") or b"")
    if found is None:
        return scope
    path = re.sub(r"(?i)^https?://[^/]*", "", scope["path"]) or "/"
    return {**scope, "raw_path": found[1] or b"/", "path": path}


def _ranks(header: str) -> dict[str, float]:
    """Return how much a client wants each of the choices of an Accept or Accept-Encoding ``header``, from 0 to 1."""
    ranks: dict[str, float] = {}
    for choice in header.lower().split(","):
        named, *parameters = ("".join(piece.split()) for piece in choice.split(";"))
        rank = next((parameter[2:] for parameter in parameters if parameter.startswith("q=")), "1")
        if named:
            ranks[named] = float(rank) if _RANK.fullmatch(rank) else 0.0
    return ranks


def prefers_openmetrics(accept: str) -> bool:
    """Tell whether a client wants OpenMetrics, by its name, at least as much as plain text (RFC 9110, 12.5)."""
    ranks = _ranks(accept)
    wanted = ranks.get("application/openmetrics-text", 0.0)
    other = next((ranks[name] for name in ("text/plain", "text/*", "*/*") if name in ranks), 0.0)
    return wanted > 0 and wanted >= other


def prefers_gzip(accept_encoding: str) -> bool:
    """Tell whether a client wants gzip at least as much as no encoding, where it says how much it wants that."""
    ranks = _ranks(accept_encoding)
    wanted = ranks.get("gzip", ranks.get("*", 0.0))
    return wanted > 0 and wanted >= ranks.get("identity", 0.0)
