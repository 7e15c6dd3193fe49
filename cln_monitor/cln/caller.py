"""Makes the calls of one account: credentials, token, deadline, and the words for what was attempted."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

import msgspec

from cln_monitor.masking import mask_key

from .endpoints import Endpoint
from .envelope import changed_data, json_data
from .errors import AuthorizationError, ClnError, RefusedError, TimedOutError
from .http.answer import HttpAnswer
from .http.deadline import Deadline
from .http.transport import Transport
from .redactor import Redactor, Secret
from .secret_validation import suspicion_of_secret

R = TypeVar("R")
T = TypeVar("T")


class _Keyed(Protocol):
    @property
    def key(self) -> str: ...


K = TypeVar("K", bound=_Keyed)

_LOOK_FIRST = "the change may have been made all the same: look before sending it again"


class _Sent(threading.local):
    """What is odd about the credentials that the call of this thread has sent: a sentence each."""

    odd: tuple[str, ...] = ()


_sent = _Sent()


class Credentials(msgspec.Struct, frozen=True):
    """Who asks. ``secret_key`` and ``registration_token`` are called for each request, so a changed file is seen.

    ``monitoring_keys`` are those that the account is asked about as well; they are here to be kept out of texts.
    """

    login: str
    secret_key: Callable[[], Secret]
    registration_token: Callable[[], Secret] | None = None
    monitoring_keys: Callable[[], Sequence[Secret]] = tuple

    def __repr__(self) -> str:
        return "<Credentials>"  # the login is half of them

    def hide(self, redactor: Redactor) -> None:
        """Keep what a request may carry out of the texts of ``redactor``, as it is now.

        What cannot be read is told by the call that needs it, and the others are made without it.
        """
        redactor.hide_login(self.login)
        for source in (self.secret_key, self.registration_token):
            if source is not None:
                with contextlib.suppress(Exception):  # whatever it is that a source of others raises
                    redactor.hide(source().reveal())

    def hide_all(self, redactor: Redactor) -> None:
        """Keep the monitoring keys, of which there may be thousands, out of them as well."""
        self.hide(redactor)
        with contextlib.suppress(Exception):  # as above
            for key in self.monitoring_keys():
                redactor.hide_key(key.reveal())


class Caller(msgspec.Struct, frozen=True):
    """The calls of one account over one transport, all of them over before ``deadline``."""

    transport: Transport
    credentials: Credentials | None
    deadline: Deadline

    @property
    def redactor(self) -> Redactor:
        """What keeps the secrets of these calls out of texts."""
        return self.transport.redactor

    def within(self, deadline: Deadline) -> Caller:
        """Return the same with another deadline."""
        return msgspec.structs.replace(self, deadline=deadline)

    def get_rows(self, endpoint: Endpoint, row: type[T], make: Callable[[T], R], **query: str) -> list[R]:
        """Read a JSON list as the account, and return what ``make`` makes of each ``row``. Raises ClnError."""
        return self.get_list(endpoint, row, lambda rows: [make(each) for each in rows], **query)

    def get_list(self, endpoint: Endpoint, row: type[T], make: Callable[[list[T]], list[R]], **query: str) -> list[R]:
        """Read a JSON list as the account, and return what ``make`` makes of all its rows. Raises ClnError."""
        rows: type[list[T]] = list[row]  # type: ignore[valid-type] # a type that is known when the code runs
        return self._read_json(endpoint, lambda answer: make(json_data(answer, rows)), query)

    def get_data(self, endpoint: Endpoint, kind: type[T], make: Callable[[T], R], **query: str) -> R:
        """Read JSON of a ``kind`` as the account, and return what ``make`` makes of it. Raises ClnError."""
        return self._read_json(endpoint, lambda answer: make(json_data(answer, kind)), query)

    def _read_json(self, endpoint: Endpoint, decode: Callable[[HttpAnswer], R], query: dict[str, str]) -> R:
        # Made while reading, so that an error in a row names the call, and has the secrets in it replaced.
        return self.read(endpoint, decode, query=self._with_token(query), key=query.get("key"))

    def read(
        self,
        endpoint: Endpoint,
        decode: Callable[[HttpAnswer], T],
        *,
        path: Callable[[], dict[str, str]] = dict,
        query: Callable[[], dict[str, str]] = dict,
        key: str | None = None,
    ) -> T:
        """Read a call and return what ``decode`` makes of its answer. ``key`` is the license key it asks about."""
        with self._error_context(f"reading {endpoint.template}", key):
            return self.transport.read(endpoint, path, query, decode, self.deadline)

    def change(
        self,
        endpoint: Endpoint,
        kind: type[T],
        make: Callable[[T], R],
        *,
        empty_is_nothing: bool = False,
        **query: str | None,
    ) -> R:
        """Send a change as the account, once, and return what ``make`` makes of the ``kind`` that CLN gives.

        What is None in ``query`` is not sent. Raises NotDoneError when CLN did nothing, and other ClnErrors.
        """
        given = {name: value for name, value in query.items() if value is not None}
        return self.write(
            endpoint,
            lambda answer: make(changed_data(answer, kind, empty_is_nothing=empty_is_nothing)),
            query=self._with_token(given),
            key=given.get("key"),
        )

    def change_rows(
        self, endpoint: Endpoint, row: type[T], make: Callable[[T], R], *, empty_is_nothing: bool = False, **query: str
    ) -> list[R]:
        """Send a change as :meth:`change` does, and return what ``make`` makes of each ``row`` that CLN gives."""
        rows: type[list[T] | T] = list[row] | row  # type: ignore[valid-type,assignment] # known when the code runs
        return self.change(
            endpoint,
            rows,
            lambda data: [make(each) for each in (data if isinstance(data, list) else [data])],
            empty_is_nothing=empty_is_nothing,
            **query,
        )

    def write(
        self,
        endpoint: Endpoint,
        decode: Callable[[HttpAnswer], T],
        *,
        query: Callable[[], dict[str, str]],
        key: str | None = None,
        if_lost: str = _LOOK_FIRST,
    ) -> T:
        """Send a call that changes something, once; return what ``decode`` makes of its answer.

        ``key`` is the license key it is about. When nobody knows whether the change was made, the error says
        ``if_lost``.
        """
        try:
            with self._error_context(f"sending {endpoint.template}", key):
                return self.transport.write(endpoint, query, decode, self.deadline)
        except ClnError as error:
            if error.request_sent and not isinstance(error, RefusedError | AuthorizationError):
                error.mark_uncertain(if_lost)
            raise

    @contextlib.contextmanager
    def _error_context(self, what: str, key: str | None) -> Iterator[None]:
        """Name in each error what was attempted, and keep the key out of it."""
        attempted = f"{what} at {self.transport.settings.api}"
        if key is not None:
            self.redactor.hide_key(key)
            attempted += f" for key {mask_key(key)}"
        _sent.odd = ()
        try:
            yield
            self._hide_credentials()
        except ClnError as error:
            self._hide_credentials()
            if isinstance(error, AuthorizationError):
                error.problem = "; ".join([error.problem, *_sent.odd])
            if isinstance(error, TimedOutError) and error.of_run and self.deadline.name:
                error.problem += f"; more time takes a larger {self.deadline.name}"
            error.add_context(attempted, self.redactor.scrub)
            raise

    def _hide_credentials(self) -> None:
        """Keep out of texts all that the account is known by, before what came back is shown: it may be in there.

        Also what this call did not carry, and what has changed since the last one.
        """
        if self.credentials is not None:
            self.credentials.hide(self.redactor)

    def register_secrets(self, things: list[K]) -> list[K]:
        """Return ``things``; from now on no text shows the license keys in them."""
        for thing in things:
            self.redactor.hide_key(thing.key)
        return things

    def register_secret(self, thing: K) -> K:
        """Return ``thing``; from now on no text shows the license key in it."""
        return self.register_secrets([thing])[0]

    def token(self) -> str:
        """Return a fresh authorization token. Raises ValueError when this client has no credentials."""
        credentials = self._known_credentials()
        secret_key = self._secret("secret key", credentials.secret_key)
        return make_token(credentials.login, secret_key, self.transport.clock.time())

    def reseller(self) -> dict[str, str]:
        """Return login and token for the calls that carry them in their path: the static token, else a fresh one."""
        credentials = self._known_credentials()
        if credentials.registration_token is None:
            return {"login": credentials.login, "token": self.token()}
        return {"login": credentials.login, "token": self._secret("registration token", credentials.registration_token)}

    def _secret(self, name: str, source: Callable[[], Secret]) -> str:
        try:
            text = source().reveal()
        except OSError as error:
            raise AuthorizationError(f"nothing was sent, as the {name} cannot be read ({error.strerror})") from None
        except ValueError as error:
            raise AuthorizationError(f"nothing was sent, as the {name} cannot be read (it {error})") from None
        self.redactor.hide(text)  # the source may give another one by the time the answer is here
        self._note_odd(name, text)
        return text

    def _note_odd(self, name: str, text: str) -> None:
        if suspicion := suspicion_of_secret(text):
            _sent.odd += (f"the {name} {suspicion}",)

    def _known_credentials(self) -> Credentials:
        if self.credentials is None:
            raise ValueError("this client has no login and secret key: it can read the status of CLN alone")
        _sent.odd = ()  # once a request
        self._note_odd("login", self.credentials.login)
        return self.credentials

    def _with_token(self, query: dict[str, str]) -> Callable[[], dict[str, str]]:
        return lambda: query | {"token": self.token()}


def make_token(login: str, secret_key: str, now: float) -> str:
    """Return ``login|timestamp|sha1hex(secret_key + timestamp)`` (API document, "API overview").

    ``now`` is in Unix seconds; CLN takes a token for 30 minutes, so each request makes its own.
    """
    timestamp = str(int(now))
    # The API document prescribes SHA-1; nothing here rests on its collision resistance.
    signed = (secret_key + timestamp).encode("utf-8", "surrogateescape")  # the environment may hold any bytes
    digest = hashlib.sha1(signed, usedforsecurity=False).hexdigest()
    return f"{login}|{timestamp}|{digest}"
