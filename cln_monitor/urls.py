"""Which URLs can be asked: what could only fail at each request is an error at once."""

from __future__ import annotations

from urllib.parse import urlsplit


def is_http_url(text: str) -> bool:
    """Tell whether ``text`` is a URL of http or https, on one line, whose host and port can be connected to."""
    if not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
        if not host.isascii():
            host = _in_letters_of_dns(text)
        return parts.scheme in {"http", "https"} and bool(host) and parts.port != 0 and _is_host(host)
    except ValueError:
        return False


def _in_letters_of_dns(url: str) -> str:
    from urllib3.util import parse_url  # noqa: PLC0415 # as requests does it; hardly anybody needs it, and it takes long

    return parse_url(url).host or ""


def _is_host(host: str) -> bool:
    return len(host) < 254 and all(0 < len(label) < 64 for label in host.removesuffix(".").split("."))


def host_of(url: str) -> str:
    """Return the host of ``url`` with its port, and without the login in it. Raises ValueError where it is no URL."""
    return urlsplit(url).netloc.rpartition("@")[2]
