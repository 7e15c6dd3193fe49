"""The dashboard CLN licenses: paid, used, and unused licenses, and limits of keys."""

from __future__ import annotations

from grafana_foundation_sdk.builders import bargauge, stat, table, timeseries
from grafana_foundation_sdk.models import dashboard as model

from . import queries as q
from . import servers, variables
from .keys import keys_table, product_column
from .names import FAMILIES, PRODUCT_CODES
from .panels import NONE_IS_GOOD, NONE_OR_INFO, NOTICE, POLLED, bars, lines, number
from .tables import DAYS, Column, rows

SCOPE = q.Scope((*q.WITH_KEYS, "ip_license"), chosen=True)
ELS, CLOUDLINUX = q.Scope(("els",)), q.Scope(("cloudlinux",))
SERVERS = q.Scope(("els", "ip_license"))
OFF = "No data: the probe {} is disabled by default"
_LICENSE = "account, ip, license"


def dashboard() -> model.Dashboard:
    """Return the dashboard."""
    return variables.dashboard(
        "cln-licenses",
        "Keys and IP licenses: limits, unused licenses, AccelerateWP, ELS, and CloudLinux OS.",
        [variables.product(*SCOPE.families), variables.stale_after()],
        [
            *_numbers(),
            keys_table("Keys by use", SCOPE, (24, 14)),
            _free_over_time(),
            _awp(),
            "IP licenses: used and unused",
            _types(),
            _unused(),
            "IP licenses and extended lifecycle support: servers",
            *servers.numbers(SERVERS),
            servers.checkins_over_time(SERVERS, size=(12, 8)),
            servers.never_table(SERVERS, size=(12, 8)),
            servers.silent_table(SERVERS, size=(24, 6)),
            servers.gone_table(SERVERS, size=(24, 6)),
            "Extended lifecycle support",
            _of_products("ELS keys", ELS),
            "CloudLinux OS",
            _of_products("CloudLinux OS keys", CLOUDLINUX),
        ],
    )


def _numbers() -> list[stat.Panel]:
    size = (4, 4)
    free, used, fullness = (SCOPE.all(make, *q.WITH_KEYS) for make in (q.free, q.used, q.fullness))
    return [
        number(
            "Keys",
            f"Keys of KernelCare, Imunify, ELS, and CloudLinux OS, from their key lists. {POLLED}",
            f"count({used})",
            size=size,
        ),
        number(
            "Full keys",
            "Keys with a limit of 2 or more that are full, by the limits in the key lists: new servers fail to "
            f"register. Disabled keys are excluded. {POLLED}",
            f"sum(({fullness}) >= bool 1)",
            NONE_IS_GOOD,
            none="no limits",
            size=size,
        ),
        number(
            "Free slots",
            f"Number of servers that keys with a limit can still accept, from the key lists. {POLLED}",
            f"sum({free})",
            none="unlimited",
            size=size,
        ),
        number(
            "IP licenses",
            f"IP licenses of all types, used and unused, from /ipl/list.json: cln_ip_licenses. {POLLED}",
            f"sum({q.ip_licenses()})",
            size=size,
        ),
        number(
            "Unused IP licenses",
            "IP licenses that no server uses 7 days or longer after their creation, from registered and created of "
            f"/ipl/list.json; with server_series: false, all unused ones. {POLLED}",
            f"sum({q.unused_licenses()})",
            NONE_OR_INFO,
            size=size,
        ),
        number(
            "AccelerateWP this month",
            f"Billable entities of this month (UTC), from /cl/awp: cln_awp_billable. {POLLED}",
            f"sum({q.awp()})",
            none="–",
            size=size,
        ),
    ]


def _free_over_time() -> timeseries.Panel:
    return lines(
        "Free slots by product",
        "Number of servers that keys with a limit can still accept, by product, from the key and server lists. "
        f"{POLLED}",
        [(f"sum by (family) ({SCOPE.all(q.free, *q.WITH_KEYS)})", "{{family}}")],
        size=(12, 8),
        none="No key has a limit",
        names=FAMILIES,
    )


def _types() -> table.Panel:
    all_ = f"sum by (license) ({q.ip_licenses()})"
    used = f"sum by (license) ({q.ip_licenses('true')})"
    return rows(
        "By type",
        "IP licenses by type, and how many of them are in use, from registered of /ipl/list.json. A type without a "
        f"name is shown by its number. {POLLED}",
        [all_, used, f"sum by (license) ({q.ip_licenses('false')})", f"{used} / {all_}"],
        [
            Column("license", "Type"),
            Column("Value #A", "Paid for", width=95, right=True),
            Column("Value #B", "Used", width=80, right=True),
            Column("Value #C", "Unused", width=90, right=True, steps=((None, "text"), (1, NOTICE))),
            Column(
                "Value #D", "Share used", unit="percentunit", decimals=0, width=180, steps=((None, NOTICE),), bar=True
            ),
        ],
        size=(12, 7),
        none="No IP licenses",
        sort=[("Paid for", True)],
    )


def _unused() -> table.Panel:
    unused = f"{q.once(_LICENSE, f'cln_ip_license_registered{{{q.ACCOUNT}}}')} == 0"
    created = q.once(_LICENSE, f"cln_ip_license_created_timestamp_seconds{{{q.ACCOUNT}}}")
    return rows(
        "IP licenses without a server",
        "Licenses that no server uses, by the time since their creation, from registered and created of "
        f"/ipl/list.json; empty with server_series: false. {POLLED}",
        [f"sort_desc((time() - ({created} and on ({_LICENSE}) ({unused}))) / 86400)"],
        [
            Column("Value", "Paid for since", unit=DAYS, decimals=1, width=130, right=True),
            Column("ip", "Address", width=160),
            Column("license", "Type"),
            Column("account", "Account", width=120),
        ],
        size=(12, 7),
        none="All IP licenses are in use",
        sort=[("Paid for since", True)],
    )


def _of_products(title: str, scope: q.Scope) -> table.Panel:
    codes = scope.once(scope.families[0], "account, key, product", "_key_info")
    return keys_table(title, scope, (24, 7), infos=f"topk by (account, key) (1, {codes})", columns=[product_column()])


def _awp() -> bargauge.Panel:
    billed = f"sum by (product, cdn_limit) ({q.awp()})"
    for code in ("AWP_PREMIUM", "AWP_CDN"):
        billed = f'label_replace({billed}, "product", "{PRODUCT_CODES[code]}", "product", "{code}")'
    return bars(
        "AccelerateWP billed this month",
        f"Rows of /cl/awp of the current month (UTC), by product and CDN limit: cln_awp_billable. {POLLED}",
        [(f"sort_desc({billed})", "{{product}} {{cdn_limit}}")],
        size=(12, 8),
        none=OFF.format("awp"),
    )
