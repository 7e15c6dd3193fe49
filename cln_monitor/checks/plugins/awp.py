"""``check_cln_awp``: the number of billable entities of AccelerateWP."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cln_monitor import policy
from cln_monitor.checks.data.reader import read_report
from cln_monitor.checks.data.request import DataRequest, Report
from cln_monitor.checks.options import COMMON, Option
from cln_monitor.checks.plugin_exit import PluginExit
from cln_monitor.checks.problems import CheckProblem, oddities_of, origin_of, phrases_of, problems_of, values_of
from cln_monitor.checks.registry import Plugin
from cln_monitor.checks.result import CheckResult, Metric
from cln_monitor.checks.states import State
from cln_monitor.checks.thresholds import count_range, pair
from cln_monitor.durations import months_at

MONTHS = ("current", "previous")
_NAMES = {"AWP_PREMIUM": "AccelerateWP Premium", "AWP_CDN": "AccelerateWP CDN"}
"""As in `cln_monitor.probes.PRODUCT_NAMES`, which takes longer to import than this check to run."""


def check(options: argparse.Namespace, exit_: PluginExit, now: float) -> CheckResult:
    """Read the billable entities of the current and the previous month and evaluate them."""
    settings = {"products": list(dict.fromkeys(options.product))} if options.product else {}
    return judge(read_report(DataRequest("awp", settings=settings, set_by="--product"), options, exit_), options, now)


def judge(report: Report, options: argparse.Namespace, _: float) -> CheckResult:
    """Return the result for the total in ``report``, by ``-w`` and ``-c``, which have no defaults."""
    thresholds = pair(options.warning, options.critical, (None, None))
    # By the time of the poll: at the end of a month the plugin may already be in the next one.
    current, previous = months_at(report["last_run"] or 0)
    month = previous if options.month == "previous" else current
    rows = _rows_of(report, month, options.product)
    billable = _by_product(rows)
    total = sum(billable.values())
    problems = problems_of(report, month.__eq__, options)
    metric = Metric("billable", total, "", *thresholds)
    named = ", ".join(f"{count} {_NAMES.get(product, product)}" for product, count in sorted(billable.items()))
    text = f"{total} billable entities in {month}" + (f" ({named})" if named else "")
    odd = oddities_of(report, lambda _: True)
    found = odd.problems
    is_read = any(True for _ in values_of(report, month.__eq__))
    without_match = [f"--product {product}" for product in options.product if product not in billable]
    if is_read and without_match:
        found.append(CheckProblem(State.UNKNOWN, f"no data for {', '.join(without_match)}"))
    if not (is_read or problems):
        found.append(CheckProblem(State.UNKNOWN, f"no data for {month}"))
    if is_read and metric.state is not State.OK:
        threshold = thresholds[1] if metric.state is State.CRITICAL else thresholds[0]
        found.append(CheckProblem(metric.state, f"{text}, {threshold.description}" if threshold else text))
    before = _by_product(_rows_of(report, previous, options.product)) if month == current else {}
    notes = [
        f"{_NAMES.get(product, product)} rose from {before[product]} in {previous} to {count}"
        for product, count in sorted(billable.items())
        if product in before and policy.has_jumped(count, before[product])
    ]
    metrics = [metric, *(Metric(product.lower(), count) for product, count in sorted(billable.items()))]
    return CheckResult(
        text="; ".join([*(phrases_of([*found, *problems]) or [text]), *notes, *odd.notes]),
        lines=[*origin_of(report, options), *odd.lines, *map(_line, rows)],
        metrics=[] if problems or not is_read else metrics,
        states=[problem.state for problem in (*found, *problems)],
    )


def _rows_of(report: Report, month: str, products: Sequence[str]) -> list[Mapping[str, Any]]:
    counts = [row for value in values_of(report, month.__eq__) for row in value["counts"]]
    return [row for row in counts if not products or row["product"] in products]


def _by_product(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    billable: dict[str, int] = {}
    for row in rows:
        billable[row["product"]] = billable.get(row["product"], 0) + row["billable"]
    return billable


def _month(text: str) -> str:
    if text not in MONTHS:
        raise ValueError(f"{text!r} is not one of {', '.join(MONTHS)}")
    return text


def _line(row: Mapping[str, Any]) -> str:
    limit = f" of {row['cdn_limit']}" if row["cdn_limit"] else ""
    return f"{_NAMES.get(row['product'], row['product'])}{limit}: {row['billable']}"


PLUGIN = Plugin(
    name="check_cln_awp",
    purpose="Check the number of billable AccelerateWP entities in a month (UTC).",
    options=(
        Option(
            ("-w", "--warning"),
            "Return WARNING if the number of billable entities is outside this range",
            "RANGE",
            read=count_range,
        ),
        Option(
            ("-c", "--critical"),
            "Return CRITICAL if the number of billable entities is outside this range",
            "RANGE",
            read=count_range,
        ),
        Option(
            ("--product",),
            "Count only this product, such as AWP_CDN; repeatable",
            "PRODUCT",
            repeatable=True,
        ),
        Option(
            ("--month",),
            "Check this month: current, or previous, whose bill is complete",
            "MONTH",
            default="current",
            read=_month,
            shown_default="current",
        ),
        *COMMON,
    ),
    check=check,
)
