"""TLS contexts for CLN and proxies: trusted certificates, and whether certificates are verified."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from cln_monitor.file_reading import pem_text, read_file

if TYPE_CHECKING:
    import ssl


def client_context(ca_file: str | None, *, insecure_skip_verify: bool) -> ssl.SSLContext:
    """Return the TLS context that trusts ``ca_file``, a PEM bundle, by default that of certifi.

    It is cached until the bundle changes. Raises OSError if the bundle cannot be read.
    """
    import certifi  # noqa: PLC0415 # as ssl below, a slow import that only TLS needs

    bundle = Path(ca_file or certifi.where())
    return _tls_context(bundle, bundle.stat().st_mtime_ns, insecure_skip_verify, own=bool(ca_file))


@lru_cache(maxsize=4)
def _tls_context(bundle: Path, _changed: int, insecure_skip_verify: bool, *, own: bool) -> ssl.SSLContext:
    """Return the context that trusts ``bundle``, shared by all accounts: loading it a thousand times takes 20 s."""
    import ssl  # noqa: PLC0415

    from .sockets import keep_deadline  # noqa: PLC0415

    context = ca_context(bundle) if own else ssl.create_default_context(cafile=bundle)
    # A key log of SSLKEYLOGFILE would allow decrypting the tokens.
    context.keylog_filename = None  # type: ignore[assignment] # None is allowed
    if insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    keep_deadline(context)
    return context


def ca_context(ca_file: Path) -> ssl.SSLContext:
    """Return a TLS context that trusts the certificates in the PEM file ``ca_file``, which may be a pipe.

    Raises OSError; its subclass ``ssl.SSLError`` means that the file contains no certificates.
    """
    import ssl  # noqa: PLC0415

    try:
        data = read_file(ca_file)
    except ValueError as error:
        raise OSError(0, str(error), str(ca_file)) from None
    text = pem_text(data)
    if ca_file.is_file() and text.encode() == data:
        return ssl.create_default_context(cafile=ca_file)  # which accepts more kinds of certificates than a string
    if "-----BEGIN " not in text:
        raise ssl.SSLError("no certificates found")
    return ssl.create_default_context(cadata=text)
