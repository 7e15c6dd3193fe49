"""HTTP to one CLN: connections that are kept, one TLS context, nothing taken from the environment, nobody followed.

They are kept by the adapter of ``requests``, which also knows how proxies are spoken to. A call goes to them without
the ``ConnectionPool`` before it: to prepare a request and to wrap its answer is a third of all the CPU that a call
takes.
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
from cln_monitor.cln.redactor import login_of

from .connections import POOLS
from .tls import client_context


class ConnectionPool(HTTPAdapter):
    """Asks ``api_url`` over up to ``pool_size`` connections, which keep the call's deadline. Safe between threads.

    ``proxy`` is a URL; ``ca_file`` the path of a PEM bundle, by default that of certifi. Raises OSError when there is
    TLS and the bundle cannot be read.
    """

    __attrs__ = (*HTTPAdapter.__attrs__, "_context", "_proxy", "_api_url", "_headers")

    def __init__(
        self, *, api_url: str, pool_size: int, proxy: str | None, ca_file: str | None, insecure_skip_verify: bool
    ) -> None:
        # It logs what it asks for, and with it tokens: as a warning already, when a header is malformed.
        logging.getLogger("urllib3").setLevel(logging.ERROR)
        self._context = None
        if "https" in {urlsplit(url).scheme for url in (api_url, proxy or "")}:
            self._context = client_context(ca_file, insecure_skip_verify=insecure_skip_verify)
        super().__init__(pool_connections=1, pool_maxsize=pool_size)
        self._proxy = proxy
        self._api_url = urldefragauth(api_url)
        self._headers = {
            "User-Agent": f"cln-monitor/{__version__}",
            "Accept": "application/json, text/plain",
            "Accept-Encoding": "gzip",
            "Connection": "keep-alive",
        }
        if login := login_of(api_url):
            self._headers["Authorization"] = _basic(login)

    def another(self) -> ConnectionPool:
        """Return a session that asks in the same way over connections of its own."""
        return copy.copy(self)  # an adapter of ``requests`` opens none of those that it is a copy of

    def ask(self, method: str, path: str, query: Mapping[str, str], seconds: float) -> BaseHTTPResponse:
        """Send one request and return its answer, the body unread. Raises what ``FAILURES`` lists."""
        url = f"{self._api_url}{path}?{urlencode(query)}" if query else self._api_url + path
        connections: PoolManager = self.proxy_manager_for(self._proxy) if self._proxy else self.poolmanager
        return connections.urlopen(
            method,
            url,
            headers=self._headers,
            timeout=seconds,
            redirect=False,
            retries=self.max_retries,
            preload_content=False,
        )

    def close(self) -> None:
        """End the connections that no call uses, at once: urllib3 leaves that to the collection of garbage."""
        for manager in (self.poolmanager, *self.proxy_manager.values()):
            for key in manager.pools.keys():
                if (pool := manager.pools.get(key)) is not None:
                    pool.close()
        super().close()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Hand one TLS context to all connections: by itself ``requests`` loads the CA bundle for each, 19 ms."""
        super().init_poolmanager(*args, **kwargs, ssl_context=self._context)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        """Return what a ``proxy`` is sent: ``requests`` sends its password in Latin-1, which not all have."""
        login = login_of(proxy)
        return {"Proxy-Authorization": _basic(login)} if login else {}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Hand it to those through a ``proxy`` as well, and to that with the proxy."""
        contexts = {"ssl_context": self._context, "proxy_ssl_context": self._context}
        manager = super().proxy_manager_for(proxy, **kwargs, **contexts)
        manager.pool_classes_by_scheme = POOLS
        return manager


def _basic(login: tuple[bytes, bytes]) -> str:
    """Return what a header carries of a ``login``, user and password (RFC 7617)."""
    return f"Basic {b64encode(b':'.join(login)).decode()}"
