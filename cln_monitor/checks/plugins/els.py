"""``check_cln_els``: which key of Extended Lifecycle Support is about to run full?"""

from __future__ import annotations

import argparse
from collections import Counter

from cln_monitor import facts
from cln_monitor.checks.checkin_rules import NO_MATCH_STATE, no_match, unmatched
from cln_monitor.checks.data.reader import read_view
from cln_monitor.checks.data.request import DataRequest, View
from cln_monitor.checks.key_usage import (
    LIMIT_OPTIONS,
    fullest_first,
    limit_figures,
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


def check(options: argparse.Namespace, leave: PluginExit, now: float) -> CheckResult:
    """Read the ELS keys of the account and judge them."""
    for key in options.key:
        leave.hide(key, masked(key))
    settings = {"products": list(dict.fromkeys(options.code))} if options.code else {}
    return judge(read_view(DataRequest("els", settings=settings, set_by="--code"), options, leave), options, now)


def judge(view: View, options: argparse.Namespace, _: float) -> CheckResult:
    """Return the verdict on the keys in ``view``: by how much of their limits is used."""
    limits = pair(options.limit_warning, options.limit_critical, (None, None))

    def wanted(product: str) -> bool:
        return not options.code or product in options.code

    products = list(values_of(view, wanted))
    keys = [
        key
        for product in products
        for key in product["keys"]
        if not options.key or any(same_key(key["key"], name) for name in options.key)
    ]
    used = Counter(server["key"] for product in products for server in product["servers"])
    servers = sum(used[key["key"]] for key in keys)
    uses = fullest_first(keys, used)
    problems = problems_of(view, wanted, options, requested=options.code)
    is_of_some = bool(options.key or options.code)
    odd = oddities_of(view, wanted, but=(facts.SERVERS_DROPPED, facts.SERVERS_GONE) if is_of_some else ())
    found = limit_problems(uses, limits) + odd.problems
    gone = [
        *unmatched("--key", [masked(key) for key in options.key], {masked(key["key"]) for key in keys}),
        *unmatched("--code", options.code, {product["product"] for product in products}),
    ]
    otherwise = "belongs to the account" if products else "is available to this account"
    if not problems and (gone or not keys):
        found.append(no_match("ELS key", gone, otherwise, options.no_match_state))
    phrases = phrases_of([*found, *problems])
    if not phrases:
        fullest = f", the fullest is {uses[0]}" if uses else without_limit(keys)
        phrases = [f"{servers} servers on {len(keys)} ELS keys{fullest}"]
    figures = [Metric("keys", len(keys)), Metric("servers", servers), *limit_figures(uses, limits)]
    return CheckResult(
        text="; ".join([*phrases, *odd.notes]),
        lines=[*origin_of(view, options, wanted), *odd.lines, *(f"key {use}" for use in uses)],
        figures=[] if problems else figures,  # totals of what is not all there would be a lie
        states=[problem.state for problem in (*found, *problems)],
    )


PROGRAM = Plugin(
    name="check_cln_els",
    purpose="Checks the keys of Extended Lifecycle Support of a CLN account: how full they are.",
    options=(
        *LIMIT_OPTIONS,
        Option(
            ("--key",), "look at this license key alone, in full or masked; can be given again", "KEY", repeatable=True
        ),
        Option(
            ("--code",), "look at keys of this product alone, such as CELS; can be given again", "CODE", repeatable=True
        ),
        NO_MATCH_STATE,
        *COMMON,
    ),
    check=check,
)
