"""Replace known secrets, by value, in all text that leaves the process."""

from __future__ import annotations

import json
import re
import threading
from base64 import b64encode
from collections import defaultdict
from collections.abc import Callable, Iterator
from urllib.parse import quote, quote_plus, unquote, urlsplit

from cln_monitor.masking import mask_key
from cln_monitor.text_cleaning import clean_text
from cln_monitor.urls import login_of

PLACEHOLDER = "<secret>"

_SHORTEST = 4  # replacing a shorter value would garble every text
# The digest of a token, with the bar before it plain or percent-encoded.
_TOKEN = re.compile(r"(?:\d{9,11}(?:\||%7c))?[0-9a-f]{40,}|(?<=token=)[^&\s'\"<>]+", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z0-9]+")
_PERCENT = re.compile("%[0-9A-F]{2}")
_CODE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))")
_ESCAPE = re.compile(rf"%[0-9a-fA-F]{{2}}|&(?:#[0-9xX]|[A-Za-z])|{_CODE.pattern}")
_MOST_ESCAPED = 2  # times, in each way
# As html.escape does; importing html takes 1.5 ms, which a check can save.
_MARKS = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;"}
_QUOTES = {ord('"'): "&quot;", ord("'"): "&#x27;"}


class Secret:
    """A string that prints as ``<secret>``; only :meth:`reveal` returns it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the string, for the code that sends it."""
        return self._value

    def __repr__(self) -> str:
        return PLACEHOLDER

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


class Redactor:
    """Replaces known secrets in texts, also as escaped by URLs, JSON, HTML or ``repr``. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shown: dict[str, str] = {}
        self._by_start: defaultdict[str, list[str]] = defaultdict(list)
        self._words: set[str] = set()
        self._public: set[str] = set()

    def publish(self, text: str) -> None:
        """Declare ``text`` as public: a login that is a part of it, such as of an account's name, is not hidden."""
        with self._lock:
            self._public.add(text)

    def hide(self, value: str, shown: str = PLACEHOLDER) -> None:
        """Replace ``value`` by ``shown`` from now on."""
        with self._lock:
            if len(value) < _SHORTEST or value in self._shown:
                return
            word = max(_WORD.findall(value), key=len, default="")
            self._words |= {word, word.lower()}
            for spelling in _spellings(value):
                if spelling not in self._shown:
                    self._by_start[spelling[:_SHORTEST]].append(spelling)
                self._shown[spelling] = shown

    def hide_password_of(self, url: str) -> None:
        """Hide the password in ``url`` from now on, also in the base64 form that a header has of user and password.

        Both are hidden as UTF-8 and as Latin-1, as other programs may print and send either.
        """
        written, login = urlsplit(url).password, login_of(url)
        if written and login:
            user, password = login
            self.hide(written)
            self.hide(b64encode(user + b":" + password).decode())
            for text in (unquote(written), password.decode("latin-1")):
                self.hide(text)
                for encoding in ("utf-8", "latin-1"):
                    self.hide(b64encode(user + b":" + text.encode(encoding, "replace")).decode())

    def hide_login(self, login: str) -> None:
        """Replace ``login`` by ``<login>`` from now on, unless it is a part of a public text."""
        with self._lock:
            public = any(login.lower() in text.lower() for text in self._public)
        if not public:
            self.hide(login, "<login>")

    def hide_key(self, key: str) -> None:
        """Replace the license key ``key`` by its mask from now on."""
        mask = mask_key(key)
        if not mask.startswith(key):  # a mask contains a key of four characters, and must not be masked again
            self.hide(key, mask)

    def may_be_in(self, text: str) -> bool:
        """Return, quickly, whether ``text`` may contain a secret that is not a part of a longer word.

        This is for the texts of a hundred thousand rows, for which :meth:`scrub` would take too long.
        """
        return not self._words.isdisjoint(_WORD.findall(text))

    def scrub(self, text: str) -> str:
        """Return ``text`` with secrets replaced: those known by value, and everything that looks like a token.

        If a secret is found only after unescaping, in a text with unnecessary escapes, the unescaped text is returned.
        """
        scrubbed = self._scrub_literally(text)
        plain = scrubbed
        for unescape in _UNESCAPES * _MOST_ESCAPED if _ESCAPE.search(text) else ():
            plain = unescape(plain)
            found = self._scrub_literally(plain)
            if found != plain:
                scrubbed = plain = found
        return scrubbed

    def _scrub_literally(self, text: str) -> str:
        text = _TOKEN.sub(PLACEHOLDER, text)
        with self._lock:
            found = {value: self._shown[value] for value in self._known_in(text)}
        if not found:
            return text
        longest_first = sorted(found, key=len, reverse=True)
        return re.sub("|".join(map(re.escape, longest_first)), lambda match: found[match[0]], text)

    def _known_in(self, text: str) -> Iterator[str]:
        """Yield the secrets in ``text``, looked up by their first characters: there may be ten thousand of them."""
        for index in range(len(text) - _SHORTEST + 1):
            for value in self._by_start.get(text[index : index + _SHORTEST], ()):
                if text.startswith(value, index):
                    yield value


def _unescape_html(text: str) -> str:
    from html import unescape  # noqa: PLC0415 # a slow import that is rarely needed

    return unescape(text)


_UNESCAPES: tuple[Callable[[str], str], ...] = (
    lambda text: _CODE.sub(lambda code: chr(int(code[1] or code[2], 16)), text),
    unquote,
    _unescape_html,
)


def _spellings(value: str) -> set[str]:
    """Return the forms of ``value`` in URLs, JSON, HTML, ``repr``, cleaned text and host names."""
    plain = value.encode("utf-8", "replace").decode()
    cleaned = clean_text(plain, len(plain))
    quoted = {quote(plain, safe=""), quote(plain), quote_plus(plain), quote(quote(plain, safe=""))}
    return {
        value,
        plain,
        cleaned,
        cleaned.lower(),
        *quoted,
        *(_PERCENT.sub(lambda code: code[0].lower(), text) for text in quoted),
        json.dumps(plain)[1:-1],
        json.dumps(plain, ensure_ascii=False)[1:-1],
        repr(plain)[1:-1],
        ascii(plain)[1:-1],
        repr(plain.encode())[2:-1],
        plain.translate(_MARKS | _QUOTES),
        plain.translate(_MARKS),
    }
