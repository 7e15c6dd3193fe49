"""``check_cln_els``: the last check-ins of ELS servers, and the usage of their keys."""

from __future__ import annotations

import argparse
from collections import ChainMap, defaultdict
from collections.abc import Mapping
from typing import Any

from cln_monitor import facts
from cln_monitor.checks.checkin_rules import (
    SERVER_OPTIONS,
    Selection,
    filters_of,
    form_of,
    judge_keys,
    judge_with_host_names,
    read_smallest,
    unmatched,
)
from cln_monitor.checks.data.request import DataRequest, Report
from cln_monitor.checks.options import Option
from cln_monitor.checks.plugin_exit import PluginExit
from cln_monitor.checks.problems import parts_of
from cln_monitor.checks.registry import Plugin
from cln_monitor.checks.result import CheckResult
from cln_monitor.masking import masked, same_key
from cln_monitor.policy import DAY

_STALE_AFTER = 7 * DAY  # as in `cln_monitor.probes.ElsSettings`, which takes longer to import than this check to run


def check(options: argparse.Namespace, exit_: PluginExit, now: float) -> CheckResult:
    """Read the ELS keys and servers of the account and evaluate them."""
    for key in options.key:
        exit_.hide(key, masked(key))
    settings = {"products": list(dict.fromkeys(options.code))} if options.code else {}
    # A summary is of all products.
    form = filters_of(options) if options.code else form_of(options, now)
    request = DataRequest("els", settings=settings, set_by="--code", form=form)
    report = read_smallest(request, options, exit_)
    return judge_with_host_names(report, exit_, lambda report: judge(report, options, now))


def judge(report: Report, options: argparse.Namespace, now: float) -> CheckResult:
    """Return the result for the servers and keys in ``report``, whose parts are products."""

    def wanted(product: str) -> bool:
        return not options.code or product in options.code

    parts = parts_of(report, wanted)
    keys = [key for part in parts for key in _keys_of(part)]
    chosen = [key for key in keys if not options.key or any(same_key(key["key"], name) for name in options.key)]
    selection = Selection(
        chosen,
        wanted,
        "ELS server" if options.ip or options.server_id else "ELS key",
        "belongs to the account" if parts else "is available to this account",
        [
            *unmatched("--key", [masked(key) for key in options.key], {masked(key["key"]) for key in chosen}),
            *unmatched("--code", options.code, {part["name"] for part in parts}),
        ],
        requested=options.code,
        needs_servers=False,
        is_account=not (options.key or options.code),
    )
    stale_after = _STALE_AFTER if report["stale_after"] is None else report["stale_after"]  # an older exporter has none
    return judge_keys(report, selection, "ELS", options, now, stale_after=stale_after)


def _keys_of(part: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the keys of a product with their servers; servers of a key that CLN does not list are left out.

    The keys of a summary have numbers of servers instead.
    """
    product, is_untold = part["value"], any(one["fact"] == facts.CHECKIN_NOT_TOLD for one in part.get("cautions", ()))
    if "servers" not in product and all("checkins" in key for key in product["keys"]):
        return list(product["keys"])
    servers: defaultdict[str, list[Any]] = defaultdict(list)
    for server in product["servers"]:
        servers[server["key"]].append(server)
    # Not copies, as a key of a report has a message of its own for each field that the exporter does not know.
    return [ChainMap({"servers": servers[key["key"]], "is_untold": is_untold}, key) for key in product["keys"]]


PLUGIN = Plugin(
    name="check_cln_els",
    purpose="Check the last check-ins of the Extended Lifecycle Support servers of a CLN account, and the usage of "
    "their keys.",
    options=(
        Option(("--code",), "Check only keys of this product, such as CELS; repeatable", "CODE", repeatable=True),
        *SERVER_OPTIONS,
    ),
    check=check,
)
