"""The transport settings of an API root, and their validation."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import msgspec

from cln_monitor.urls import host_of, is_http_url, login_of

API_URL = "https://cln.cloudlinux.com/api"
"""The API root of CLN."""

TIMEOUT = 15.0
"""The default timeout of one request in seconds."""

CONCURRENCY = 8
"""The default maximum number of concurrent calls."""

REQUESTS_PER_SECOND = 10.0
"""The default maximum rate for one host. CLN documents no limit, so this is a conservative one."""

_API_URL = f"expected the URL of a CLN API root, for example {API_URL}"
_PROXY = "expected the URL of a proxy, for example http://proxy.example.com:3128"


class TransportSettings(msgspec.Struct, frozen=True):
    """The transport settings of one API root. ``timeout``: seconds for one request.

    ``proxy``: a URL or None; ``ca_file``: a PEM file or None; ``label``: the name of the API root if its host alone
    would be ambiguous. For errors, ``server`` is what answers there, and ``url_setting`` the setting of its URL.
    ``largest_body``: the maximum size in bytes of a decompressed response, by default ``LARGEST_BODY``.
    """

    api_url: str = API_URL
    label: str = ""
    timeout: float = TIMEOUT
    proxy: str | None = None
    ca_file: str | None = None
    insecure_skip_verify: bool = False
    server: str = "CLN"
    url_setting: str = "api_url"
    largest_body: int | None = None

    @property
    def host(self) -> str:
        """The host of the API root, with its port if the URL has one."""
        return host_of(self.api_url)

    @property
    def api(self) -> str:
        """The name of the API root: its label, or its host."""
        return self.label or self.host

    def __repr__(self) -> str:
        return f"<TransportSettings of {self.api}>"  # the URL of the proxy may contain a password


def problem_of_api_url(url: str) -> str:
    """Return what is wrong with the URL of a CLN API root, or ""."""
    return _API_URL if not is_http_url(url) or set("?#@") & set(url) else ""


def problem_of_proxy(url: str) -> str:
    """Return what is wrong with the URL of an HTTP proxy, or "". It never has the URL with its password."""
    if not is_http_url(url):
        return _PROXY
    user, password = login_of(url) or (b"", b"")
    if b":" in user:
        return "the user contains a colon, which RFC 7617 does not allow"
    if any(byte < 0x20 or byte == 0x7F for byte in user + password):
        return "the user or password contains a control character, which RFC 7617 does not allow"
    return ""


def ignored_proxy(url: str) -> str:
    """Return the environment variable that sets a proxy for ``url``, or "". Its value is never shown.

    It is ignored: a token must not be sent to a proxy that happens to be set in a shell, and a configuration must have
    the same effect in a service, a plugin and a terminal.
    """
    from requests.utils import should_bypass_proxies  # noqa: PLC0415 # loaded by then: a call has failed

    variables = (f"{urlsplit(url).scheme}_proxy", "all_proxy")
    names = [name for variable in variables for name in (variable, variable.upper())]
    name = next((name for name in names if os.environ.get(name, "").strip()), "")
    return "" if should_bypass_proxies(url, no_proxy=None) else name
