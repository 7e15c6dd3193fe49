"""What a check asks for, and the form in which it gets it, whichever way it asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

View = Mapping[str, Any]
"""What a probe saw; ``cln_monitor.probes.report`` has its fields."""


class DataRequest(NamedTuple):
    """What a check asks for. ``account``: it takes an account's credentials; ``only_keys``: licence keys to ask about.

    ``settings`` are those of the probe that the check decides itself, by the option ``set_by``.
    """

    probe: str
    account: bool = True
    only_keys: tuple[str, ...] | None = None
    settings: Mapping[str, Any] = {}
    set_by: str = ""
