"""The credentials of an ePortal: one of two kinds, read for each request, and never shown."""

from __future__ import annotations

from typing import Any

import pytest

from cln_monitor.cln import AuthorizationError, Redactor, Secret
from cln_monitor.eportal import EportalCredentials


def _secret() -> Secret:
    return Secret("pl4nted-secret")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"username": "monitoring"},
        {"password": _secret},
        {"api_key": _secret, "username": "monitoring"},
        {"api_key": _secret, "username": "monitoring", "password": _secret},
    ],
)
def test_exactly_one_kind(fields: dict[str, Any]) -> None:
    """Credentials are either an API key, or both a username and a password."""
    with pytest.raises(ValueError, match="either an API key, or a username and a password"):
        EportalCredentials(**fields)


def test_changed_secret_takes_effect() -> None:
    """The secret is read for each request."""
    keys = iter(["first-key", "second-key"])
    credentials = EportalCredentials(api_key=lambda: Secret(next(keys)))
    redactor = Redactor()
    sent = [credentials.headers(redactor), credentials.headers(redactor)]
    assert sent == [{"X-Api-Key": "first-key"}, {"X-Api-Key": "second-key"}]
    assert redactor.scrub("first-key second-key") == "<secret> <secret>"


def test_login_is_hidden() -> None:
    """The username, the password and the header that has both are registered as secrets."""
    redactor = Redactor()
    credentials = EportalCredentials(username="monitoring", password=_secret)
    header = credentials.headers(redactor)["Authorization"]
    assert redactor.scrub(f"{header} monitoring pl4nted-secret") == "Basic <secret> <login> <secret>"
    assert repr(credentials) == "<EportalCredentials>"


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (FileNotFoundError(2, "No such file or directory"), "cannot read the API key (No such file or directory)"),
        (ValueError("is empty"), "cannot read the API key (it is empty)"),
    ],
)
def test_unreadable_secret(error: Exception, problem: str) -> None:
    """A secret that cannot be read is an error of authorization, and nothing is sent; hiding it is not an error."""

    def source() -> Secret:
        raise error

    credentials = EportalCredentials(api_key=source)
    with pytest.raises(AuthorizationError) as raised:
        credentials.headers(Redactor())
    assert str(raised.value) == f"{problem}; request not sent"
    credentials.hide(Redactor())
