"""A live patch of a kernel, and its description ``kpatch.info``, a text that ``kcarectl --patch-info`` prints, too."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from cln_monitor.cln.errors import BadAnswerError
from cln_monitor.cln.fields import date_if_readable
from cln_monitor.text_cleaning import clean_text

_UNEXPECTED = "unexpected response from the patch server"
_FIELD = r"(?a)\s*(?!(?i:CVE)-\d)([A-Za-z][\w-]*)\s*:(.*)"
_PART_OF_NAME = r"(?ai)\s*k(?:p(?:a(?:t(?:c(?:h(?:-[\w-]*)?)?)?)?)?)?"
_SEPARATORS = r"[\s,;]+"
_CVE = r"(?a)CVE-\d{4}-\d{4,19}"
_NO_CVE = frozenset({"N/A", "NA", "NONE", "-"})


class LivePatch(msgspec.Struct, frozen=True):
    """The patch of ``level`` for the kernel with the id ``kernel_id``: all fixes up to that level.

    ``cves`` are the ids of those that it fixes, in capitals and sorted. ``unread`` is the number of fixes whose CVEs
    are missing or could not be read: if it is not 0, more CVEs may be fixed. ``built_at`` is in Unix seconds, None if
    unknown; the server sends no time zone, and it is taken as UTC. ``effective_kernel`` is the kernel whose fixes a
    server with this patch has, empty if unknown.
    """

    kernel_id: str
    level: int
    cves: tuple[str, ...]
    unread: int = 0
    built_at: float | None = None
    effective_kernel: str = ""


def parse_patch_info(kernel_id: str, level: int, text: str) -> LivePatch:
    """Return the patch that ``text``, a ``kpatch.info``, describes: a head, then a block of lines for each fix.

    Raises BadAnswerError if it has no ``kpatch-cve``, as an HTML page, or ends within one, or within another field.
    """
    head: dict[str, str] = {}
    cves: set[str] = set()
    unread = 0
    is_described = True  # the fix whose fields are being read has a line of CVEs; so has no fix before the first one
    has_fixes = has_cves = False
    last = ""
    for name, value in _fields(text):
        last = name
        if name == "kpatch-name":
            unread += not is_described
            has_fixes, is_described = True, False
        elif name == "kpatch-cve":
            found, is_whole = _cves(value)
            cves |= found
            unread += not is_whole
            has_cves = is_described = True
        elif not has_fixes and not has_cves:
            head.setdefault(name, value.strip())
    if not has_cves:
        raise BadAnswerError(f"{_UNEXPECTED}: no kpatch-cve")
    if not text.endswith("\n"):
        if last == "kpatch-cve":
            raise BadAnswerError(f"{_UNEXPECTED}: it ends within kpatch-cve")
        if re.fullmatch(_PART_OF_NAME, text.splitlines()[-1]):
            raise BadAnswerError(f"{_UNEXPECTED}: it ends within a field")
    return LivePatch(
        kernel_id,
        level,
        tuple(sorted(cves)),
        unread + (not is_described),
        date_if_readable(head.get("time")),
        clean_text(head.get("uname")),
    )


def _fields(text: str) -> Iterator[tuple[str, str]]:
    """Yield the name, in small letters, and the value of each field, which may continue on lines without a name."""
    name, value = "", ""
    for line in text.splitlines():
        if field := re.fullmatch(_FIELD, line):
            if name:
                yield name, value
            name, value = field[1].lower(), field[2]
        elif line.strip():
            value += f" {line}"
        else:
            if name:
                yield name, value
            name, value = "", ""
    if name:
        yield name, value


def _cves(value: str) -> tuple[set[str], bool]:
    """Return the CVEs in the value of a ``kpatch-cve``, and whether it has nothing else."""
    items = {item.upper() for item in re.split(_SEPARATORS, value) if item} - _NO_CVE
    cves = {item for item in items if re.fullmatch(_CVE, item)}
    return cves, cves == items
