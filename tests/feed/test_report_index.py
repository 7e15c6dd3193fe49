"""The selection of servers in a report: that of the exporter's forms, on the JSON of the whole report."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest

from cln_monitor.exporter.forms import FormQuery, parse_query
from cln_monitor.feed.report_index import ReportIndex

from .demo_exporter import DemoExporter

FILTERS = {
    "kernelcare": ("key", "ip", "server_id"),
    "imunify": ("key", "ip", "server_id"),
    "els": ("key", "ip", "server_id"),
    "cloudlinux": ("key", "ip", "server_id"),
    "ip_licenses": ("ip",),
    "patch_status": ("key",),
}


def report_of(exporter: DemoExporter, probe: str, form: list[tuple[str, str]]) -> dict[str, Any]:
    """Return the report of the exporter in ``form``."""
    target = next(one for one in exporter.service.targets.values() if one.id.probe == probe)
    query = parse_query(probe, form) if form else FormQuery()
    report: dict[str, Any] = json.loads(target.forms().encoded(query, 0).text)
    return report


def values_in(report: dict[str, Any], name: str) -> list[str]:
    """Return some values of the field ``name`` of keys, servers and licenses, and one that does not exist."""
    found: dict[str, None] = {}
    for part in report["observation"]["parts"]:
        value = part["value"]
        for row in [value, *(row for rows in value.values() if isinstance(rows, list) for row in rows)]:
            if isinstance(row, dict) and row.get(name):
                found[row[name]] = None
    values = list(found)
    assert len(values) > 3, name
    return [values[0], values[len(values) // 2], values[-1], "198.51.100.99" if name == "ip" else "none"]


@pytest.mark.parametrize("probe", FILTERS)
def test_filters(exporter: DemoExporter, probe: str) -> None:
    """For each combination of filters, the parts are those that the exporter selects."""
    whole = report_of(exporter, probe, [])
    index = ReportIndex(whole)
    choices = [[None, *values_in(whole, name)] for name in FILTERS[probe]]
    compared = 0
    for values in product(*choices):
        form = [(name, value) for name, value in zip(FILTERS[probe], values, strict=True) if value is not None]
        selected = index.select(whole, form)["observation"]["parts"]
        if form:
            # Part by part, as the exporter leaves out those without a license.
            expected = {part["name"]: part for part in report_of(exporter, probe, form)["observation"]["parts"]}
            chosen = {part["name"]: part for part in selected}
            assert {name: chosen[name] for name in expected} == expected, form
            assert all(not any(chosen[name]["value"].values()) for name in chosen.keys() - expected.keys()), form
        else:
            assert selected == whole["observation"]["parts"]
        compared += 1
    assert compared == 5 ** len(FILTERS[probe])


def test_several_values(exporter: DemoExporter) -> None:
    """Of several values of a filter, each selects servers."""
    whole = report_of(exporter, "imunify", [])
    form = [("server_id", value) for value in values_in(whole, "server_id")]
    assert ReportIndex(whole).select(whole, form) == report_of(exporter, "imunify", form) | {
        "host_names": whole["host_names"]
    }


def test_nothing_to_select() -> None:
    """Without data, with an unknown probe, or with a form without filters, the report is the whole one."""
    for report in (
        {"probe": "kernelcare", "observation": None},
        {"probe": "new", "observation": {"parts": [{"name": "a", "value": {}}]}},
        {"probe": "kernelcare"},
    ):
        assert ReportIndex(report).select(report, [("key", "a")]) is report
    report = {"probe": "kernelcare", "observation": {"parts": [{"name": "a", "value": {"servers": []}}]}}
    assert ReportIndex(report).select(report, [("form", "summary")]) is report
