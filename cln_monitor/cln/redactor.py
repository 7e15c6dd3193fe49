"""The one place that keeps secrets out of text: by value, wherever text leaves the process."""

from __future__ import annotations

import json
import re
import threading
from base64 import b64encode
from collections import defaultdict
from collections.abc import Callable, Iterator
from urllib.parse import quote, quote_plus, unquote, unquote_to_bytes, urlsplit

from cln_monitor.masking import mask_key
from cln_monitor.text_cleaning import clean_text

PLACEHOLDER = "<secret>"

_SHORTEST = 4  # replacing a shorter value would wreck every text and hide nothing
# The digest of a token, in whatever way the bar before it is spelled.
_TOKEN = re.compile(r"(?:\d{9,11}(?:\||%7c))?[0-9a-f]{40,}|(?<=token=)[^&\s'\"<>]+", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z0-9]+")
_PERCENT = re.compile("%[0-9A-F]{2}")
_CODE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))")
_ESCAPE = re.compile(rf"%[0-9a-fA-F]{{2}}|&(?:#[0-9xX]|[A-Za-z])|{_CODE.pattern}")
_MOST_ESCAPED = 2  # times, in each way
# As html.escape has them; a check need not wait 1.5 ms for the names of all characters that html brings.
_MARKS = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;"}
_QUOTES = {ord('"'): "&quot;", ord("'"): "&#x27;"}


class Secret:
    """A text that prints as ``<secret>``; only :meth:`reveal` gives it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the text itself, for the one place that sends it."""
        return self._value

    def __repr__(self) -> str:
        return PLACEHOLDER

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


def login_of(url: str) -> tuple[bytes, bytes] | None:
    """Return user and password in ``url`` as the bytes that it spells, letters as UTF-8; None where it has neither."""
    parts = urlsplit(url)
    if parts.username is None and parts.password is None:
        return None
    user, password = (
        unquote_to_bytes((part or "").encode("utf-8", "surrogateescape")) for part in (parts.username, parts.password)
    )
    return user, password


class Redactor:
    """Replaces known secrets in texts, whatever spelling a URL, JSON or ``repr`` gave them. Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shown: dict[str, str] = {}
        self._by_start: defaultdict[str, list[str]] = defaultdict(list)
        self._words: set[str] = set()
        self._public: set[str] = set()

    def publish(self, text: str) -> None:
        """Hide no login that stands in ``text``: one that is part of the account's name is public already."""
        with self._lock:
            self._public.add(text)

    def hide(self, value: str, shown: str = PLACEHOLDER) -> None:
        """From now on show ``shown`` where ``value`` stands."""
        with self._lock:
            if len(value) < _SHORTEST or value in self._shown:
                return
            self._words.add(max(_WORD.findall(value), key=len, default=""))
            for spelling in _spellings(value):
                if spelling not in self._shown:
                    self._by_start[spelling[:_SHORTEST]].append(spelling)
                self._shown[spelling] = shown

    def hide_password_of(self, url: str) -> None:
        """From now on hide the password in ``url``, also as a header carries it: in base64, together with its user.

        Its bytes are hidden as UTF-8 and as Latin-1, in which others may print and send it.
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
        """From now on show ``<login>`` where ``login`` stands, unless it is part of a text that is public."""
        with self._lock:
            public = any(login in text for text in self._public)
        if not public:
            self.hide(login, "<login>")

    def hide_key(self, key: str) -> None:
        """From now on show the mask of the licence key ``key`` where it stands."""
        mask = mask_key(key)
        if not mask.startswith(key):  # a key of four characters is in its mask, which must not be masked again
            self.hide(key, mask)

    def may_be_in(self, text: str) -> bool:
        """Tell at a glance whether a secret may stand in ``text``, with other words before or behind it at most.

        For the texts of a hundred thousand rows, which :meth:`scrub` would take too long for.
        """
        return not self._words.isdisjoint(_WORD.findall(text))

    def scrub(self, text: str) -> str:
        """Return ``text`` without secrets: those known by value, and whatever looks like a token.

        Where a secret shows only once all escapes are undone, in a text that escapes what needs no escape, the text
        comes back without those escapes.
        """
        scrubbed = self._scrub_as_it_stands(text)
        plain = scrubbed
        for unescape in _UNESCAPES * _MOST_ESCAPED if _ESCAPE.search(text) else ():
            plain = unescape(plain)
            found = self._scrub_as_it_stands(plain)
            if found != plain:
                scrubbed = plain = found
        return scrubbed

    def _scrub_as_it_stands(self, text: str) -> str:
        text = _TOKEN.sub(PLACEHOLDER, text)
        with self._lock:
            found = {value: self._shown[value] for value in self._known_in(text)}
        if not found:
            return text
        longest_first = sorted(found, key=len, reverse=True)
        return re.sub("|".join(map(re.escape, longest_first)), lambda match: found[match[0]], text)

    def _known_in(self, text: str) -> Iterator[str]:
        """Yield the secrets that stand in ``text``, found by their start: there may be ten thousand of them."""
        for index in range(len(text) - _SHORTEST + 1):
            for value in self._by_start.get(text[index : index + _SHORTEST], ()):
                if text.startswith(value, index):
                    yield value


def _unescape_html(text: str) -> str:
    from html import unescape  # noqa: PLC0415 # the same

    return unescape(text)


_UNESCAPES: tuple[Callable[[str], str], ...] = (
    lambda text: _CODE.sub(lambda code: chr(int(code[1] or code[2], 16)), text),
    unquote,
    _unescape_html,
)


def _spellings(value: str) -> set[str]:
    """Return how URLs, JSON, HTML, ``repr`` and we ourselves spell ``value``."""
    plain = value.encode("utf-8", "replace").decode()
    quoted = {quote(plain, safe=""), quote(plain), quote_plus(plain), quote(quote(plain, safe=""))}
    return {
        value,
        plain,
        clean_text(plain, len(plain)),
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
