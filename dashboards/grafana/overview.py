"""The dashboard CLN overview: current problems, and where to look."""

from __future__ import annotations

from grafana_foundation_sdk.builders import bargauge, stat, statetimeline, table
from grafana_foundation_sdk.models import dashboard as model

from cln_monitor.policy import Severity

from . import queries as q
from . import servers, variables
from .alerts import firing_number, firing_table
from .names import FAMILIES, PATCH_STATES
from .panels import (
    FULLNESS,
    GOOD,
    NONE_IS_GOOD,
    NONE_OR_INFO,
    PATCH_COLORS,
    POLLED,
    WARN,
    bars,
    number,
    states,
)
from .tables import Column, rows
from .troubles import wrong_now

SCOPE = q.Scope((*q.WITH_KEYS, "ip_license"), chosen=True)


def dashboard() -> model.Dashboard:
    """Return the dashboard."""
    return variables.dashboard(
        "cln-overview",
        "CloudLinux Network (CLN) accounts and their current problems.",
        [variables.product(*SCOPE.families), variables.stale_after()],
        [
            *_troubles(),
            *servers.numbers(SCOPE),
            wrong_now(size=(12, 16)),
            [
                firing_table(size=(12, 8)),
                servers.checkins_over_time(SCOPE, size=(12, 8), link="cln-kernelcare"),
            ],
            _fullest(),
            _licenses(),
            _patches(),
            servers.silent_table(SCOPE, size=(24, 10), link="cln-kernelcare"),
            servers.gone_table(SCOPE, size=(24, 9)),
            _flags(),
        ],
    )


def _troubles() -> list[stat.Panel]:
    size = (4, 3)
    return [
        firing_number(Severity.CRITICAL, size),
        firing_number(Severity.WARNING, size),
        number(
            "CLN services",
            f"Flags of /status.json in a bad state, from cln_status_ok. {POLLED}",
            f"sum({q.once('api, flag', f'1 - cln_status_ok{{{q.EXPORTER}}}')})",
            NONE_IS_GOOD,
            shown={"0": ("OK", GOOD)},
            link="cln-exporter",
            size=size,
        ),
        number(
            "Failing probes",
            "Probes whose last run failed, from cln_probe_success; their previous data are shown until max_age.",
            f"sum({q.failing_probes()})",
            NONE_IS_GOOD,
            link="cln-exporter",
            size=size,
        ),
        number(
            "Kernels out of date",
            "KernelCare servers without the latest patches, from outofdate of /kcare/nagios-res or /kcare/nagios: "
            f"cln_patch_status_servers. {POLLED}",
            f"sum({q.patch_states(state='outofdate')})",
            NONE_IS_GOOD,
            link="cln-kernelcare",
            size=size,
        ),
        number(
            "Unused IP licenses",
            "IP licenses that no server uses 7 days or longer after their creation, from registered and created of "
            f"/ipl/list.json; with server_series: false, all unused ones. {POLLED}",
            f"sum({q.unused_licenses()})",
            NONE_OR_INFO,
            link="cln-licenses",
            size=size,
        ),
    ]


def _flags() -> statetimeline.Panel:
    return states(
        "CLN's own services",
        "The state of the flags of /status.json: rhn_overloaded and rhn_queue_full are good if false, the others if "
        f"true. From cln_status_ok. {POLLED}",
        (q.once("flag", f"1 - cln_status_ok{{{q.EXPORTER}}}"), "{{flag}}"),
        {"0": ("good", GOOD), "1": ("bad", WARN)},
        size=(24, 7),
        link="cln-exporter",
    )


def _fullest() -> table.Panel:
    return rows(
        "Fullest keys",
        "The six keys with the highest usage: at 100 % new servers fail to register. Unlimited keys, keys with a limit "
        f"of 1, and disabled keys are excluded. From the key and server lists. {POLLED}",
        [f"sort_desc(topk(6, {q.with_note(SCOPE, SCOPE.all(q.fullness, *q.WITH_KEYS))}))"],
        [
            Column("family", "Product", shown=FAMILIES, width=90),
            Column("key", "Key", width=125),
            Column("note", "Note"),
            Column("account", "Account", width=75),
            Column("Value", "Used", unit="percentunit", decimals=0, steps=FULLNESS, width=60, right=True),
        ],
        size=(11, 8),
        none="No key has a limit",
        sort=[("Used", True)],
        link="cln-licenses",
    )


def _licenses() -> table.Panel:
    used, limit, free = (SCOPE.all(make, *q.WITH_KEYS) for make in (q.used, q.limit, q.free))
    with_limit = f"({used}) and on (account, key, family) ({limit}) < Inf"

    def of_ip(registered: str = "") -> str:
        return f'label_replace(sum({q.ip_licenses(registered, SCOPE)}), "family", "ip_license", "", "")'

    def by_family(*series: str, ip: str) -> str:
        return q.any_of([*(f"sum by (family) ({expression})" for expression in series), ip])

    return rows(
        "Licenses used and unused",
        "Used, total, and free slots of keys with a limit, by product, or of all keys if none has a limit; and used "
        f"and unused IP licenses. From the key lists and /ipl/list.json. {POLLED}",
        [
            by_family(with_limit, used, ip=of_ip("true")),
            by_family(f"({limit}) < Inf", limit, ip=of_ip()),
            by_family(free, limit, ip=of_ip("false")),
        ],
        [
            Column("family", "Product", shown=FAMILIES, width=95),
            Column("Value #A", "Used", width=60, right=True),
            Column("Value #B", "Paid for", width=75, right=True, unlimited=True),
            Column("Value #C", "Unused", width=75, right=True, unlimited=True),
        ],
        size=(7, 8),
        none="No licenses",
        sort=[("Used", True)],
        link="cln-licenses",
    )


def _patches() -> bargauge.Panel:
    return bars(
        "Kernels by patch state",
        "KernelCare servers by patch state, from /kcare/nagios-res for the whole account, otherwise the sum of "
        f"/kcare/nagios over its keys: cln_patch_status_servers. {POLLED}",
        [(f"sum({q.patch_states(state=state)})", text) for state, text in PATCH_STATES.items()],
        size=(6, 8),
        colors={PATCH_STATES[state]: color for state, color in PATCH_COLORS.items()},
        link="cln-kernelcare",
    )
