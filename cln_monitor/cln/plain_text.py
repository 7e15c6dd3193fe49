"""The plain lines of answers (API document, "API overview")."""

from __future__ import annotations

import re

from .envelope import describe_body, json_data, not_an_answer, raise_unless_success
from .http.answer import HttpAnswer

# Texts, which re compiles when they are first used: most checks ask for JSON.
# Values end at a comma or a comment: the samples of the API document carry both.
_PLAIN_ITEM = r"(?a)\b(?P<name>\w+)[ \t]*:[ \t]*(?P<value>[^\s,]+)(?:[ \t]*,)?(?:[ \t]*//.*)?"
_HALF_ITEM = r"(?a)\w+[ \t]*:?"
_HALF_FLAGS = frozenset({"t", "tr", "tru", "f", "fa", "fal", "fals"})
_PLAIN_MESSAGE = r"(?a)\bmessage[ \t]*:[ \t]*(.*(?:\n(?![ \t]*\w+[ \t]*:).*)*)"


def says_success(answer: HttpAnswer) -> bool:
    """Tell whether a plain answer begins as CLN's do, with ``success``, be it true or false."""
    return answer.body.lstrip()[:7].lower() == b"success"


def plain_items(answer: HttpAnswer) -> dict[str, str]:
    """Return the ``name:value`` items of a plain answer; they stand on lines of their own or parted by blanks.

    Raises AuthorizationError or RefusedError when it says ``success:false``, be it as JSON, BadAnswerError when it says
    neither.
    """
    text = answer.body.decode("utf-8", "replace").replace("\r\n", "\n").strip()
    if not says_success(answer):
        if answer.body.lstrip().startswith((b"{", b"[")):
            json_data(answer, object)  # raises where CLN says no in the other form
            raise not_an_answer(answer, "JSON in place of plain text")
        raise not_an_answer(answer, describe_body(answer.body))
    message = re.search(_PLAIN_MESSAGE, text)
    if message:
        text = text[: message.start()] + text[message.end() :]
    found = list(re.finditer(_PLAIN_ITEM, text))
    items = {item["name"].lower(): item["value"] for item in found}
    success = items.pop("success", "").lower()
    if success not in {"true", "false"}:
        raise not_an_answer(answer, describe_body(answer.body))
    raise_unless_success(answer, success == "true", " ".join(message[1].split()) if message else None)
    if answer.status != 200:  # with any other 2xx, such as 206, a body is a part, or none of CLN's
        raise not_an_answer(answer, "a body that says success", says_success=True)
    # Nothing marks the end of such a text; what has lost its second half must not pass for all there is.
    rest, last = text[found[-1].end() :].strip(), found[-1]["value"].lower()
    if re.fullmatch(_HALF_ITEM, rest) or (not rest and last in _HALF_FLAGS):
        raise not_an_answer(answer, "text that is cut")
    return items
