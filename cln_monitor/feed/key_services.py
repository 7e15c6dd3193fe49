"""Services per license key: one for each key that CLN has, and a last result for each that it no longer has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import structlog

from cln_monitor.checks.data.exporter import report_from_exporter
from cln_monitor.checks.data.request import DataRequest, Report
from cln_monitor.checks.plugin_exit import CheckError, NoResponseError, PluginExit
from cln_monitor.checks.registry import MODULES
from cln_monitor.masking import masked

from .services import Service

_log = structlog.get_logger(__name__)

_Id = tuple[str, str, str, str | None]
"""Host, service, check, and account of a service with ``per: key``."""


class KeyServices:
    """The license keys that were known in the last round, for each service with ``per: key``."""

    def __init__(self) -> None:
        self._known: dict[_Id, dict[str, None]] = {}
        self.problems: list[str] = []
        """The lists of license keys that could not be read in this round, and why."""

    def keep_only(self, services: Iterable[Service]) -> None:
        """Forget the keys of all other services."""
        ids = {_id(service) for service in services if service.per_key}
        self._known = {id_: keys for id_, keys in self._known.items() if id_ in ids}

    def start_round(self) -> None:
        """Forget the problems of the last round."""
        self.problems = []

    def update(self, service: Service) -> tuple[list[Service], list[Service]]:
        """Return a service for each license key, and one for each that is gone since the last round.

        A key is gone only if a complete list of keys does not have it. While the exporter cannot be read, or its list
        is incomplete or too old, the known keys stay, and their checks report the reason.
        """
        known = self._known.setdefault(_id(service), {})
        try:
            keys, is_complete = _read_keys(service)
        except (CheckError, NoResponseError) as error:
            self.problems.append(f"no list of license keys for {service.service}: {error}")
            if not known:
                _log.warning("no list of license keys yet", service=service.service, error=str(error))
            return [service.for_key(key) for key in known], []
        removed = [key for key in known if key not in keys] if is_complete else []
        known |= keys
        for key in removed:
            del known[key]
        return [service.for_key(key) for key in known], [service.for_key(key) for key in removed]

    @staticmethod
    def current(service: Service) -> list[Service]:
        """Return a service for each license key that CLN has now. Raises CheckError or NoResponseError."""
        return [service.for_key(key) for key in _read_keys(service)[0]]


def _id(service: Service) -> _Id:
    """Return what ``service`` has in common with itself after a reload, as long as its license keys are the same."""
    return service.host, service.service, service.plugin.name, service.options.account


def _read_keys(service: Service) -> tuple[dict[str, None], bool]:
    """Return the masks of the license keys, and whether they are all. Raises CheckError or NoResponseError."""
    try:
        report = _read(service)
        return dict.fromkeys(_keys_of(report)), _is_complete(report)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise CheckError(
            f"the exporter's list of license keys cannot be read: {type(error).__name__}: {error}"
        ) from None


def _read(service: Service) -> Report:
    request = DataRequest(MODULES[service.plugin.name])
    report = report_from_exporter(request, service.options, PluginExit())
    if report["observation"] is None:
        raise CheckError("the exporter has no data of this probe yet")
    return report


def _is_complete(report: Report) -> bool:
    is_recent = (report["ages"]["last_run"] or 0) <= report["max_age"]
    return is_recent and not report["failure"] and not report["missing"] and not report.get("first_poll")


def _keys_of(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield the mask of each license key in ``report``: its parts are keys, or have lists of keys."""
    for part in report["observation"]["parts"]:
        value = part["value"]
        keys = [value] if "key" in value else value.get("keys", ())
        for key in keys:
            name = key["key"]
            if not isinstance(name, str):
                raise TypeError(f"a key is not a text but {type(name).__name__}")
            if name:  # empty for the account itself, in patch_status
                yield masked(name)
