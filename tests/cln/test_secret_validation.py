"""Mistakes in a secret are reported without any letter of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cln_monitor.cln import AuthorizationError, Client, Credentials, Secret
from cln_monitor.cln.secret_validation import problem_of_secret, suspicion_of_secret

from .answering import AnsweringCln
from .asking import LOGIN, Clients, refused

NEVER = {
    "se\0cret": "contains a NUL (U+0000) at position 3",
    "se\tcret": "contains a tab (U+0009) at position 3",
    "se\rcret": "contains a carriage return (U+000D) at position 3",
    "se\x07cret": "contains a control character (U+0007) at position 3",
    "se\x85cret": "contains a control character (U+0085) at position 3",
    "one\ntwo": "has several lines; expected one line",
    "one\r\ntwo": "has several lines; expected one line",
}
NOT_ASCII = {
    "secret\u200b": "contains a zero-width space (U+200B) at position 7",
    "\ufeffsecret": "contains a byte order mark (U+FEFF) at position 1",
    "se\u00a0cret": "contains a non-breaking space (U+00A0) at position 3",
    "se\u2003cret": "contains an invisible character (U+2003) at position 3",
    "\u201csecret\u201d": "contains a typographic quote (U+201C) at position 1",
    "se\ufffdcret": "contains a replacement character (U+FFFD) at position 3",
    "secrét": "contains a non-ASCII character at position 5",
    "s\udce9cret": "contains a byte that is not valid UTF-8 at position 2",
}
QUOTED = ['"secret"', "'secret'", "`secret`", '"secret', "secret'"]
QUOTE = "begins or ends with a quote, which is taken as part of it"


@pytest.mark.parametrize(("text", "problem"), (NEVER | NOT_ASCII).items(), ids=ascii)
def test_what_no_secret_key_has(text: str, problem: str) -> None:
    """A forbidden character is named, or only its position if it is visible."""
    assert problem_of_secret(text, ascii_only=True) == problem
    assert problem_of_secret(text, ascii_only=False) == (problem if text in NEVER else "")


@pytest.mark.parametrize("text", ["", "secret", "a secret", '"secret"', "~!@#$%^&*()_+{}|:<>?"])
def test_what_may_be_a_secret(text: str) -> None:
    """All printable ASCII characters are accepted."""
    assert problem_of_secret(text, ascii_only=True) == ""


def test_what_is_suspicious() -> None:
    """Quotes around a secret and invisible characters are suspicious; non-ASCII letters are not."""
    for text in QUOTED:
        assert suspicion_of_secret(text) == QUOTE
    assert suspicion_of_secret("\u201csecret\u201d") == QUOTE
    for text in ("se\u200bcret", "se\u00a0cret", "se\ufeffcret", "se\u202ecret"):
        assert suspicion_of_secret(text).endswith(f"(U+{ord(text[2]):04X}) at position 3")
    for text in ("", "secret", "a secret", "sécret", "クラウド", 'se"cret'):
        assert suspicion_of_secret(text) == ""


@given(st.text(st.characters(codec=None, categories=None), max_size=20))
def test_any_text(text: str) -> None:
    """The report about any text is one line without its characters."""
    for words in (problem_of_secret(text, ascii_only=True), suspicion_of_secret(text)):
        assert words.isascii()
        assert "\n" not in words


@pytest.mark.parametrize(
    ("login", "secret", "odd"),
    [
        (LOGIN, '"pl4nted"', f"; the secret key {QUOTE}"),
        (LOGIN, "pl4nted\u200b", "; the secret key contains a zero-width space (U+200B) at position 8"),
        (
            f"{LOGIN}\u00a0",
            "'pl4nted'",
            f"; the login contains a non-breaking space (U+00A0) at position 26; the secret key {QUOTE}",
        ),
        (LOGIN, "pl4nted", ""),
    ],
)
def test_named_beside_a_refusal(login: str, secret: str, odd: str, clients: Clients, cln: AnsweringCln) -> None:
    """If CLN refuses the credentials, their suspicious characters are reported, for reads and changes."""
    cln.says(refused("Authorization failed"))
    client = Client.over(clients.transport(cln.url), Credentials(login, lambda: Secret(secret)))
    for ask in (client.kernelcare.keys, lambda: client.groups.create("web")):
        with pytest.raises(AuthorizationError) as raised:
            ask()
        assert raised.value.problem == f"CLN refused the token: Authorization failed{odd}"
        assert "pl4nted" not in str(raised.value)


def test_not_beside_the_refusal_of_another(clients: Clients, cln: AnsweringCln) -> None:
    """A call without credentials reports nothing about those of an earlier call."""
    client = Client.over(clients.transport(cln.url), Credentials(LOGIN, lambda: Secret("'pl4nted'")))
    cln.says(refused("Authorization failed"))
    with pytest.raises(AuthorizationError, match="quote"):
        client.kernelcare.keys()
    with pytest.raises(AuthorizationError, match=r"Authorization failed$"):
        client.patch_status.for_key("x" * 16)


def test_of_the_token_that_was_sent(clients: Clients, cln: AnsweringCln) -> None:
    """If a registration token was sent, its suspicious characters are reported."""
    token = Secret("pl4nted\u200b")
    credentials = Credentials(LOGIN, lambda: Secret("'pl4nted'"), lambda: token)
    cln.says("Registration token not found for reseller x not found")
    with pytest.raises(AuthorizationError) as raised:
        Client.over(clients.transport(cln.url), credentials).patch_status.for_reseller()
    assert raised.value.problem.endswith("; the registration token contains a zero-width space (U+200B) at position 8")
    assert "quote" not in raised.value.problem
