"""How to reach one CLN."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import msgspec
from requests.utils import should_bypass_proxies

from cln_monitor.cln.redactor import login_of
from cln_monitor.urls import host_of, is_http_url

API_URL = "https://cln.cloudlinux.com/api"
"""The API root of CLN itself."""

TIMEOUT = 15.0
"""Seconds for one request, unless something else is set."""

CONCURRENCY = 8
"""Calls in flight, unless something else is set."""

REQUESTS_PER_SECOND = 10.0
"""To one host, unless something else is set. CLN documents no limit, so this is a polite one."""

_API_URL = f"expected the root of a CLN API, such as {API_URL}"
_PROXY = "expected an address such as http://proxy.example.com:3128"


class TransportSettings(msgspec.Struct, frozen=True):
    """How to reach one CLN. ``timeout``: seconds for one request; ``proxy``: URL or None; ``ca_file``: PEM or None.

    ``label`` is what to call it where its host alone would be ambiguous.
    """

    api_url: str = API_URL
    label: str = ""
    timeout: float = TIMEOUT
    proxy: str | None = None
    ca_file: str | None = None
    insecure_skip_verify: bool = False

    @property
    def host(self) -> str:
        """The host of the API root, with its port where one is given."""
        return host_of(self.api_url)

    @property
    def api(self) -> str:
        """What to call this CLN: its host, or its label."""
        return self.label or self.host

    def __repr__(self) -> str:
        return f"<TransportSettings of {self.api}>"  # in the proxy's URL may be a password


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


def ignored_proxy(url: str) -> str:
    """Return the variable by which other programs reach ``url`` through a proxy, "" for none. Its value is never shown.

    A token must not go where the shell of whoever starts the program happens to point, and the same configuration has
    to go the same way from a service, a core's plugin and a terminal.
    """
    names = [name for each in (f"{urlsplit(url).scheme}_proxy", "all_proxy") for name in (each, each.upper())]
    name = next((name for name in names if os.environ.get(name, "").strip()), "")
    return "" if should_bypass_proxies(url, no_proxy=None) else name
