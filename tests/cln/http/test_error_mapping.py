"""Translation of the exceptions of the HTTP libraries into errors without URLs."""

from __future__ import annotations

import http.client
import socket
import ssl

import pytest
import urllib3

from cln_monitor.cln import BadAnswerError, ClnError, TimedOutError, UnreachableError
from cln_monitor.cln.http.error_mapping import FAILURES, Attempt, translate
from cln_monitor.http_body import BodyError, UnfinishedBodyError
from cln_monitor.http_response import InvalidResponseError, NotHttpError

URL = "https://cln.cloudlinux.com/api/kcare/key/list.json?token=planted"


def chained(error: BaseException, cause: BaseException) -> BaseException:
    """Return ``error`` as raised from ``cause``."""
    error.__cause__ = cause
    return error


def certificate_error() -> ssl.SSLCertVerificationError:
    """Return a certificate error as OpenSSL raises it."""
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "certificate has expired"
    return error


def tls_error(reason: str) -> ssl.SSLError:
    """Return a TLS error as OpenSSL raises it."""
    error = ssl.SSLError(1, f"[SSL: {reason}]")
    error.reason = reason
    return error


MEANINGS: dict[str, tuple[BaseException, type[ClnError], bool, str]] = {
    "a time-out of the socket": (
        TimeoutError("timed out"),
        TimedOutError,
        False,
        "timed out after 1.5 s while reading the response",
    ),
    "a time-out of urllib3": (
        urllib3.exceptions.ReadTimeoutError(None, URL, "Read timed out."),  # type: ignore[arg-type]
        TimedOutError,
        False,
        "timed out after 1.5 s while reading the response",
    ),
    "a name that does not resolve": (
        urllib3.exceptions.ProtocolError(
            "Connection aborted.", chained(OSError(URL), socket.gaierror(-2, "Name or service not known"))
        ),
        UnreachableError,
        True,
        "cannot resolve the host name: Name or service not known",
    ),
    "a certificate": (
        urllib3.exceptions.SSLError(certificate_error()),
        UnreachableError,
        False,
        "TLS certificate verification failed: certificate has expired",
    ),
    "TLS that ends too soon": (
        ssl.SSLEOFError(8, "EOF occurred in violation of protocol"),
        UnreachableError,
        True,
        "connection closed while reading the response",
    ),
    "TLS that ends too soon, up to Python 3.11.3": (
        tls_error("UNEXPECTED_EOF_WHILE_READING"),
        UnreachableError,
        True,
        "connection closed while reading the response",
    ),
    "no TLS at all": (
        tls_error("WRONG_VERSION_NUMBER"),
        UnreachableError,
        False,
        "TLS handshake failed: the server does not speak TLS; check api_url",
    ),
    "other trouble of TLS": (
        tls_error("SSLV3_ALERT_HANDSHAKE_FAILURE"),
        UnreachableError,
        False,
        "TLS error: sslv3 alert handshake failure",
    ),
    "TLS without a reason": (ssl.SSLError(), UnreachableError, False, "TLS error: no reason given"),
    "a cut body": (
        urllib3.exceptions.ProtocolError(URL, http.client.IncompleteRead(b"half")),
        BadAnswerError,
        True,
        "incomplete response from CLN: the connection was closed before the end of the body",
    ),
    "no gzip": (
        urllib3.exceptions.ProtocolError(URL, BodyError("invalid gzip data")),
        BadAnswerError,
        False,
        "unexpected response from CLN: invalid gzip data",
    ),
    "a closed port": (
        urllib3.exceptions.ProtocolError(
            "Connection aborted.", chained(OSError(URL), ConnectionRefusedError(111, "Connection refused"))
        ),
        UnreachableError,
        True,
        "connection refused",
    ),
    "a reset": (
        urllib3.exceptions.ProtocolError(URL, ConnectionResetError(104, "Connection reset by peer")),
        UnreachableError,
        True,
        "connection closed while reading the response",
    ),
    "an end without an answer": (
        urllib3.exceptions.ProtocolError("Connection aborted.", http.client.RemoteDisconnected(URL)),
        UnreachableError,
        True,
        "connection closed while reading the response",
    ),
    "no HTTP": (
        urllib3.exceptions.ProtocolError("Connection aborted.", http.client.BadStatusLine("SSH-2.0-OpenSSH_9.6")),
        BadAnswerError,
        False,
        "unexpected response from CLN: not valid HTTP; check api_url",
    ),
    "a stream without its end": (
        UnfinishedBodyError("the gzip stream ends early"),
        BadAnswerError,
        True,
        "incomplete response from CLN: the gzip stream ends early",
    ),
    "what does not begin as HTTP": (
        urllib3.exceptions.ProtocolError("Connection aborted.", NotHttpError("no HTTP status line")),
        BadAnswerError,
        False,
        "unexpected response from CLN: not valid HTTP (no HTTP status line); check api_url",
    ),
    "invalid HTTP": (
        urllib3.exceptions.ProtocolError("Connection aborted.", InvalidResponseError("malformed header")),
        BadAnswerError,
        False,
        "unexpected response from CLN: not valid HTTP (malformed header)",
    ),
    "two lengths": (
        urllib3.exceptions.InvalidHeader("Content-Length: 1, 2"),
        BadAnswerError,
        False,
        "unexpected response from CLN: not valid HTTP; check api_url",
    ),
    "no route": (
        urllib3.exceptions.ProtocolError("Connection aborted.", OSError(113, "No route to host")),
        UnreachableError,
        True,
        "No route to host while reading the response",
    ),
    "a proxy that refuses": (
        urllib3.exceptions.ProxyError(URL, OSError("Tunnel connection failed: 407 Proxy Authentication Required")),
        UnreachableError,
        False,
        "the proxy refused the connection: 407 Proxy Authentication Required",
    ),
    "a proxy that fails": (
        urllib3.exceptions.ProxyError(URL, OSError("Tunnel connection failed: 502 Bad Gateway")),
        UnreachableError,
        True,
        "the proxy refused the connection: 502 Bad Gateway",
    ),
    "a proxy that is not there": (
        urllib3.exceptions.ProxyError(URL, ConnectionRefusedError(111, "Connection refused")),
        UnreachableError,
        True,
        "cannot connect to the proxy: Connection refused",
    ),
    "some proxy trouble": (
        urllib3.exceptions.ProxyError(URL, ValueError(URL)),
        UnreachableError,
        True,
        "cannot connect through the proxy",
    ),
    "an error of its own": (
        urllib3.exceptions.LocationParseError(URL),
        UnreachableError,
        False,
        "LocationParseError while reading the response",
    ),
    "an unexpected error": (ValueError(URL), UnreachableError, False, "ValueError while reading the response"),
}


@pytest.mark.parametrize(("error", "kind", "transient", "text"), MEANINGS.values(), ids=MEANINGS.keys())
def test_meaning(error: BaseException, kind: type[ClnError], transient: bool, text: str) -> None:
    """Each exception is translated to a type, whether it is transient, and a text without URLs."""
    assert isinstance(error, FAILURES)
    meant = translate(error, Attempt("while reading the response", 1.5))
    assert (type(meant), meant.transient, str(meant)) == (kind, transient, text)
    assert "planted" not in repr(meant)


def test_errors_that_lead_to_each_other() -> None:
    """A cycle of causes does not loop forever."""
    error, other = OSError(1, "one"), OSError(2, "two")
    error.__cause__, other.__cause__ = other, error
    assert str(translate(error, Attempt("while connecting", 1))) == "one while connecting"


def test_whether_the_request_had_left() -> None:
    """The error records whether a part of the request may have been sent."""
    assert translate(OSError("x"), Attempt("while waiting for the response", 1.5), request_sent=True).request_sent
    assert not translate(OSError("x"), Attempt("while connecting", 1.5)).request_sent
