"""``check_cln_cloudlinux``: the usage of CloudLinux OS keys."""

from __future__ import annotations

import argparse
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from cln_monitor import facts
from cln_monitor.checks.checkin_rules import NO_MATCH_STATE, SUMMARY, no_match, unmatched
from cln_monitor.checks.data.reader import read_report
from cln_monitor.checks.data.request import DataRequest, Report
from cln_monitor.checks.key_usage import (
    LIMIT_OPTIONS,
    counted,
    fullest_first,
    limit_metrics,
    limit_problems,
    without_limit,
)
from cln_monitor.checks.options import COMMON, Option
from cln_monitor.checks.plugin_exit import PluginExit
from cln_monitor.checks.problems import oddities_of, origin_of, phrases_of, problems_of, values_of
from cln_monitor.checks.registry import Plugin
from cln_monitor.checks.result import CheckResult, Metric
from cln_monitor.checks.thresholds import pair
from cln_monitor.masking import masked, same_key

_PRODUCT = re.compile(r"[A-Z0-9_]{1,32}")


def check(options: argparse.Namespace, exit_: PluginExit, now: float) -> CheckResult:
    """Read the CloudLinux OS keys of the account and evaluate them."""
    for key in options.key:
        exit_.hide(key, masked(key))
    settings = {"products": list(dict.fromkeys(options.product))} if options.product else {}
    form = [("key", masked(key)) for key in options.key] or [("form", SUMMARY)]
    request = DataRequest("cloudlinux", settings=settings, set_by="--product", form=form)
    return judge(read_report(request, options, exit_), options, now)


def judge(report: Report, options: argparse.Namespace, _: float) -> CheckResult:
    """Return the result for the keys in ``report``, by the usage of their limits."""
    limits = pair(options.limit_warning, options.limit_critical, (None, None))

    def wanted(product: str) -> bool:
        return not options.product or product in options.product

    products = list(values_of(report, wanted))
    keys = [
        key
        for product in products
        for key in product["keys"]
        if not options.key or any(same_key(key["key"], name) for name in options.key)
    ]
    used = _used(products)
    servers = sum(used[key["key"]] for key in keys)
    uses = fullest_first((key, used[key["key"]]) for key in keys)
    problems = problems_of(report, wanted, options, requested=options.product)
    # A check of some keys does not alert on servers that the account has lost.
    is_of_some = bool(options.key or options.product)
    odd = oddities_of(report, wanted, but=(facts.SERVERS_DROPPED, facts.SERVERS_GONE) if is_of_some else ())
    found = limit_problems(uses, limits) + odd.problems
    without_match = [
        *unmatched("--key", [masked(key) for key in options.key], {masked(key["key"]) for key in keys}),
        *unmatched("--product", options.product, {product["product"] for product in products}),
    ]
    otherwise = "belongs to the account" if products else "is available to this account"
    if not problems and (without_match or not keys):
        found.append(no_match("CloudLinux OS key", without_match, otherwise, options.no_match_state))
    phrases = phrases_of([*found, *problems])
    if not phrases:
        fullest = f", fullest key: {uses[0]}" if uses else without_limit(keys)
        phrases = [f"{counted(servers, 'server')} on {counted(len(keys), 'CloudLinux OS key')}{fullest}"]
    metrics = [Metric("servers", servers), Metric("keys", len(keys)), *limit_metrics(uses, limits)]
    return CheckResult(
        text="; ".join([*phrases, *odd.notes]),
        lines=[*origin_of(report, options, wanted, offered=wanted), *odd.lines, *(f"key {use}" for use in uses)],
        metrics=[] if problems else metrics,  # totals of incomplete data would be wrong
        states=[problem.state for problem in (*found, *problems)],
    )


def _used(products: Sequence[Mapping[str, Any]]) -> Mapping[str, int]:
    """Return the number of servers by key; a summary has it instead of the servers."""
    used: Counter[str] = Counter()
    for product in products:
        keys = product["keys"]
        if all("used" in key for key in keys):
            used.update({key["key"]: key["used"] for key in keys})
        else:
            used.update(server["key"] for server in product["servers"])
    return used


def _product(text: str) -> str:
    if not _PRODUCT.fullmatch(product := text.upper()):
        raise ValueError(f"{text!r} is not a product such as CL")
    return product


PLUGIN = Plugin(
    name="check_cln_cloudlinux",
    purpose="Check the usage of the CloudLinux OS keys of a CLN account.",
    options=(
        *LIMIT_OPTIONS,
        Option(("--key",), "Check only this license key, in full or masked; repeatable", "KEY", repeatable=True),
        Option(
            ("--product",),
            "Check only keys of this product: CL, CLP, CLS or CLADMIN; repeatable",
            "PRODUCT",
            read=_product,
            repeatable=True,
        ),
        NO_MATCH_STATE,
        *COMMON,
    ),
    check=check,
)
