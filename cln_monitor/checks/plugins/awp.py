"""``check_cln_awp``: how much AccelerateWP is billed for this month?"""

from __future__ import annotations

import argparse
from collections import Counter

from cln_monitor.checks.data.reader import read_view
from cln_monitor.checks.data.request import DataRequest, View
from cln_monitor.checks.options import COMMON, Option
from cln_monitor.checks.plugin_exit import PluginExit
from cln_monitor.checks.problems import CheckProblem, oddities_of, origin_of, phrases_of, problems_of, values_of
from cln_monitor.checks.registry import Plugin
from cln_monitor.checks.result import CheckResult, Metric
from cln_monitor.checks.states import State
from cln_monitor.checks.thresholds import of_count, pair


def check(options: argparse.Namespace, leave: PluginExit, now: float) -> CheckResult:
    """Read what is billed for the current month and judge it."""
    settings = {"products": list(dict.fromkeys(options.product))} if options.product else {}
    return judge(read_view(DataRequest("awp", settings=settings, set_by="--product"), options, leave), options, now)


def judge(view: View, options: argparse.Namespace, _: float) -> CheckResult:
    """Return the verdict on the numbers in ``view``: their sum against ``-w`` and ``-c``, neither set by default."""
    thresholds = pair(options.warning, options.critical, (None, None))
    months = list(values_of(view, lambda _: True))
    rows = [
        row for month in months for row in month["counts"] if not options.product or row["product"] in options.product
    ]
    billable: Counter[str] = Counter()
    for row in rows:
        billable[row["product"]] += row["billable"]
    total = sum(billable.values())
    problems = problems_of(view, lambda _: True, options)
    figure = Metric("billable", total, "", *thresholds)
    named = ", ".join(f"{count} {product}" for product, count in sorted(billable.items()))
    period = months[0]["month"] if months else "this month"
    text = f"{total} billable in {period}" + (f" ({named})" if named else "")
    odd = oddities_of(view, lambda _: True)
    found = odd.problems
    gone = [f"--product {product}" for product in options.product if product not in billable]
    if months and gone:
        found.append(CheckProblem(State.UNKNOWN, f"nothing is known of {', '.join(gone)}"))
    if months and figure.state is not State.OK:
        threshold = thresholds[1] if figure.state is State.CRITICAL else thresholds[0]
        found.append(CheckProblem(figure.state, f"{text}, {threshold.words}" if threshold else text))
    figures = [figure, *(Metric(product.lower(), count) for product, count in sorted(billable.items()))]
    return CheckResult(
        text="; ".join([*(phrases_of([*found, *problems]) or [text]), *odd.notes]),
        lines=[*origin_of(view, options), *odd.lines, *map(_line, rows)],
        figures=[] if problems else figures,
        states=[problem.state for problem in (*found, *problems)],
    )


def _line(row: dict[str, object]) -> str:
    limit = f" of {row['cdn_limit']}" if row["cdn_limit"] else ""
    return f"{row['product']}{limit}: {row['billable']}"


PROGRAM = Plugin(
    name="check_cln_awp",
    purpose="Checks what AccelerateWP is billed for in the current month (UTC): the number of billable entities.",
    options=(
        Option(
            ("-w", "--warning"), "WARNING for a number of billable entities out of this range", "RANGE", read=of_count
        ),
        Option(
            ("-c", "--critical"), "CRITICAL for a number of billable entities out of this range", "RANGE", read=of_count
        ),
        Option(
            ("--product",),
            "count this product alone, such as AWP_CDN; can be given again",
            "PRODUCT",
            repeatable=True,
        ),
        *COMMON,
    ),
    check=check,
)
