"""Whether the kernels are patched (API document, "KernelCare Nagios API"): texts meant for Nagios, read with care.

Bad states come with HTTP 200, so nothing is good but what the text says is good.
"""

from __future__ import annotations

import re

import msgspec

from cln_monitor.text_cleaning import LONGEST_UNSCRUBBED, clean_text

from . import validation
from .caller import Caller
from .endpoints import PATCH_STATUS_OF_KEY, PATCH_STATUS_OF_RESELLER
from .envelope import describe_body, json_data, not_an_answer, token_refused
from .errors import RefusedError
from .http.answer import HttpAnswer
from .kernelcare import KernelCareKey
from .plain_text import plain_items

STATES = ("uptodate", "outofdate", "unsupported", "inactive")
"""The states a server can be in, as the counts of CLN name them."""


class PatchedHost(msgspec.Struct, frozen=True):
    """A server that the answer names, with its ``state`` in the words of :data:`STATES` or as CLN put it."""

    host: str
    ip: str
    state: str


class PatchStatus(msgspec.Struct, frozen=True):
    """``ok``: all servers are up to date; ``counts``: servers by state, None when CLN gave no counts."""

    ok: bool
    counts: dict[str, int] | None
    hosts: list[PatchedHost]


class ServersNotFoundError(RefusedError):
    """CLN knows no server for this key: the key is unknown, or nothing is registered with it yet."""


class ResellerNotFoundError(RefusedError):
    """CLN knows no reseller by this login: the account is none, or the login is wrong."""


class PatchStatusReads:
    """The calls below ``/kcare`` that were made for Nagios and only read."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def of_key(self, key: str | KernelCareKey) -> PatchStatus:
        """Return the state of the servers of a KernelCare key or monitoring key (``/kcare/nagios/{key}``).

        Raises InvalidArgumentError, ServersNotFoundError for a key without servers, and other ClnErrors.
        """
        key = validation.key_to_read(key)
        return self._caller.read(PATCH_STATUS_OF_KEY, parse_patch_status, path=lambda: {"key": key}, key=key)

    def of_reseller(self) -> PatchStatus:
        """Return the state of all servers of the account (``/kcare/nagios-res/{login}/{token}``).

        The document calls ``token`` the authorization token; CLN's users paste a static registration token. The
        static one is sent when the account has one. Raises ResellerNotFoundError for an account that is no reseller,
        and other ClnErrors.
        """
        return self._caller.read(PATCH_STATUS_OF_RESELLER, parse_patch_status, path=self._caller.reseller)


# Texts, which re compiles when they are first used: most checks ask about something else.
_COUNT = r"(\w+)=(\d{1,9})"
_COUNTS_ALONE = rf"[ \t]*({_COUNT}(?:[; \t]+{_COUNT})*)[; \t]*"
# Counts stand alone on a line or behind its "|"; nothing else may stand there.
_COUNTS = rf"(?am)^(?:[^|\n]*\|)?{_COUNTS_ALONE}$"
# What nobody has documented, such as rebootrequired=4, is not taken for good.
_ANY_NOT_GOOD = r"(?a)\b(?!uptodate=)\w+=0*[1-9]"
_HOST = r"(?m)^(?P<host>[^(\n]*)\((?P<ip>[^()\n]*)\) is (?P<state>[A-Za-z]+(?: [A-Za-z]+)*)[ \t.!]*$"
# The whole line counts: "All 9 servers are up to date except web1" is nothing to be glad of.
_GOOD = (
    r"(?ima)(?:KernelCare OK(?: *- *all (?:(\d{1,9}) )?servers are up to date)?"
    r"|All (?:(\d{1,9}) )?(?:servers|machines) are up to date)[ \t.!]*(?:\||$)"
)
_BAD = r"(?im)^(?:KernelCare (?:WARNING|CRITICAL)\b|\d+ \w+ (?:is|are) (?:OUTOFDATE|UNSUPPORTED|INACTIVE)\b)"
_NOT_FOUND = r"(?i)(?:Servers|Reseller) not found\b"
_NOT_AUTHORIZED = r"(?i)Registration token not found\b|Authorization failed\b"


def parse_patch_status(answer: HttpAnswer) -> PatchStatus:
    """Read the text of a nagios call.

    Raises AuthorizationError, RefusedError, or BadAnswerError for a text nobody knows.
    """
    text = answer.body.decode("utf-8", "replace").replace("\r\n", "\n").strip()
    _raise_for_failure(answer, text)
    counts, any_not_good = _counts(answer, text), re.search(_ANY_NOT_GOOD, text) is not None
    hosts = [
        PatchedHost(clean_text(found["host"]), clean_text(found["ip"]), found["state"].lower().replace(" ", ""))
        for found in re.finditer(_HOST, text)
    ]
    # Words, counts and hosts overlap, and none of them tells all: what is bad in any of them is bad.
    says_good, says_bad = _says_good(text, counts), re.search(_BAD, text) is not None
    if not (says_good or says_bad or (counts is not None and any_not_good)):
        raise not_an_answer(answer, describe_body(answer.body))
    if says_good:
        counts = _agreed(answer, text, counts)
    ok = says_good and not says_bad and not any_not_good and all(host.state == "uptodate" for host in hosts)
    if answer.status != 200 and (ok or answer.status < 400):
        raise not_an_answer(answer, "a text that says all is well")
    return PatchStatus(ok, counts, hosts)


def _says_good(text: str, counts: dict[str, int] | None) -> bool:
    """Tell whether the first line is one of those by which CLN says that all is well: in words, or counts alone."""
    good = re.match(_GOOD, text)
    if good is None:
        return counts is not None and "|" not in text.partition("\n")[0] and re.match(_COUNTS, text) is not None
    return counts is not None or not good[0].endswith("|")


def _agreed(answer: HttpAnswer, text: str, counts: dict[str, int] | None) -> dict[str, int] | None:
    """Return the counts of a ``text`` that begins well; one that goes on otherwise, or contradicts itself, is none."""
    first, *lines = text.split("\n")
    for line in filter(str.strip, lines):
        if not (re.fullmatch(_COUNTS_ALONE, line, re.ASCII) or re.match(_HOST, line) or re.match(_BAD, line)):
            raise not_an_answer(answer, f"a text that says all is well and goes on: {_quoted(line)}")
    good = re.match(_GOOD, first)
    number = good and (good[1] or good[2])
    if not number:
        return counts
    if counts is None:
        return None if int(number) else dict.fromkeys(STATES, 0)
    if int(number) != counts["uptodate"]:
        raise not_an_answer(answer, f"a text that says {_quoted(first)}")
    return counts


def _quoted(line: str) -> str:
    return f"'{clean_text(line, LONGEST_UNSCRUBBED)}'"


def _raise_for_failure(answer: HttpAnswer, text: str) -> None:
    """Raise the error that ``text`` is, where it is one of the texts by which CLN says no."""
    if text.startswith(("{", "[")):
        json_data(answer, object)
        raise not_an_answer(answer, "JSON where a text is documented")
    if text[:7].lower() == "success":
        plain_items(answer)
    elif re.match(_NOT_AUTHORIZED, text):
        raise token_refused(answer, clean_text(text, LONGEST_UNSCRUBBED))
    elif found := re.match(_NOT_FOUND, text):
        kind = ServersNotFoundError if found[0].lower().startswith("servers") else ResellerNotFoundError
        raise kind(f"CLN refused the call: {clean_text(text, LONGEST_UNSCRUBBED)}")


def _counts(answer: HttpAnswer, text: str) -> dict[str, int] | None:
    """Return the servers by state, or None without counts; those of states that nobody has documented are left out."""
    items = [
        item
        for line in re.finditer(_COUNTS, text)
        for item in re.findall(_COUNT, line[1], re.ASCII)
        if item[0] in STATES
    ]
    if not items:
        return None
    counts = {state: int(number) for state, number in items}
    if not len(items) == len(counts) == len(STATES):
        raise not_an_answer(answer, "counts that are cut or doubled")
    return {state: counts[state] for state in STATES}
