"""Read the patch status of kernels from texts for Nagios (API document, "KernelCare Nagios API").

Bad states come with HTTP 200, so a response is good only if its text says so.
"""

from __future__ import annotations

import re

import msgspec

from cln_monitor.text_cleaning import LONGEST_UNSCRUBBED, clean_text

from . import validation
from .caller import Caller
from .endpoints import PATCH_STATUS_OF_KEY, PATCH_STATUS_OF_RESELLER
from .envelope import describe_body, json_data, token_refused, unexpected_response
from .errors import RefusedError
from .fields import host_name
from .http.answer import HttpAnswer
from .kernelcare import KernelCareKey
from .plain_text import plain_items

STATES = ("uptodate", "outofdate", "unsupported", "inactive")
"""The states of a server, named as in the counts of CLN."""


class PatchedHost(msgspec.Struct, frozen=True):
    """A server in the response; its ``state`` is one of :data:`STATES`, or another word of CLN."""

    host: str
    ip: str
    state: str


class PatchStatus(msgspec.Struct, frozen=True):
    """The patch status of servers. ``ok``: all are up to date; ``counts``: servers by state, None without counts."""

    ok: bool
    counts: dict[str, int] | None
    hosts: list[PatchedHost]


class ServersNotFoundError(RefusedError):
    """CLN finds no server of this key: the key is unknown, or no server is registered with it."""


class ResellerNotFoundError(RefusedError):
    """CLN finds no reseller with this login: the account has no reseller access, or the login is wrong."""


class PatchStatusReads:
    """The read-only calls below ``/kcare/nagios`` and ``/kcare/nagios-res``."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def for_key(self, key: str | KernelCareKey) -> PatchStatus:
        """Return the patch status of the servers of a KernelCare or monitoring key (``/kcare/nagios/{key}``).

        Raises InvalidArgumentError, ServersNotFoundError for a key without servers, and other ClnErrors.
        """
        key = validation.key_to_read(key)
        return self._caller.read(PATCH_STATUS_OF_KEY, parse_patch_status, path=lambda: {"key": key}, key=key)

    def for_reseller(self) -> PatchStatus:
        """Return the patch status of all servers of the account (``/kcare/nagios-res/{login}/{token}``).

        The document calls ``token`` the authorization token; users of CLN send a static registration token, which is
        sent if the account has one. Raises ResellerNotFoundError for an account without reseller access, and other
        ClnErrors.
        """
        return self._caller.read(PATCH_STATUS_OF_RESELLER, parse_patch_status, path=self._caller.reseller)


# Strings, which re compiles on first use: most checks never need them.
_COUNT = r"(\w+)=(\d{1,9})"
_COUNTS_ALONE = rf"[ \t]*({_COUNT}(?:[; \t]+{_COUNT})*)[; \t]*"
# Counts are alone on a line or after its "|", without any other text.
_COUNTS = rf"(?am)^(?:[^|\n]*\|)?{_COUNTS_ALONE}$"
# An undocumented count, such as rebootrequired=4, never counts as good.
_ANY_NOT_GOOD = r"(?a)\b(?!uptodate=)\w+=0*[1-9]"
_HOST = r"(?m)^(?P<host>[^(\n]*)\((?P<ip>[^()\n]*)\) is (?P<state>[A-Za-z]+(?: [A-Za-z]+)*)[ \t.!]*$"
# The whole line must match: "All 9 servers are up to date except web1" is not good.
_GOOD = (
    r"(?ima)(?:KernelCare OK(?: *- *all (?:(\d{1,9}) )?servers are up to date)?"
    r"|All (?:(\d{1,9}) )?(?:servers|machines) are up to date)[ \t.!]*(?:\||$)"
)
_BAD = r"(?im)^(?:KernelCare (?:WARNING|CRITICAL)\b|\d+ \w+ (?:is|are) (?:OUTOFDATE|UNSUPPORTED|INACTIVE)\b)"
_NOT_FOUND = r"(?i)(?:Servers|Reseller) not found\b"
_NOT_AUTHORIZED = r"(?i)Registration token not found\b|Authorization failed\b"


def parse_patch_status(answer: HttpAnswer) -> PatchStatus:
    """Return the patch status in the text of a nagios call.

    Raises AuthorizationError, RefusedError, or BadAnswerError for an undocumented text.
    """
    text = answer.body.decode("utf-8", "replace").replace("\r\n", "\n").strip()
    _raise_for_failure(answer, text)
    counts, any_not_good = _counts(answer, text), re.search(_ANY_NOT_GOOD, text) is not None
    hosts = [
        PatchedHost(host_name(found["host"]), clean_text(found["ip"]), found["state"].lower().replace(" ", ""))
        for found in re.finditer(_HOST, text)
    ]
    # Words, counts and hosts overlap, and none is complete: a bad state in any of them counts.
    says_good, says_bad = _says_good(text, counts), re.search(_BAD, text) is not None
    if not (says_good or says_bad or (counts is not None and any_not_good)):
        raise unexpected_response(answer, describe_body(answer.body))
    if says_good:
        counts = _consistent_counts(answer, text, counts)
    ok = says_good and not says_bad and not any_not_good and all(host.state == "uptodate" for host in hosts)
    if answer.status != 200 and (ok or answer.status < 400):
        raise unexpected_response(answer, "a text that reports a good status")
    return PatchStatus(ok, counts, hosts)


def _says_good(text: str, counts: dict[str, int] | None) -> bool:
    """Return whether the first line reports a good status: in words, or by counts alone."""
    good = re.match(_GOOD, text)
    if good is None:
        return counts is not None and "|" not in text.partition("\n")[0] and re.match(_COUNTS, text) is not None
    return counts is not None or not good[0].endswith("|")


def _consistent_counts(answer: HttpAnswer, text: str, counts: dict[str, int] | None) -> dict[str, int] | None:
    """Return the counts of a ``text`` whose first line is good. Raises BadAnswerError if the rest contradicts it."""
    first, *lines = text.split("\n")
    for line in filter(str.strip, lines):
        if not (re.fullmatch(_COUNTS_ALONE, line, re.ASCII) or re.match(_HOST, line) or re.match(_BAD, line)):
            raise unexpected_response(answer, f"a text that reports a good status, followed by {_quoted(line)}")
    good = re.match(_GOOD, first)
    number = good and (good[1] or good[2])
    if not number:
        return counts
    if counts is None:
        return None if int(number) else dict.fromkeys(STATES, 0)
    if int(number) != counts["uptodate"]:
        raise unexpected_response(answer, f"counts that contradict {_quoted(first)}")
    return counts


def _quoted(line: str) -> str:
    return f"'{clean_text(line, LONGEST_UNSCRUBBED)}'"


def _raise_for_failure(answer: HttpAnswer, text: str) -> None:
    """Raise an error if ``text`` is one of the texts by which CLN reports a failure."""
    if text.startswith(("{", "[")):
        json_data(answer, object)
        raise unexpected_response(answer, "JSON instead of plain text")
    if text[:7].lower() == "success":
        plain_items(answer)
    elif re.match(_NOT_AUTHORIZED, text):
        raise token_refused(answer, clean_text(text, LONGEST_UNSCRUBBED))
    elif found := re.match(_NOT_FOUND, text):
        kind = ServersNotFoundError if found[0].lower().startswith("servers") else ResellerNotFoundError
        raise kind(f"CLN refused the request: {clean_text(text, LONGEST_UNSCRUBBED)}")


def _counts(answer: HttpAnswer, text: str) -> dict[str, int] | None:
    """Return the numbers of servers by documented state, or None without counts."""
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
        raise unexpected_response(answer, "incomplete or duplicate counts")
    return {state: counts[state] for state in STATES}
