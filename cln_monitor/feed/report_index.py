"""Find the servers that a check selects in a report, so that its cost does not grow with the fleet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from cln_monitor.checks.checkin_rules import normalized_ip
from cln_monitor.checks.data.request import Form, Report, with_fields
from cln_monitor.masking import masked
from cln_monitor.registrations import shared_addresses

_Place = tuple[int, int]
"""The number of a part, and of a server in it."""


class ReportIndex:
    """Reduces a report, as the JSON of the exporter has it, to what a form with filters selects.

    The result may have more than the form selects, never less. Without filters, or for a probe that is unknown here,
    it is the whole report. Each index is made when it is first used.
    """

    def __init__(self, report: Mapping[str, Any]) -> None:
        observation = report.get("observation")
        self._parts: Sequence[Mapping[str, Any]] = observation["parts"] if isinstance(observation, dict) else ()
        self._indexes: dict[str, Any] = {}

    def select(self, report: Mapping[str, Any], form: Form) -> dict[str, Any]:
        """Return ``report``, which may have other ages, with the servers that match all filters of ``form``."""
        filters: dict[str, list[str]] = {}
        for name, value in form:
            filters.setdefault(name, []).append(value)
        parts = None
        if self._parts and filters.keys() & {"key", "ip", "server_id"}:
            parts = self._select(report["probe"], filters)
        if parts is None:
            return dict_of(report)
        observation = with_fields(report["observation"], parts=parts)
        return dict_of(with_fields(report, observation=observation))

    def _select(self, probe: str, filters: Mapping[str, list[str]]) -> list[Mapping[str, Any]] | None:
        if probe in {"kernelcare", "imunify"}:
            return self._of_keys(probe, filters)
        if probe == "patch_status":
            return [self._parts[number] for number in self._numbers_of_keys(filters["key"])]
        if probe in {"els", "cloudlinux"}:
            return [self._reduced(number, ("keys", "servers"), filters) for number in range(len(self._parts))]
        if probe == "ip_licenses":
            return [self._reduced(number, ("licenses", "checkins"), filters) for number in range(len(self._parts))]
        return None

    def _of_keys(self, probe: str, filters: Mapping[str, list[str]]) -> list[Mapping[str, Any]]:
        """Return the parts of the selected keys and servers, and the servers at the same addresses.

        A registration of KernelCare is superseded by another one at its address, which may belong to another key.
        Parts with cautions stay, without other servers, as their cautions concern the list of keys.
        """
        of_keys = self._numbers_of_keys(filters["key"]) if "key" in filters else None
        if "ip" in filters or "server_id" in filters:
            chosen = self._places(filters)
            if of_keys is not None:
                chosen = {place for place in chosen if place[0] in of_keys}
        else:
            chosen = {(part, row) for part in of_keys or () for row in range(len(self._servers(part)))}
        if probe == "kernelcare":
            shared = self._index("shared", self._make_shared)
            chosen |= {place for one in tuple(chosen) if one in shared for place in shared[one]}
        rows: dict[int, list[int]] = {number: [] for number in (*(of_keys or ()), *self._index("odd", self._make_odd))}
        for part, row in sorted(chosen):
            rows.setdefault(part, []).append(row)
        return [self._with_rows(part, rows[part]) for part in sorted(rows)]

    def _places(self, filters: Mapping[str, list[str]]) -> set[_Place]:
        """Return the places of the servers that match the filters by address and id."""
        found: set[_Place] | None = None
        for name, make in (("ip", normalized_ip), ("server_id", str)):
            if name in filters:
                index = self._index(name, partial(self._make_places, name, make))
                places = {place for value in filters[name] for place in index.get(make(value), ())}
                found = places if found is None else found & places
        return found or set()

    def _numbers_of_keys(self, keys: Iterable[str]) -> list[int]:
        index = self._index("key", self._make_numbers)
        return sorted({number for key in keys for number in index.get(masked(key), ())})

    def _with_rows(self, number: int, rows: Sequence[int]) -> Mapping[str, Any]:
        part, servers = self._parts[number], self._servers(number)
        if len(rows) == len(servers):
            return part
        return with_fields(part, value=with_fields(part["value"], servers=[servers[row] for row in rows]))

    def _reduced(self, number: int, lists: Sequence[str], filters: Mapping[str, list[str]]) -> Mapping[str, Any]:
        """Return a part whose ``lists`` have only the rows that match all filters; keys match only by ``key``."""
        part = self._parts[number]
        fields = {}
        for name in lists:
            rows, chosen = part["value"][name], None
            for filter_, make in (("key", masked), ("ip", normalized_ip), ("server_id", str)):
                if filter_ in filters and not (name == "keys" and filter_ != "key"):
                    index = self._index(f"{number} {name} {filter_}", partial(_by, rows, filter_, make))
                    found = {row for value in filters[filter_] for row in index.get(make(value), ())}
                    chosen = found if chosen is None else chosen & found
            fields[name] = rows if chosen is None else [rows[row] for row in sorted(chosen)]
        return with_fields(part, value=with_fields(part["value"], **fields))

    def _servers(self, number: int) -> Sequence[Mapping[str, Any]]:
        servers: Sequence[Mapping[str, Any]] = self._parts[number]["value"]["servers"]
        return servers

    def _index(self, name: str, make: Callable[[], Any]) -> Any:
        if name not in self._indexes:
            self._indexes[name] = make()
        return self._indexes[name]

    def _make_numbers(self) -> dict[str, list[int]]:
        numbers: dict[str, list[int]] = {}
        for number, part in enumerate(self._parts):
            numbers.setdefault(masked(part["name"]), []).append(number)
        return numbers

    def _make_odd(self) -> list[int]:
        return [number for number, part in enumerate(self._parts) if part.get("cautions")]

    def _all_places(self) -> list[_Place]:
        return [(part, row) for part in range(len(self._parts)) for row in range(len(self._servers(part)))]

    def _make_places(self, field: str, make: Callable[[str], str]) -> dict[str, list[_Place]]:
        places: dict[str, list[_Place]] = {}
        for part, row in self._all_places():
            places.setdefault(make(self._servers(part)[row][field]), []).append((part, row))
        return places

    def _make_shared(self) -> dict[_Place, list[_Place]]:
        """Return all servers at the address of each server that shares its address."""
        places = self._all_places()
        groups = shared_addresses([self._servers(part)[row]["ip"] for part, row in places])
        return {places[one]: [places[position] for position in group] for group in groups for one in group}


def _by(rows: Sequence[Mapping[str, Any]], field: str, make: Callable[[str], str]) -> dict[str, list[int]]:
    numbers: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        numbers.setdefault(make(row[field]), []).append(number)
    return numbers


def dict_of(report: Report) -> dict[str, Any]:
    """Return ``report`` itself, which is a dict, as JSON objects are."""
    assert isinstance(report, dict)  # noqa: S101 # for the types
    return report
