"""Valid URLs and their hosts."""

from __future__ import annotations

import pytest

from cln_monitor.urls import host_of, is_http_url


@pytest.mark.parametrize(
    "url", ["http://h", "https://h:8080/a", "http://[::1]:80/", "http://me:pw@h", "http://h\u00f6st/"]
)
def test_good(url: str) -> None:
    """A URL may have a non-ASCII host, a port, a path and a login."""
    assert is_http_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "h:80",
        "ftp://h",
        "http://",
        "http://:80",
        "http://h:0",
        "http://h:x",
        "http://a..b",
        "http://h/a b",
        "http://h\n",
    ],
)
def test_bad(url: str) -> None:
    """A URL with an impossible host or port, or with spaces, is invalid."""
    assert not is_http_url(url)


def test_host_of() -> None:
    """The host of a URL includes its port, and not its login."""
    assert host_of("https://me:pl4nted@h.example:8443/api") == "h.example:8443"
