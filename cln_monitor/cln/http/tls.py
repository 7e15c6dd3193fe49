"""TLS towards CLN and its proxy: which certificates are trusted, and whether they are verified at all."""

from __future__ import annotations

import ssl
from functools import lru_cache
from pathlib import Path

import certifi

from cln_monitor.file_reading import pem_text, read_file

from .sockets import keep_deadline


def client_context(ca_file: str | None, *, insecure_skip_verify: bool) -> ssl.SSLContext:
    """Return the context for connections that trust ``ca_file``, a PEM bundle, by default that of certifi.

    It is made once for each bundle, until that changes. Raises OSError when the bundle cannot be read.
    """
    bundle = Path(ca_file or certifi.where())
    return _tls_context(bundle, bundle.stat().st_mtime_ns, insecure_skip_verify, own=bool(ca_file))


@lru_cache(maxsize=4)
def _tls_context(bundle: Path, _changed: int, insecure_skip_verify: bool, *, own: bool) -> ssl.SSLContext:
    """Return what trusts ``bundle``, the same for all accounts: to load it for each of a thousand takes 20 s."""
    context = trusting(bundle) if own else ssl.create_default_context(cafile=bundle)
    # What SSLKEYLOGFILE would have written down reads the tokens.
    context.keylog_filename = None  # type: ignore[assignment] # typed as if it could not be unset
    if insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    keep_deadline(context)
    return context


def trusting(ca_file: Path) -> ssl.SSLContext:
    """Return a context that trusts the certificates in the PEM file ``ca_file``, which may be a pipe.

    Raises OSError, of which ``ssl.SSLError`` is the one for a file without certificates.
    """
    try:
        data = read_file(ca_file)
    except ValueError as error:
        raise OSError(0, str(error), str(ca_file)) from None
    text = pem_text(data)
    if ca_file.is_file() and text.encode() == data:
        return ssl.create_default_context(cafile=ca_file)  # which takes more kinds of certificates than a text
    if "-----BEGIN " not in text:
        raise ssl.SSLError("it holds no certificates")
    return ssl.create_default_context(cadata=text)
