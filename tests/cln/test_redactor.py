"""The redactor replaces secrets in texts, in any escaped form."""

from __future__ import annotations

import dataclasses
import html
import json
from collections.abc import Callable
from itertools import cycle
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cln_monitor.cln import PLACEHOLDER, Redactor, Secret, clean_text, mask_key

from .asking import SECRETS, SPELLINGS

TOKEN = "customer_login|1401189361|97e17a41ea904e0ca2bf03c7c36dee2492ba89cd"
DIGEST = TOKEN[-40:]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_hidden_in_each_spelling(secret: str, spell: Callable[[str], str]) -> None:
    """A known secret is replaced as URLs, JSON, HTML and Python escape it."""
    redactor = Redactor()
    redactor.hide(secret)
    scrubbed = redactor.scrub(f"before {spell(secret)} after")
    assert PLACEHOLDER in scrubbed
    for fragment in ("pl4nted", "ecret", "registration", "example", "0001"):
        assert fragment not in scrubbed.lower().replace(PLACEHOLDER, "")
    assert scrubbed.startswith("before ")
    assert scrubbed.endswith(" after")


@given(
    secret=st.text(min_size=4, max_size=20),
    before=st.text(max_size=10),
    spell=st.sampled_from([str, quote_plus, lambda value: json.dumps(value)[1:-1], html.escape]),
)
def test_any_secret_in_any_text(secret: str, before: str, spell: Callable[[str], str]) -> None:
    """Any secret is replaced at any position in any text."""
    assume(secret not in PLACEHOLDER)
    redactor = Redactor()
    redactor.hide(secret)
    scrubbed = redactor.scrub(f"{before}{spell(secret)}{before}")
    assert PLACEHOLDER in scrubbed
    assert not [piece for piece in scrubbed.split(PLACEHOLDER) if secret in piece or spell(secret) in piece]


ESCAPES: list[Callable[[str], str]] = [
    lambda character: "".join(f"%{byte:02x}" for byte in character.encode()),
    lambda character: "".join(f"%{byte:02X}" for byte in character.encode()),
    lambda character: f"&#{ord(character)};",
    lambda character: f"&#x{ord(character):x};",
    lambda character: f"&#X{ord(character):X};",
    lambda character: f"\\u{ord(character):04x}",
    lambda character: f"\\u{ord(character):04X}",
    lambda character: f"\\x{ord(character):02x}",
    str,
]
"""Ways to escape a character, also one that needs no escape."""


@given(st.sampled_from(SECRETS), st.lists(st.sampled_from(ESCAPES), min_size=1), st.sampled_from(ESCAPES))
def test_any_mixture_of_escapes(secret: str, inner: list[Callable[[str], str]], outer: Callable[[str], str]) -> None:
    """A secret is replaced with any of its characters escaped, also twice."""
    spelled = "".join(escape(character) for escape, character in zip(cycle(inner), secret, strict=False))
    redactor = Redactor()
    redactor.hide(secret)
    assert redactor.scrub(f"before {spelled} after") == f"before {PLACEHOLDER} after"
    spelled = "".join(map(outer, spelled))
    assert redactor.scrub(f"before {spelled} after") == f"before {PLACEHOLDER} after"


@pytest.mark.parametrize("text", ["50%25 of &lt;b&gt; at \\u00fc", "a%20b", "&amp;amp;", "%", "\\u12", "&#;"])
def test_escapes_that_hide_nothing_stay(text: str) -> None:
    """A text with escapes and without a secret is returned unchanged."""
    redactor = Redactor()
    redactor.hide("pl4nted-secret")
    assert redactor.scrub(text) == text


def test_license_keys_show_their_mask() -> None:
    """A license key is replaced by its mask, so that it can be recognized."""
    redactor = Redactor()
    redactor.hide_key("WsTs821nSAtiastD")
    assert redactor.scrub("Servers not found for key WsTs821nSAtiastD") == "Servers not found for key WsTs-8c7994d7"


@pytest.mark.parametrize("key", ["WsTs", "abc", ""])
def test_a_key_that_begins_its_own_mask(key: str) -> None:
    """A key of four characters is not replaced, as its mask begins with it."""
    redactor = Redactor()
    redactor.hide_key(key)
    text = f"Servers not found for key {key}, which is {mask_key(key)}"
    assert redactor.scrub(text) == text
    redactor.hide_key("WsTs8")
    assert redactor.scrub(f"{mask_key('WsTs')}, WsTs8") == f"{mask_key('WsTs')}, {mask_key('WsTs8')}"


def test_mask_is_that_of_the_contract() -> None:
    """A mask is the first four characters, a dash, and eight hex digits of the SHA-256."""
    assert mask_key("WsTs821nSAtiastD") == "WsTs-8c7994d7"
    assert mask_key("") == "-e3b0c442"
    assert mask_key("\ud800 lone surrogate").startswith("\ud800 lo-")


def test_longer_secrets_go_first() -> None:
    """Of two secrets with the same beginning, the longer one is replaced completely."""
    redactor = Redactor()
    redactor.hide("abcd", "<short>")
    redactor.hide("abcdefgh", "<long>")
    assert redactor.scrub("abcdefgh abcd") == "<long> <short>"


def test_first_words_for_a_secret_stay() -> None:
    """Hiding a secret again does not change its replacement."""
    redactor = Redactor()
    redactor.hide("acme_login", "<login>")
    redactor.hide("acme_login")
    assert redactor.scrub("acme_login") == "<login>"


def test_secrets_learnt_later_are_hidden_too() -> None:
    """A secret that is registered later is replaced in later texts."""
    redactor = Redactor()
    redactor.hide("first secret")
    assert redactor.scrub("first secret, second secret") == "<secret>, second secret"
    redactor.hide("second secret")
    assert redactor.scrub("first secret, second secret") == "<secret>, <secret>"


@pytest.mark.parametrize("value", ["", "abc"])
def test_values_too_short_are_left(value: str) -> None:
    """A value shorter than four characters is not replaced, as that would garble every text."""
    redactor = Redactor()
    redactor.hide(value)
    assert redactor.scrub("an abc of errors") == "an abc of errors"


def test_published_logins_are_not_hidden() -> None:
    """A login in a public text is not hidden; a secret or key always is."""
    redactor = Redactor()
    redactor.publish("acme-hosting")
    redactor.hide_login("acme")
    redactor.hide_login("another")
    assert redactor.scrub("account acme-hosting, another") == "account acme-hosting, <login>"
    redactor.hide_key("hosting")
    redactor.hide("acme")
    assert redactor.scrub("account acme-hosting") == f"account <secret>-{mask_key('hosting')}"


def test_lone_surrogates_can_be_hidden() -> None:
    """A secret with bytes that are not UTF-8 is replaced as well."""
    redactor = Redactor()
    redactor.hide("sec\udcffret")
    assert redactor.scrub("sec\udcffret, sec?ret") == "<secret>, <secret>"


@pytest.mark.parametrize(
    "text",
    [
        TOKEN,
        quote(TOKEN),
        quote(TOKEN).lower(),
        quote(quote(TOKEN)),
        f"https://cln.cloudlinux.com/api/kcare/key/list.json?token={quote_plus(TOKEN)}&key=X",
        f"/api/kcare/nagios-res/customer_login/{quote(TOKEN)}",
        json.dumps({"token": TOKEN}).replace("|", "\\u007c"),
        html.escape(TOKEN).replace("|", "&#124;"),
    ],
)
def test_tokens_are_known_by_their_look(text: str) -> None:
    """The digest of a token is replaced even if it was never registered."""
    scrubbed = Redactor().scrub(f"asking {text} failed")
    assert DIGEST not in scrubbed
    assert DIGEST[-12:] not in scrubbed
    assert PLACEHOLDER in scrubbed
    assert scrubbed.endswith(" failed")


def test_value_of_a_token_argument_is_hidden() -> None:
    """The value of ``token=`` is replaced, up to the next argument."""
    scrubbed = Redactor().scrub("GET /api/im/key/list.json?token=anything.at-all&key=1 HTTP/1.1")
    assert scrubbed == "GET /api/im/key/list.json?token=<secret>&key=1 HTTP/1.1"


def test_other_text_is_left_alone() -> None:
    """A text without secrets is returned unchanged."""
    redactor = Redactor()
    redactor.hide("planted secret")
    text = "reading /kcare/key/list.json at cln.cloudlinux.com: connection refused ✓\n"
    assert redactor.scrub(text) == text


def test_secret_prints_as_placeholder() -> None:
    """Every representation of a Secret is the placeholder; only reveal returns its text."""

    @dataclasses.dataclass
    class Account:
        secret_key: Secret

    secret = Secret("planted")
    shown = [str(secret), repr(secret), f"{secret}", f"{secret!r}", f"{secret}", str([secret]), str(Account(secret))]
    assert shown[:5] == [PLACEHOLDER] * 5
    assert "planted" not in "".join(shown)
    assert secret.reveal() == "planted"
    assert not hasattr(secret, "__dict__")


def test_secrets_compare_by_value() -> None:
    """Two Secrets with the same text are equal, and differ from the text."""
    assert Secret("one") == Secret("one")
    assert len({Secret("one"), Secret("one"), Secret("two")}) == 2
    assert Secret("one") != "one"


@pytest.mark.parametrize(
    ("url", "hidden"),
    [
        ("http://me:p%40ss-w0rd@proxy", ["p%40ss-w0rd", "p@ss-w0rd", "bWU6cEBzcy13MHJk"]),
        ("http://me:pässword@proxy", ["pässword", "bWU6cORzc3dvcmQ=", "bWU6cMOkc3N3b3Jk"]),
        (
            "http://me:p%C3%A4ss@proxy",
            ["p%C3%A4ss", "p%c3%a4ss", "päss", "p\u00c3\u00a4ss", "bWU6cMOkc3M=", "bWU6cORzcw=="],
        ),
        ("http://me:p%E4ss@proxy", ["p%E4ss", "päss", "bWU6cORzcw=="]),
        ("http://proxy", []),
        ("http://me@proxy", []),
    ],
)
def test_password_of_an_address(url: str, hidden: list[str]) -> None:
    """The password in a URL is replaced as written, decoded, and in base64 with its user."""
    redactor = Redactor()
    redactor.hide_password_of(url)
    for each in hidden:
        assert redactor.scrub(f"<{each}>") == f"<{PLACEHOLDER}>"
    assert redactor.scrub("proxy: me") == "proxy: me"


@pytest.mark.parametrize("secret", ["a tab\there", "over\u202eride", "two\u2028lines", "bold\x1b[1m face"])
def test_a_secret_that_was_cleaned_first(secret: str) -> None:
    """A secret is replaced in a text that was cleaned before."""
    redactor = Redactor()
    redactor.hide(secret)
    assert redactor.scrub(clean_text(f"it said {secret}!")) == f"it said {PLACEHOLDER}!"
