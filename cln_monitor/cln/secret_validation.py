"""What is odd about the text of a secret: nobody sees it, and CLN says no more than that it refuses the credentials.

Nothing here shows a letter of a secret: it names characters that cannot be seen, quotes, and positions.
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
    """Return why ``text`` can never be a secret, "" when it may be one; a text that begins with a verb.

    No secret has control characters, and with ``ascii_only`` it has no others beyond ASCII either.
    """
    if text.isascii() and text.isprintable():
        return ""
    if "\n" in text:
        return "has several lines, and a secret is one"
    for position, character in enumerate(text, 1):
        code = ord(character)
        if code < 0x20 or 0x7F <= code < 0xA0 or (ascii_only and code > 0x7F):
            return f"has {_named(character)} at position {position}"
    return ""


def suspicion_of_secret(text: str) -> str:
    """Return what is hardly meant as a part of the secret ``text``, "" for nothing; a text that begins with a verb."""
    for position, character in enumerate(text, 1):
        if character != " " and not character.isprintable():
            return f"has {_named(character)} at position {position}"
    if text and (text[0] in _QUOTES or text[-1] in _QUOTES):
        return "begins or ends with a quote, which counts as a part of it"
    return ""


def _named(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return "a byte that is not UTF-8 text"
    if character.isprintable() and character not in _QUOTES and code not in _NAMES:
        return "a character beyond ASCII"  # which may be a letter of it
    kind = "a control character" if code < 0x20 or 0x7F <= code < 0xA0 else "an invisible character"
    name = "a typographic quote" if character in _QUOTES else _NAMES.get(code, kind)
    return f"{name} (U+{code:04X})"
