"""The credentials of an ePortal: an API key, or a user and a password (ePortal API documentation, "Authentication")."""

from __future__ import annotations

import contextlib
from base64 import b64encode
from collections.abc import Callable

import msgspec

from cln_monitor.cln import AuthorizationError, Redactor, Secret

_HEADER = "X-Api-Key"


class EportalCredentials(msgspec.Struct, frozen=True):
    """Either an ``api_key``, or a ``username`` and a ``password``.

    ``api_key`` and ``password`` are called for each request, so that a changed file takes effect. An API key has the
    rights of its user, and may expire; ePortal has API keys since 2.14-1. Raises ValueError for neither, and for both.
    """

    api_key: Callable[[], Secret] | None = None
    username: str | None = None
    password: Callable[[], Secret] | None = None

    def __post_init__(self) -> None:
        has_login = self.username is not None and self.password is not None
        if has_login == (self.api_key is not None) or (self.username is None) != (self.password is None):
            raise ValueError("either an API key, or a username and a password")

    def __repr__(self) -> str:
        return "<EportalCredentials>"

    @property
    def kind(self) -> str:
        """What an ePortal may refuse, for errors."""
        return "API key" if self.api_key is not None else "username and password"

    def headers(self, redactor: Redactor) -> dict[str, str]:
        """Return the header of one request, whose secrets are registered with ``redactor``.

        Raises AuthorizationError if a secret cannot be read.
        """
        if self.api_key is not None:
            key = _revealed("API key", self.api_key)
            redactor.hide(key)
            return {_HEADER: key}
        assert self.username is not None and self.password is not None, "checked above"  # noqa: S101, PT018 # narrows types
        return {"Authorization": _basic(self.username, _revealed("password", self.password), redactor)}

    def hide(self, redactor: Redactor) -> None:
        """Register the current secrets with ``redactor``; those that cannot be read are reported by the next call."""
        with contextlib.suppress(AuthorizationError):
            self.headers(redactor)


def _revealed(name: str, source: Callable[[], Secret]) -> str:
    try:
        return source().reveal()
    except OSError as error:
        raise AuthorizationError(f"cannot read the {name} ({error.strerror}); request not sent") from None
    except ValueError as error:
        raise AuthorizationError(f"cannot read the {name} (it {error}); request not sent") from None


def _basic(username: str, password: str, redactor: Redactor) -> str:
    """Return the value of an authorization header (RFC 7617); its parts are registered with ``redactor``."""
    encoded = b64encode(f"{username}:{password}".encode()).decode()
    redactor.hide(password)
    redactor.hide(encoded)
    redactor.hide_login(username)
    return f"Basic {encoded}"
