"""The one place that keeps secrets out of text: by value, wherever text leaves the process."""

from __future__ import annotations

import html
import json
import re
import threading
from urllib.parse import quote, quote_plus

from cln_monitor.masking import mask_key

PLACEHOLDER = "<secret>"

_SHORTEST = 4  # replacing a shorter value would wreck every text and hide nothing
# The digest of a token, in whatever way the bar before it is spelled.
_TOKEN = re.compile(r"(?:\d{9,11}(?:\||%7c))?[0-9a-f]{40,}|(?<=token=)[^&\s'\"<>]+", re.IGNORECASE)
_PERCENT = re.compile("%[0-9A-F]{2}")


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


class Redactor:
    """Replaces known secrets in texts, whatever spelling a URL, JSON or ``repr`` gave them. Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shown: dict[str, str] = {}
        self._public: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def publish(self, text: str) -> None:
        """Never hide what stands in ``text``: a login that is part of the account's name is public already."""
        with self._lock:
            self._public.add(text)

    def hide(self, value: str, shown: str = PLACEHOLDER) -> None:
        """From now on show ``shown`` where ``value`` stands."""
        with self._lock:
            if len(value) < _SHORTEST or value in self._shown or any(value in public for public in self._public):
                return
            self._shown.update(dict.fromkeys(_spellings(value), shown))
            self._pattern = None

    def hide_key(self, key: str) -> None:
        """From now on show the mask of the licence key ``key`` where it stands."""
        self.hide(key, mask_key(key))

    def scrub(self, text: str) -> str:
        """Return ``text`` without secrets: those known by value, and whatever looks like a token."""
        text = _TOKEN.sub(PLACEHOLDER, text)
        if not self._shown:
            return text
        with self._lock:
            if self._pattern is None:
                longest_first = sorted(self._shown, key=len, reverse=True)
                self._pattern = re.compile("|".join(map(re.escape, longest_first)))
            pattern = self._pattern
        return pattern.sub(lambda match: self._shown[match[0]], text)


def _spellings(value: str) -> set[str]:
    """Return how URLs, JSON, HTML and ``repr`` spell ``value``."""
    plain = value.encode("utf-8", "replace").decode()
    quoted = {quote(plain, safe=""), quote(plain), quote_plus(plain), quote(quote(plain, safe=""))}
    return {
        value,
        plain,
        *quoted,
        *(_PERCENT.sub(lambda code: code[0].lower(), text) for text in quoted),
        json.dumps(plain)[1:-1],
        json.dumps(plain, ensure_ascii=False)[1:-1],
        repr(plain)[1:-1],
        ascii(plain)[1:-1],
        repr(plain.encode())[2:-1],
        html.escape(plain),
        html.escape(plain, quote=False),
    }
