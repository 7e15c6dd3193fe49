"""Clean remote text for display: on one line, in a label, on a terminal."""

from __future__ import annotations

import re
from typing import Any

# Control characters, line separators, bidirectional overrides (they reorder what a person reads) and lone surrogates
# (JSON can carry them, UTF-8 cannot).
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")
LONGEST = 256
"""Maximum length of a text in characters."""
LONGEST_UNSCRUBBED = 4096
"""Maximum length of a text in an error: a secret that is cut here would not be recognized and replaced later."""


def clean_text(value: object, longest: int = LONGEST) -> str:
    """Return ``value`` as one line of printable text of at most ``longest`` characters; None gives ""."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else str(value)
    if not (text.isascii() and text.isprintable()):
        text = _UNFIT.sub(" ", text)
    text = text.strip()
    return text if len(text) <= longest else shorten(text, longest)


def are_plain(values: list[Any]) -> bool:
    """Return, quickly, whether all ``values`` are non-empty strings that :func:`clean_text` would not change.

    A string with a space does not count as plain, as the space may be at an end.
    """
    try:
        together = "".join(values)
    except TypeError:
        return False
    is_plain = together.isascii() and together.isprintable() and " " not in together
    return is_plain and all(values) and max(map(len, values), default=0) <= LONGEST


def is_clean(text: str) -> bool:
    """Return whether ``text`` is one line without control characters, so that it can be sent and shown."""
    return _UNFIT.search(text) is None


def shorten(text: str, longest: int) -> str:
    """Return ``text``, truncated to ``longest`` characters."""
    return text if len(text) <= longest else text[: longest - 1] + "…"
