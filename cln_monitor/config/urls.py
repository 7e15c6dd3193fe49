"""Which URLs of a configuration can be used: what could only fail with each call is an error at once."""

from __future__ import annotations

from cln_monitor.cln import login_of
from cln_monitor.urls import is_http_url

_API_URL = "expected the root of a CLN API, such as https://cln.cloudlinux.com/api"
_PROXY = "expected an address such as http://proxy.example.com:3128"


def problem_of_api_url(url: str) -> str:
    """Return what is wrong with the root of a CLN API, "" for nothing."""
    return _API_URL if not is_http_url(url) or set("?#@") & set(url) else ""


def problem_of_proxy(url: str) -> str:
    """Return what is wrong with the URL of an HTTP proxy, "" for nothing. It never shows the URL: it has a password."""
    if not is_http_url(url):
        return _PROXY
    user, password = login_of(url) or (b"", b"")
    if b":" in user:
        return "its user has a colon, which cannot be sent (RFC 7617)"
    if any(byte < 0x20 or byte == 0x7F for byte in user + password):
        return "its user or password has a control character, which cannot be sent (RFC 7617)"
    return ""
