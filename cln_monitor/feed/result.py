"""The result of a check, as the plugin of that name would print it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FeedResult:
    """The result of a check for the service ``service`` of the host ``host``.

    ``state`` is from 0 to 3. ``output`` is the output of the plugin without perfdata: the first line and the long
    output, separated by "\\n". ``perfdata`` is as the plugin prints it, "" without perfdata; labels may be quoted.
    ``check`` is the name of the plugin, such as ``check_cln_kernelcare``.
    """

    host: str
    service: str
    state: int
    output: str
    perfdata: str
    check: str
