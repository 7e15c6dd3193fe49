"""CLN licences: what is paid for, what of it is used, where a limit is near."""

from __future__ import annotations

from grafana_foundation_sdk.builders import bargauge, stat, table, timeseries
from grafana_foundation_sdk.models import dashboard as model

from . import queries as q
from . import variables
from .panels import FULLNESS, GOOD, NONE_OR_BAD, NOTICE, POLLED, bars, lines, number
from .tables import DAYS, Column, rows

PRODUCTS = ("kernelcare", "imunify", "els")
OFF = "No data: the probe {} is off unless enabled"


def dashboard() -> model.Dashboard:
    """Return the dashboard."""
    return variables.dashboard(
        "cln-licences",
        "Keys and IP licences: limits, what is unused, AccelerateWP and ELS.",
        [variables.account(), variables.product(*PRODUCTS)],
        [
            *_numbers(),
            _keys(),
            [_free_over_time(), _awp()],
            "IP licences, used and unused",
            _types(),
            _unused(),
            "Extended lifecycle support",
            _els(),
        ],
    )


def _numbers() -> list[stat.Panel]:
    usage = q.family_usage()
    return [
        number(
            "Keys",
            f"Keys of KernelCare, Imunify and ELS, of their key lists. {POLLED}",
            f"count({q.family_used()})",
            size=(4, 4),
        ),
        number(
            "Full keys",
            f"Keys without a free place, by the limits of the key lists: new servers fail to register. {POLLED}",
            f"sum({usage} >= bool 1)",
            NONE_OR_BAD,
            size=(4, 4),
        ),
        number(
            "Free places",
            f"Places that the keys with a limit have left, by the limits of the key lists. {POLLED}",
            f"sum({q.family_unused()})",
            none="unlimited",
            size=(4, 4),
        ),
        number(
            "IP licences",
            f"IP licences of all types, /ipl/list.json. {POLLED}",
            f"sum({q.ip_licenses()})",
            size=(4, 4),
        ),
        number(
            "Unused IP licences",
            f"IP licences that are paid for and that no server uses, registered of /ipl/list.json. {POLLED}",
            f"sum({q.ip_licenses('false')})",
            ((None, GOOD), (1, NOTICE)),
            size=(4, 4),
        ),
        number(
            "AccelerateWP this month",
            f"Entities that are billed this month, rows of /cl/awp. {POLLED}",
            f"sum({_awp_billable()})",
            none="–",
            size=(4, 4),
        ),
    ]


def _keys() -> table.Panel:
    return rows(
        "Keys by use",
        "Each key with its servers and its limit, the fullest first: at 100 % new servers fail to register. Limits and "
        f"servers of the key and server lists of KernelCare, Imunify and ELS. {POLLED}",
        [
            q.family_used(),
            f"{q.family_limit()} or {q.family_used()} * NaN",
            f"{q.family_usage()} or {q.family_used()} * NaN",
        ],
        [
            Column("family", "Product", shown=q.FAMILIES, width=110),
            Column("key", "Key"),
            Column("account", "Account", width=120),
            Column("Value #A", "Servers", width=90, right=True),
            Column("Value #B", "Limit", width=100, right=True, unlimited=True),
            Column("Value #C", "Used", unit="percentunit", decimals=0, width=220, steps=FULLNESS, bar=True),
        ],
        size=(14, 16),
        none="No keys",
        sort=[("Used", True)],
    )


def _free_over_time() -> timeseries.Panel:
    return lines(
        "Free places by product",
        "Places that the keys with a limit have left, by product, from the limits and servers of the key and server "
        f"lists. {POLLED}",
        [(f"sum by (family) ({q.family_unused()})", "{{family}}")],
        size=(10, 8),
        none="No key has a limit",
        names=q.FAMILIES,
    )


def _types() -> table.Panel:
    all_ = f"sum by (license) ({q.ip_licenses()})"
    used = f"sum by (license) ({q.ip_licenses('true')})"
    return rows(
        "By type",
        "IP licences by type, and how many of them a server uses, registered of /ipl/list.json. A type without a name "
        f"is shown by its number. {POLLED}",
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
        none="No IP licences",
        sort=[("Paid for", True)],
    )


def _unused() -> table.Panel:
    labels = "account, ip, license"
    unused = f"{q.once(labels, f'cln_ip_license_registered{{{q.ACCOUNT}}}')} == 0"
    created = q.once(labels, f"cln_ip_license_created_timestamp_seconds{{{q.ACCOUNT}}}")
    return rows(
        "IP licences without a server",
        "Licences that no server uses, by the time since they were created, registered and created of /ipl/list.json; "
        f"empty with server_series: false. {POLLED}",
        [f"sort_desc((time() - ({created} and on ({labels}) ({unused}))) / 86400)"],
        [
            Column("Value", "Paid for since", unit=DAYS, decimals=1, width=130, right=True),
            Column("ip", "Address", width=160),
            Column("license", "Type"),
            Column("account", "Account", width=120),
        ],
        size=(12, 7),
        none="All IP licences are in use",
        sort=[("Paid for since", True)],
    )


def _els() -> table.Panel:
    labels = "account, key, product"
    servers = q.once(labels, f"cln_els_key_servers{{{q.ACCOUNT}}}")
    limit = q.once(labels, f"cln_els_key_servers_limit{{{q.ACCOUNT}}}")
    return rows(
        "ELS keys",
        "Each ELS key with its product, servers and limit, of /els/key/list.json and /els/srv/list.json. An ELS server "
        f"does not check in. {POLLED}",
        [servers, f"{limit} or {servers} * NaN", f"{servers} / {limit} or {servers} * NaN"],
        [
            Column("product", "Product"),
            Column("key", "Key", width=150),
            Column("account", "Account", width=120),
            Column("Value #A", "Servers", width=90, right=True),
            Column("Value #B", "Limit", width=100, right=True, unlimited=True),
            Column("Value #C", "Used", unit="percentunit", decimals=0, width=300, steps=FULLNESS, bar=True),
        ],
        size=(24, 7),
        none=OFF.format("els"),
        sort=[("Used", True)],
    )


def _awp() -> bargauge.Panel:
    return bars(
        "AccelerateWP entities billed this month",
        f"Rows of /cl/awp of the current month (UTC), by product and limit of the CDN. {POLLED}",
        [(f"sort_desc(sum by (product, cdn_limit) ({_awp_billable()}))", "{{product}} {{cdn_limit}}")],
        size=(10, 8),
        none=OFF.format("awp"),
    )


def _awp_billable() -> str:
    return q.once("account, product, cdn_limit", f"cln_awp_billable{{{q.ACCOUNT}}}")
