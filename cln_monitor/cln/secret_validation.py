"""Find mistakes in a secret, which is never displayed, and of which CLN only says that it refuses the credentials.

No text here contains a letter of a secret: texts name invisible characters, quotes, and positions.
"""

from __future__ import annotations

_NAMES = {
    0x00: "a NUL",
    0x09: "a tab",
    0x0A: "a line break",
    0x0D: "a carriage return",
    0xA0: "a non-breaking space",
    0xAD: "a soft hyphen",
    0x200B: "a zero-width space",
    0x200C: "a zero-width non-joiner",
    0x200D: "a zero-width joiner",
    0x2060: "a word joiner",
    0xFEFF: "a byte order mark",
    0xFFFD: "a replacement character",
}
_QUOTES = frozenset("\"'`´‘’‚“”„«»")


def problem_of_secret(text: str, *, ascii_only: bool) -> str:
    """Return why ``text`` cannot be a secret, or ""; the reason begins with a verb whose subject is the secret.

    A secret has no control characters, and with ``ascii_only`` no non-ASCII characters.
    """
    if text.isascii() and text.isprintable():
        return ""
    if "\n" in text:
        return "has several lines; expected one line"
    for position, character in enumerate(text, 1):
        code = ord(character)
        if code < 0x20 or 0x7F <= code < 0xA0 or (ascii_only and code > 0x7F):
            return f"contains {_named(character)} at position {position}"
    return ""


def suspicion_of_secret(text: str) -> str:
    """Return what in the secret ``text`` is probably a mistake, or ""; it begins with a verb."""
    for position, character in enumerate(text, 1):
        if character != " " and not character.isprintable():
            return f"contains {_named(character)} at position {position}"
    if text and (text[0] in _QUOTES or text[-1] in _QUOTES):
        return "begins or ends with a quote, which is taken as part of it"
    return ""


def _named(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return "a byte that is not valid UTF-8"
    if character.isprintable() and character not in _QUOTES and code not in _NAMES:
        return "a non-ASCII character"  # not named, as it may be a letter of the secret
    kind = "a control character" if code < 0x20 or 0x7F <= code < 0xA0 else "an invisible character"
    name = "a typographic quote" if character in _QUOTES else _NAMES.get(code, kind)
    return f"{name} (U+{code:04X})"
