"""Whether the patch that a server has loaded fixes a CVE, and whether a newer patch exists.

That a CVE is not in the loaded patch does not mean that the server is vulnerable: the kernel on its disk may have the
fix, or may never have had the flaw.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Literal, Protocol, TypeAlias, get_args

CveState: TypeAlias = Literal["fixed", "not_fixed", "unknown"]
CVE_STATES: tuple[CveState, ...] = get_args(CveState)

_MOST_AHEAD = 86400.0  # seconds: the time of a patch has no zone
_CVE = r"(?ai)CVE-\d{4}-\d{4,19}"


def parse_cve(text: str) -> str:
    """Return the CVE id in ``text`` in capitals. Raises ValueError for any other text."""
    if re.fullmatch(_CVE, text.strip()) is None:
        raise ValueError("expected a CVE id, for example CVE-2026-12345")
    return text.strip().upper()


class DescribedPatch(Protocol):
    """What a live patch fixes: ``cves``, ids in capitals; more may be fixed if ``unread`` is not 0."""

    @property
    def cves(self) -> Collection[str]:
        """The ids of the CVEs that it fixes."""

    @property
    def unread(self) -> int:
        """The number of fixes whose CVEs are missing or could not be read."""


def state_of_cve(cve: str, level: int | None, patch: DescribedPatch | None) -> CveState:
    """Return whether a server with the patch of ``level`` has the fix of ``cve``, an id in capitals.

    ``level`` is 0 for a server that has loaded no patch, and None if it is unknown. ``patch`` is None if the patch
    server does not know the patch, or could not be read.
    """
    if level is None:
        return "unknown"
    if level == 0:
        return "not_fixed"
    if patch is None:
        return "unknown"
    if cve in patch.cves:
        return "fixed"
    return "unknown" if patch.unread else "not_fixed"


def reason_unknown(level: int | None, kernel_id: str, patch: DescribedPatch | None) -> str:
    """Return why :func:`state_of_cve` may be unknown for such a server with the kernel ``kernel_id``, empty if not."""
    if level is None:
        return "the ePortal reports no patch level"
    if level == 0:
        return ""
    if not kernel_id:
        return "the ePortal reports no kernel id"
    if patch is None:
        return "no description of the patch from the patch server"
    return "the patch has a fix without readable CVEs" if patch.unread else ""


def is_behind(level: int | None, newest: int | None) -> bool | None:
    """Return whether a newer patch than that of ``level`` exists; None if either level is unknown.

    ``newest`` is that of the default channel: a server of another channel may be above it, and is then not behind.
    """
    return None if level is None or newest is None else level < newest


def patch_age(built_at: float | None, now: float) -> float | None:
    """Return the seconds since a patch was built at ``built_at``, both Unix times; None if that is unknown.

    A time in the future is unknown, except that of a day, as its time zone is not known: such a patch is new.
    """
    if built_at is None or built_at > now + _MOST_AHEAD:
        return None
    return max(0.0, now - built_at)


def patch_rank(level: int | None, age: float | None) -> tuple[int, float]:
    """Return the rank of a server whose patch has ``level`` and was built ``age`` seconds ago, both None if unknown.

    Servers without a patch come first, then the oldest patch, and an unknown age last: it must not hide what is known.
    """
    if level == 0:
        return 0, 0.0
    return (2, 0.0) if age is None else (1, -age)
