"""The formats of responses: the JSON envelope, plain lines, text, HTML pages (API document: API overview)."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

JSON = "application/json;charset=UTF-8"
PLAIN = "text/plain;charset=UTF-8"
HTML = "text/html;charset=UTF-8"


@dataclass(frozen=True, slots=True)
class SimulatedAnswer:
    """An HTTP response: status, content type, body, and additional headers."""

    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def bare(value: object, status: int = 200) -> SimulatedAnswer:
    """Return a response with a JSON value without an envelope."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        body = text.encode()
    except UnicodeEncodeError:  # a lone surrogate, which JSON can only hold escaped
        body = json.dumps(value).encode()
    return SimulatedAnswer(status, JSON, body)


def envelope(data: object, message: str | None = None) -> SimulatedAnswer:
    """Return a response with `success: true` and `data`."""
    return bare({"message": message, "type": None, "success": True, "data": data})


def refusal(message: str, status: int = 200) -> SimulatedAnswer:
    """Return a response with `success: false` and the reason."""
    return bare({"message": message, "type": None, "success": False, "data": None}, status)


def rest_refusal(message: str) -> SimulatedAnswer:
    """Return a refusal of a call below `/v2`: an object with the HTTP status and the reason."""
    status = 401 if message == "Authorization failed" else 404 if message.endswith("not found") else 400
    return bare({"status": status, "message": message}, status)


def plain(fields: Iterable[tuple[str, object]]) -> SimulatedAnswer:
    """Return a text response with `success:true`, and a line per field; booleans are lowercase."""
    return text("\n".join(["success:true", *(f"{name}:{_plain(value)}" for name, value in fields)]))


def plain_refusal(message: str, status: int = 200) -> SimulatedAnswer:
    """Return a text response with `success:false`, and the reason on the next line."""
    return text(f"success:false\nmessage:{message}", status)


def text(body: str, status: int = 200) -> SimulatedAnswer:
    """Return a response with an unchanged text."""
    return SimulatedAnswer(status, PLAIN, body.encode())


def page(status: int, message: str | None = None, headers: Mapping[str, str] | None = None) -> SimulatedAnswer:
    """Return an HTML page, such as a web server or a proxy in front of CLN sends."""
    message = message or "The requested page is not here."
    body = (
        f"<!DOCTYPE html>\n<html><head><title>{status} {phrase(status)} | CloudLinux Network</title></head>\n"
        f"<body><h1>{phrase(status)}</h1><p>{message}</p></body></html>\n"
    )
    return SimulatedAnswer(status, HTML, body.encode(), headers or {})


def phrase(status: int) -> str:
    """Return the reason phrase of an HTTP status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
