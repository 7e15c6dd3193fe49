"""The shapes of answers: the JSON envelope, plain lines, text, HTML pages (API document: API overview)."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

JSON = "application/json;charset=UTF-8"
PLAIN = "text/plain;charset=UTF-8"
HTML = "text/html;charset=UTF-8"


@dataclass(frozen=True, slots=True)
class SimulatedAnswer:
    """An HTTP answer: status, content type, body, and headers beside the usual ones."""

    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def bare(value: object, status: int = 200) -> SimulatedAnswer:
    """A JSON value without an envelope."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        body = text.encode()
    except UnicodeEncodeError:  # a lone surrogate, which JSON can only carry escaped
        body = json.dumps(value).encode()
    return SimulatedAnswer(status, JSON, body)


def envelope(data: object, message: str | None = None) -> SimulatedAnswer:
    """`success: true` with `data`."""
    return bare({"message": message, "type": None, "success": True, "data": data})


def refusal(message: str, status: int = 200) -> SimulatedAnswer:
    """`success: false` with the reason."""
    return bare({"message": message, "type": None, "success": False, "data": None}, status)


def plain(fields: Iterable[tuple[str, object]]) -> SimulatedAnswer:
    """`success:true`, then a line a field, booleans in small letters."""
    return text("\n".join(["success:true", *(f"{name}:{_plain(value)}" for name, value in fields)]))


def plain_refusal(message: str, status: int = 200) -> SimulatedAnswer:
    """`success:false` with the reason on a line of its own."""
    return text(f"success:false\nmessage:{message}", status)


def text(body: str, status: int = 200) -> SimulatedAnswer:
    """A text as it stands."""
    return SimulatedAnswer(status, PLAIN, body.encode())


def page(status: int, words: str | None = None, headers: Mapping[str, str] | None = None) -> SimulatedAnswer:
    """An HTML page, as a web server or a proxy in front of CLN makes it."""
    words = words or "The requested page is not here."
    body = (
        f"<!DOCTYPE html>\n<html><head><title>{status} {phrase(status)} | CloudLinux Network</title></head>\n"
        f"<body><h1>{phrase(status)}</h1><p>{words}</p></body></html>\n"
    )
    return SimulatedAnswer(status, HTML, body.encode(), headers or {})


def phrase(status: int) -> str:
    """The words that go with an HTTP status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
