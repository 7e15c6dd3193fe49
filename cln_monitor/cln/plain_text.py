"""Decode plain-text responses (API document, "API overview")."""

from __future__ import annotations

import re

from .envelope import describe_body, json_data, raise_unless_success, unexpected_response
from .http.answer import HttpAnswer

# Strings, which re compiles on first use: most checks request JSON.
# A value ends at a comma or a comment, as the samples of the API document have both.
_PLAIN_ITEM = r"(?a)\b(?P<name>\w+)[ \t]*:[ \t]*(?P<value>[^\s,]+)(?:[ \t]*,)?(?:[ \t]*//.*)?"
_HALF_ITEM = r"(?a)\w+[ \t]*:?"
_HALF_FLAGS = frozenset({"t", "tr", "tru", "f", "fa", "fal", "fals"})
_PLAIN_MESSAGE = r"(?a)\bmessage[ \t]*:[ \t]*(.*(?:\n(?![ \t]*\w+[ \t]*:).*)*)"


def says_success(answer: HttpAnswer) -> bool:
    """Return whether a plain-text response begins with ``success``, true or false, as those of CLN do."""
    return answer.body.lstrip()[:7].lower() == b"success"


def plain_items(answer: HttpAnswer) -> dict[str, str]:
    """Return the ``name:value`` items of a plain-text response, which are separated by line ends or spaces.

    Raises AuthorizationError or RefusedError for ``success:false``, in plain text or JSON, and BadAnswerError for an
    unexpected response.
    """
    text = answer.body.decode("utf-8", "replace").replace("\r\n", "\n").strip()
    if not says_success(answer):
        if answer.body.lstrip().startswith((b"{", b"[")):
            json_data(answer, object)  # raises if CLN reports a failure as JSON
            raise unexpected_response(answer, "JSON instead of plain text")
        raise unexpected_response(answer, describe_body(answer.body))
    message = re.search(_PLAIN_MESSAGE, text)
    if message:
        text = text[: message.start()] + text[message.end() :]
    found = list(re.finditer(_PLAIN_ITEM, text))
    items = {item["name"].lower(): item["value"] for item in found}
    success = items.pop("success", "").lower()
    if success not in {"true", "false"}:
        raise unexpected_response(answer, describe_body(answer.body))
    raise_unless_success(answer, success == "true", " ".join(message[1].split()) if message else None)
    if answer.status != 200:  # with another 2xx, such as 206, the body is partial or not from CLN
        raise unexpected_response(answer, "a body that reports success", says_success=True)
    # Nothing marks the end of such a text, and a truncated one must not be taken for complete.
    rest, last = text[found[-1].end() :].strip(), found[-1]["value"].lower()
    if re.fullmatch(_HALF_ITEM, rest) or (not rest and last in _HALF_FLAGS):
        raise unexpected_response(answer, "truncated text")
    return items
