"""A ``requests.Session`` for the CLN API: its own pool, one TLS context, nothing taken from the environment."""

from __future__ import annotations

import logging
import ssl
from functools import lru_cache
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import certifi
import requests
from requests.adapters import HTTPAdapter

from cln_monitor import __version__

from .deadline import POOLS, keep_deadline


def make_session(
    *, api_url: str, pool_size: int, proxy: str | None, ca_file: str | None, insecure_skip_verify: bool
) -> requests.Session:
    """Return a session for ``api_url`` whose pool holds ``pool_size`` connections that keep the call's deadline.

    ``proxy`` is a URL; ``ca_file`` the path of a PEM bundle, by default that of certifi. Raises OSError when there is
    TLS and the bundle cannot be read.
    """
    # It logs what it asks for, and with it tokens: as a warning already, when a header is malformed.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    session = _Session()
    session.trust_env = False  # a ~/.netrc must not add credentials, nor the environment a proxy nobody configured
    session.headers["User-Agent"] = f"cln-monitor/{__version__}"
    session.headers["Accept"] = "application/json, text/plain"
    session.headers["Accept-Encoding"] = "gzip"
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    if proxy:
        session.proxies = {"http": proxy, "https": proxy}
    context = None
    if "https" in {urlsplit(url).scheme for url in (api_url, proxy or "")}:
        bundle = Path(ca_file or certifi.where())
        context = _tls_context(bundle, bundle.stat().st_mtime_ns, insecure_skip_verify)
    adapter = _Adapter(context, pool_size)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


@lru_cache(maxsize=4)
def _tls_context(bundle: Path, _changed: int, insecure_skip_verify: bool) -> ssl.SSLContext:
    """Return what trusts ``bundle``, the same for all accounts: to load it for each of a thousand takes 20 s."""
    context = ssl.create_default_context(cafile=bundle)
    if insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    keep_deadline(context)
    return context


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Know of no redirect: ``requests`` reads the whole body of one, however large, even when it follows none."""


class _Adapter(HTTPAdapter):
    """Hands one TLS context to all connections: by itself ``requests`` loads the CA bundle anew for each, 19 ms."""

    def __init__(self, context: ssl.SSLContext | None, pool_size: int) -> None:
        self._context = context
        super().__init__(pool_connections=1, pool_maxsize=pool_size)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=self._context)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        contexts = {"ssl_context": self._context, "proxy_ssl_context": self._context}
        manager = super().proxy_manager_for(proxy, **kwargs, **contexts)
        manager.pool_classes_by_scheme = POOLS
        return manager

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> Any:
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {}  # what would be here asks for a CA bundle of its own

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave the connection alone: the TLS context says all."""
