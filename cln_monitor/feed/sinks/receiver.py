"""A receiver with several endpoints: they are tried in turn, starting with the one that answered last."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from cln_monitor.cln import Redactor, ca_context
from cln_monitor.cln.http.sockets import keep_deadline
from cln_monitor.text_cleaning import clean_text

from .connection import Connection, Request, RequestError

T = TypeVar("T")
Decode = Callable[[int, bytes], T]
"""Returns what a response with a status and a body means. Raises AnswerError if it has no usable meaning."""


class AnswerError(Exception):
    """A server answered, but not as the receiver that was expected; the text says how."""


class ReceiverError(Exception):
    """No endpoint gave a usable answer; the text has the reason of each. ``answered``: at least one did answer."""

    def __init__(self, text: str, *, answered: bool) -> None:
        super().__init__(text)
        self.answered = answered


class Receiver:
    """Sends requests to the first of ``connections`` that answers. ``redactor`` removes secrets from its errors."""

    def __init__(self, connections: Sequence[Connection], redactor: Redactor) -> None:
        self._connections = connections
        self._redactor = redactor
        self._first = 0

    def ask(self, request: Request, decode: Decode[T], ends_at: float) -> tuple[str, T]:
        """Return the name of the endpoint that answered ``request``, and what its answer means.

        ``ends_at`` is a time of ``time.monotonic``; each endpoint that is left gets an equal share of the time until
        then. Raises ReceiverError.
        """
        reasons, answered = [], False
        for tried in range(len(self._connections)):
            index = (self._first + tried) % len(self._connections)
            connection = self._connections[index]
            seconds = (ends_at - time.monotonic()) / (len(self._connections) - tried)
            if seconds <= 0:
                reasons.append(f"{connection.name}: not asked: the time for sending is over")
                break
            try:
                decoded = decode(*connection.exchange(request, seconds))
            except (RequestError, AnswerError) as error:
                answered = answered or isinstance(error, AnswerError)
                reasons.append(f"{connection.name}: {error}")
            else:
                self._first = index
                return connection.name, decoded
        raise ReceiverError(self.scrub("; ".join(reasons)), answered=answered)

    def scrub(self, text: str) -> str:
        """Return ``text`` on one line and without secrets."""
        return clean_text(self._redactor.scrub(text), 500)

    def close(self) -> None:
        """Close all connections."""
        for connection in self._connections:
            connection.close()


class TlsFiles:
    """Makes the TLS context of new connections from PEM files, again when one of them changes.

    Without ``ca_file`` the certificates of the system are trusted.
    """

    def __init__(self, ca_file: str | None = None, cert_file: str | None = None, key_file: str | None = None) -> None:
        self._ca_file, self._cert_file, self._key_file = ca_file, cert_file, key_file
        self._made: tuple[object, ssl.SSLContext] | None = None

    def __call__(self) -> ssl.SSLContext:
        """Return the context. Raises OSError."""
        stamp = tuple(map(_stamp, filter(None, (self._ca_file, self._cert_file, self._key_file))))
        if self._made is None or self._made[0] != stamp:
            self._made = stamp, self._context()
        return self._made[1]

    def _context(self) -> ssl.SSLContext:
        try:
            context = ca_context(Path(self._ca_file)) if self._ca_file else ssl.create_default_context()
        except ssl.SSLError:
            raise OSError(0, "no certificates found", self._ca_file) from None
        # The authority that Icinga 2 generates has no key identifiers, which newer Pythons require.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        context.keylog_filename = None  # type: ignore[assignment] # None is allowed: SSLKEYLOGFILE would expose the password
        if self._cert_file:
            try:
                context.load_cert_chain(self._cert_file, self._key_file, password=_no_password)
            except ssl.SSLError as error:
                reason = (error.reason or "not PEM files").lower().replace("_", " ")
                raise OSError(0, f"not a usable certificate with its key: {reason}", self._cert_file) from None
        keep_deadline(context)
        return context


def _stamp(name: str) -> tuple[int, int, int]:
    state = Path(name).stat()
    return state.st_mtime_ns, state.st_size, state.st_ino


def _no_password() -> str:
    raise OSError(0, "the key is encrypted, which is not supported")  # else OpenSSL would ask on the terminal
