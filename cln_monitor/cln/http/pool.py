"""The connection pool of one API root: persistent connections, one TLS context, no environment, no redirects.

The pool is the adapter of ``requests``, which also implements proxies. Calls use its pool manager directly, as
preparing a request and wrapping its response would take a third of the CPU time of a call.
"""

from __future__ import annotations

import copy
import logging
from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from requests.adapters import HTTPAdapter
from requests.utils import urldefragauth
from urllib3 import BaseHTTPResponse, PoolManager

from cln_monitor import __version__
from cln_monitor.urls import login_of

from .connections import POOLS
from .tls import client_context


class ConnectionPool(HTTPAdapter):
    """Sends requests to ``api_url`` over up to ``pool_size`` connections, within the call's deadline. Thread-safe.

    ``proxy`` is a URL; ``ca_file`` the path of a PEM bundle, by default that of certifi. Raises OSError if TLS is used
    and the bundle cannot be read.
    """

    __attrs__ = (*HTTPAdapter.__attrs__, "_context", "_proxy", "_api_url", "_headers")

    def __init__(
        self, *, api_url: str, pool_size: int, proxy: str | None, ca_file: str | None, insecure_skip_verify: bool
    ) -> None:
        # urllib3 logs URLs, which contain tokens, even in a warning about a malformed header.
        logging.getLogger("urllib3").setLevel(logging.ERROR)
        self._context = None
        if "https" in {urlsplit(url).scheme for url in (api_url, proxy or "")}:
            self._context = client_context(ca_file, insecure_skip_verify=insecure_skip_verify)
        super().__init__(pool_connections=1, pool_maxsize=pool_size)
        self._proxy = proxy
        self._api_url = urldefragauth(api_url)
        self._headers: dict[str, str] = {
            "User-Agent": f"cln-monitor/{__version__}",
            "Accept": "application/json, text/plain",
            "Accept-Encoding": "gzip",
            "Connection": "keep-alive",
        }
        if login := login_of(api_url):
            self._headers["Authorization"] = _basic(login)

    def clone(self) -> ConnectionPool:
        """Return a pool with the same settings and connections of its own."""
        return copy.copy(self)  # the copy of an adapter has no connections

    def request(
        self, method: str, path: str, query: Mapping[str, str], seconds: float, headers: Mapping[str, str]
    ) -> BaseHTTPResponse:
        """Send one request and return the response with an unread body. Raises the exceptions in ``FAILURES``.

        ``headers`` are sent in addition to those of all requests.
        """
        url = f"{self._api_url}{path}?{urlencode(query)}" if query else self._api_url + path
        connections: PoolManager = self.proxy_manager_for(self._proxy) if self._proxy else self.poolmanager
        return connections.urlopen(
            method,
            url,
            headers={**self._headers, **headers},
            timeout=seconds,
            redirect=False,
            retries=self.max_retries,
            preload_content=False,
        )

    def close(self) -> None:
        """Close the idle connections at once: urllib3 leaves that to the garbage collector."""
        for manager in (self.poolmanager, *self.proxy_manager.values()):
            for key in manager.pools.keys():
                if (pool := manager.pools.get(key)) is not None:
                    pool.close()
        super().close()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Use one TLS context for all connections: ``requests`` would load the CA bundle for each, 19 ms."""
        super().init_poolmanager(*args, **kwargs, ssl_context=self._context)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        """Return the headers for a ``proxy``, with its password in UTF-8: ``requests`` can only send Latin-1."""
        login = login_of(proxy)
        return {"Proxy-Authorization": _basic(login)} if login else {}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Use the TLS context for connections through and to a ``proxy`` as well."""
        contexts = {"ssl_context": self._context, "proxy_ssl_context": self._context}
        manager = super().proxy_manager_for(proxy, **kwargs, **contexts)
        manager.pool_classes_by_scheme = POOLS
        return manager


def _basic(login: tuple[bytes, bytes]) -> str:
    """Return the value of an authorization header for user and password (RFC 7617)."""
    return f"Basic {b64encode(b':'.join(login)).decode()}"
