"""Make the calls of one account: credentials, token, deadline, and the context of errors."""

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
from .errors import AuthorizationError, BadAnswerError, ClnError, RefusedError, TimedOutError
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

_FORBIDDEN, _NOT_FOUND = 403, 404
_CHECK_FIRST = "the change may have been made; check before you repeat it"


class _Sent(threading.local):
    """Suspicions about the credentials that the call of this thread has sent, one sentence each."""

    suspicions: tuple[str, ...] = ()


_sent = _Sent()


class Credentials(msgspec.Struct, frozen=True):
    """The credentials of an account. ``secret_key`` and ``registration_token`` are called for each request, so that a
    changed file takes effect.

    ``monitoring_keys`` returns the monitoring keys of the account, which are registered as secrets. An account of
    monitoring keys alone has neither a ``login`` nor a ``secret_key``.
    """

    login: str | None
    secret_key: Callable[[], Secret] | None
    registration_token: Callable[[], Secret] | None = None
    monitoring_keys: Callable[[], Sequence[Secret]] = tuple

    def __repr__(self) -> str:
        return "<Credentials>"  # the login is a part of the credentials

    def hide(self, redactor: Redactor) -> None:
        """Register the current secrets of a request with ``redactor``.

        A secret that cannot be read is reported by the call that needs it; other calls work without it.
        """
        if self.login is not None:
            redactor.hide_login(self.login)
        for source in (self.secret_key, self.registration_token):
            if source is not None:
                with contextlib.suppress(Exception):  # a source may raise any exception
                    redactor.hide(source().reveal())

    def hide_all(self, redactor: Redactor) -> None:
        """Register the monitoring keys, of which there may be thousands, as well."""
        self.hide(redactor)
        with contextlib.suppress(Exception):  # as above
            for key in self.monitoring_keys():
                redactor.hide_key(key.reveal())


class Caller(msgspec.Struct, frozen=True):
    """Makes the calls of one account over one transport, all of them before ``deadline``."""

    transport: Transport
    credentials: Credentials | None
    deadline: Deadline

    @property
    def redactor(self) -> Redactor:
        """The redactor that removes the secrets of these calls from texts."""
        return self.transport.redactor

    def within(self, deadline: Deadline) -> Caller:
        """Return a copy with another deadline."""
        return msgspec.structs.replace(self, deadline=deadline)

    def get_rows(self, endpoint: Endpoint, row: type[T], make: Callable[[T], R], **query: str) -> list[R]:
        """Read a JSON list as the account and return ``make(row)`` of each row, decoded as ``row``. Raises ClnError."""
        return self.get_list(endpoint, row, lambda rows: list(map(make, rows)), **query)

    def get_list(self, endpoint: Endpoint, row: type[T], make: Callable[[list[T]], list[R]], **query: str) -> list[R]:
        """Read a JSON list as the account and return ``make(rows)``, each decoded as ``row``. Raises ClnError."""
        rows: type[list[T]] = list[row]  # type: ignore[valid-type] # a type known only at run time
        return self._read_json(endpoint, lambda answer: make(json_data(answer, rows)), query)

    def get_data(self, endpoint: Endpoint, kind: type[T], make: Callable[[T], R], **query: str) -> R:
        """Read JSON as the account and return ``make(data)``, decoded as ``kind``. Raises ClnError."""
        return self._read_json(endpoint, lambda answer: make(json_data(answer, kind)), query)

    def _read_json(self, endpoint: Endpoint, decode: Callable[[HttpAnswer], R], query: dict[str, str]) -> R:
        def decode_or_refuse(answer: HttpAnswer) -> R:
            try:
                return decode(answer)
            except BadAnswerError:
                if answer.status == _NOT_FOUND and endpoint.is_below_v2:
                    raise RefusedError("CLN does not have this call (HTTP 404)") from None
                raise
            except AuthorizationError as error:
                # Whether CLN refuses a product like this is unknown. Wrong credentials fail all other calls as well.
                if answer.status == _FORBIDDEN and endpoint.is_below_v2:
                    raise RefusedError(f"the account has no access to this call: {error.problem}") from None
                raise

        # Decoded within the call, so that an error in a row names the call and has its secrets replaced.
        return self.read(endpoint, decode_or_refuse, query=self._with_token(query), key=query.get("key"))

    def read(
        self,
        endpoint: Endpoint,
        decode: Callable[[HttpAnswer], T],
        *,
        path: Callable[[], dict[str, str]] = dict,
        query: Callable[[], dict[str, str]] = dict,
        key: str | None = None,
    ) -> T:
        """Send a read-only call and return ``decode(answer)``. ``key`` is the license key in the request, if any.

        Raises ClnError.
        """
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
        """Send a change as the account, once, and return ``make(data)``, decoded as ``kind``.

        Arguments in ``query`` that are None are not sent. Raises NotDoneError when CLN changed nothing, and other
        ClnErrors.
        """
        arguments = {name: value for name, value in query.items() if value is not None}
        return self.write(
            endpoint,
            lambda answer: make(changed_data(answer, kind, empty_is_nothing=empty_is_nothing)),
            query=self._with_token(arguments),
            key=arguments.get("key"),
        )

    def change_rows(
        self, endpoint: Endpoint, row: type[T], make: Callable[[T], R], *, empty_is_nothing: bool = False, **query: str
    ) -> list[R]:
        """Send a change as :meth:`change` does, and return ``make(row)`` of each row, decoded as ``row``."""
        rows: type[list[T] | T] = list[row] | row  # type: ignore[valid-type,assignment] # known only at run time
        return self.change(
            endpoint,
            rows,
            lambda data: [make(item) for item in (data if isinstance(data, list) else [data])],
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
        if_lost: str = _CHECK_FIRST,
    ) -> T:
        """Send a call that changes something, once, and return ``decode(answer)``.

        ``key`` is the license key in the request, if any. ``if_lost`` is added to an error after which it is unknown
        whether the change was made. Raises ClnError.
        """
        try:
            with self._error_context(f"sending {endpoint.template}", key):
                return self.transport.write(endpoint, query, decode, self.deadline)
        except ClnError as error:
            if error.request_sent and not isinstance(error, RefusedError | AuthorizationError):
                error.mark_uncertain(if_lost)
            raise

    @contextlib.contextmanager
    def _error_context(self, action: str, key: str | None) -> Iterator[None]:
        """Add what was attempted to each error, and keep the key out of it."""
        attempted = f"{action} at {self.transport.settings.api}"
        if key is not None:
            self.redactor.hide_key(key)
            attempted += f" for key {mask_key(key)}"
        _sent.suspicions = ()
        try:
            yield
            self._hide_credentials()
        except ClnError as error:
            self._hide_credentials()
            if isinstance(error, AuthorizationError):
                error.problem = "; ".join([error.problem, *_sent.suspicions])
            if isinstance(error, TimedOutError) and error.of_run and self.deadline.name:
                error.problem += f"; increase {self.deadline.name}"
            error.add_context(attempted, self.redactor.scrub)
            raise

    def _hide_credentials(self) -> None:
        """Register all credentials of the account before a response is shown, which may contain them.

        That includes credentials that this call did not send, and those that changed since the last call.
        """
        if self.credentials is not None:
            self.credentials.hide(self.redactor)

    def register_secrets(self, things: list[K]) -> list[K]:
        """Register the license keys of ``things`` as secrets, and return ``things``."""
        for thing in things:
            self.redactor.hide_key(thing.key)
        return things

    def register_secret(self, thing: K) -> K:
        """Register the license key of ``thing`` as a secret, and return ``thing``."""
        return self.register_secrets([thing])[0]

    def token(self) -> str:
        """Return a fresh authorization token.

        Raises AuthorizationError for an account without a login, and ValueError when this client has no credentials.
        """
        login, secret_key = self._login()
        return make_token(login, self._secret("secret key", secret_key), self.transport.clock.time())

    def reseller(self) -> dict[str, str]:
        """Return login and token for calls that have them in their path: the static token if set, else a fresh one."""
        registration_token = self._known_credentials().registration_token
        login, _ = self._login()
        if registration_token is None:
            return {"login": login, "token": self.token()}
        return {"login": login, "token": self._secret("registration token", registration_token)}

    def _login(self) -> tuple[str, Callable[[], Secret]]:
        credentials = self._known_credentials()
        if credentials.login is None or credentials.secret_key is None:
            raise AuthorizationError("the account has no login and secret key, which this call needs; request not sent")
        self._note_suspicion("login", credentials.login)
        return credentials.login, credentials.secret_key

    def _secret(self, name: str, source: Callable[[], Secret]) -> str:
        try:
            text = source().reveal()
        except OSError as error:
            raise AuthorizationError(f"cannot read the {name} ({error.strerror}); request not sent") from None
        except ValueError as error:
            raise AuthorizationError(f"cannot read the {name} (it {error}); request not sent") from None
        self.redactor.hide(text)  # the source may return another secret when the response arrives
        self._note_suspicion(name, text)
        return text

    def _note_suspicion(self, name: str, text: str) -> None:
        if suspicion := suspicion_of_secret(text):
            _sent.suspicions += (f"the {name} {suspicion}",)

    def _known_credentials(self) -> Credentials:
        if self.credentials is None:
            raise ValueError("this client has no login and secret key; it can only read the status of CLN")
        _sent.suspicions = ()  # once per request
        return self.credentials

    def _with_token(self, query: dict[str, str]) -> Callable[[], dict[str, str]]:
        return lambda: query | {"token": self.token()}


def make_token(login: str, secret_key: str, now: float) -> str:
    """Return ``login|timestamp|sha1hex(secret_key + timestamp)`` (API document, "API overview").

    ``now`` is in Unix seconds; CLN accepts a token for 30 minutes, so each request makes its own.
    """
    timestamp = str(int(now))
    # The API document requires SHA-1; nothing here depends on its collision resistance.
    signed = (secret_key + timestamp).encode("utf-8", "surrogateescape")  # an environment variable may have any bytes
    signature = hashlib.sha1(signed, usedforsecurity=False).hexdigest()
    return f"{login}|{timestamp}|{signature}"
