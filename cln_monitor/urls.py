"""Validate URLs, so that a URL that can never work is reported at once and not at each request; take them apart."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes, urlsplit


def is_http_url(text: str) -> bool:
    """Return whether ``text`` is an http or https URL, on one line, with a valid host and port."""
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
    from urllib3.util import parse_url  # noqa: PLC0415 # as requests does; a slow import that is rarely needed

    return parse_url(url).host or ""


def _is_host(host: str) -> bool:
    return len(host) < 254 and all(0 < len(label) < 64 for label in host.removesuffix(".").split("."))


def host_of(url: str) -> str:
    """Return the host of ``url`` with its port and without credentials. Raises ValueError for an invalid URL."""
    return urlsplit(url).netloc.rpartition("@")[2]


def login_of(url: str) -> tuple[bytes, bytes] | None:
    """Return user and password in ``url``, percent-decoded, as UTF-8 bytes; None if it has neither."""
    parts = urlsplit(url)
    if parts.username is None and parts.password is None:
        return None
    user, password = (
        unquote_to_bytes((part or "").encode("utf-8", "surrogateescape")) for part in (parts.username, parts.password)
    )
    return user, password
