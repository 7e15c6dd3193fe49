"""Remote text made fit to show: on one line, in a label, on a terminal."""

from __future__ import annotations

import re

# Control characters, line separators, bidirectional overrides (they reorder what a person reads) and lone surrogates
# (JSON can carry them, UTF-8 cannot).
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")
_LONGEST = 256


def clean_text(value: object) -> str:
    """Return ``value`` as one line of printable text of at most 256 characters; None is the empty text."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else str(value)
    if not (text.isascii() and text.isprintable()):
        text = _UNFIT.sub(" ", text)
    text = text.strip()
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
