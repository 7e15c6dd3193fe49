"""CLN overview: is all well, and if not, where to look."""

from __future__ import annotations

from grafana_foundation_sdk.builders import stat, table
from grafana_foundation_sdk.models import dashboard as model

from . import queries as q
from . import variables
from .panels import (
    BAD,
    FULLNESS,
    GOOD,
    NONE_IS_GOOD,
    NONE_OR_BAD,
    NOTICE,
    POLLED,
    WARN,
    bars,
    lines,
    number,
    states,
)
from .tables import DAYS, Column, rows
from .troubles import wrong_now

PRODUCTS = ("kernelcare", "imunify", "els")
FLAGS = q.once("api, flag", "1 - cln_status_ok")


def dashboard() -> model.Dashboard:
    """Return the dashboard."""
    return variables.dashboard(
        "cln-overview",
        "What a CloudLinux Network account has, and what is wrong with it now.",
        [variables.account(), variables.product(*PRODUCTS)],
        [
            *_numbers(),
            wrong_now(size=(12, 13)),
            [
                lines(
                    "Servers by check-in",
                    f"Servers of the keys of KernelCare and Imunify: fresh, stale or never checked in. {POLLED}",
                    [(f"sum by (checkin) ({q.checkins()})", "{{checkin}}")],
                    size=(12, 6),
                    stacked=True,
                    colors={"fresh": GOOD, "stale": WARN, "never": "purple", "unknown": "red"},
                    link="cln-kernelcare",
                ),
                states(
                    "CLN's own services",
                    "Flags of /status.json, by whether each is in its good state: rhn_overloaded and rhn_queue_full "
                    f"are good when false, the others when true. {POLLED}",
                    (q.once("flag", "1 - cln_status_ok"), "{{flag}}"),
                    {"0": ("good", GOOD), "1": ("bad", BAD)},
                    size=(12, 7),
                    link="cln-exporter",
                ),
            ],
            rows(
                "Fullest keys",
                "How much of its limit each key uses, of the six fullest: at 100 % new servers fail to register. A "
                f"key without a limit is at 0 %. Limits and servers of the key and server lists. {POLLED}",
                [f"sort_desc(topk(6, {q.with_note(q.family_usage())}))"],
                [
                    Column("family", "Product", shown=q.FAMILIES, width=105),
                    Column("key", "Key", width=145),
                    Column("note", "Note"),
                    Column("account", "Account", width=110),
                    Column("Value", "Used", unit="percentunit", decimals=0, steps=FULLNESS, bar=True, width=190),
                ],
                size=(12, 8),
                none="No keys",
                sort=[("Used", True)],
                link="cln-licences",
            ),
            _licences(),
            bars(
                "Patch states",
                "KernelCare servers by patch state, of /kcare/nagios-res for the whole account, else the sum of "
                f"/kcare/nagios over its keys. {POLLED}",
                [(f"sum({q.patch_states(state=state)})", text) for state, text in q.PATCH_STATES.items()],
                size=(6, 8),
                colors={"up to date": GOOD, "out of date": WARN, "unsupported": "yellow", "inactive": "purple"},
                link="cln-kernelcare",
            ),
            rows(
                "Stale servers",
                "Servers whose last check-in is older than the exporter's stale_after, the oldest first: last_checkin "
                f"of the server lists of KernelCare and Imunify; empty with server_series: false. {POLLED}",
                [q.stale_family_servers()],
                [
                    Column("Value", "Silent for", unit=DAYS, decimals=1, width=120, right=True, steps=((None, WARN),)),
                    Column("family", "Product", shown=q.FAMILIES, width=105),
                    Column("ip", "Address", width=150),
                    Column("server_id", "Server"),
                    Column("key", "Key", width=145),
                    Column("account", "Account", width=110),
                ],
                size=(24, 10),
                none="No server is stale",
                sort=[("Silent for", True)],
                link="cln-kernelcare",
            ),
        ],
    )


def _numbers() -> list[stat.Panel]:
    accounts = f'cln_probe_interval_seconds{{{q.ACCOUNT},account!=""}}'
    return [
        number("Accounts", "Accounts in the configuration of the exporter.", f"count(count by (account) ({accounts}))"),
        number(
            "CLN services",
            f"Flags of /status.json that are not in their good state. {POLLED}",
            f"sum({FLAGS})",
            NONE_OR_BAD,
            shown={"0": ("OK", GOOD)},
            link="cln-exporter",
        ),
        number(
            "Servers",
            f"Servers in the lists of KernelCare, Imunify and ELS; one with two products counts twice. {POLLED}",
            f"sum({q.family_used()})",
        ),
        number(
            "Stale",
            f"Servers of KernelCare and Imunify that checked in too long ago, as the exporter counts. {POLLED}",
            f"sum({q.checkins('stale')})",
            NONE_IS_GOOD,
        ),
        number(
            "Never checked in",
            f"Servers of KernelCare and Imunify that are registered but were never heard of. {POLLED}",
            f"sum({q.checkins('never')})",
            NONE_IS_GOOD,
        ),
        number(
            "Out of date",
            f"KernelCare servers without the latest patches, outofdate of /kcare/nagios-res or /kcare/nagios. {POLLED}",
            f"sum({q.patch_states(state='outofdate')})",
            NONE_IS_GOOD,
            link="cln-kernelcare",
        ),
        number(
            "Unused licences",
            f"IP licences that are paid for and that no server uses, registered of /ipl/list.json. {POLLED}",
            f"sum({q.ip_licenses('false')})",
            ((None, GOOD), (1, NOTICE)),
            link="cln-licences",
        ),
        number(
            "Failing probes",
            "Probes whose last run failed; what they read before is shown until it is too old.",
            f"sum({q.failing_probes()})",
            NONE_OR_BAD,
            link="cln-exporter",
        ),
    ]


def _licences() -> table.Panel:
    ip = 'label_replace({}, "family", "ip_license", "", "")'
    return rows(
        "Licences used and unused",
        "Servers, places and free places of the keys that have a limit, by product; of all keys where none has one. "
        f"And IP licences, all and those that no server uses. {POLLED}",
        [
            f"sum by (family) ({q.family_used()} and on (account, key, family) {q.family_limit()} < Inf)\n"
            f"or sum by (family) ({q.family_used()})\nor " + ip.format(f"sum({q.ip_licenses('true')})"),
            f"sum by (family) ({q.family_limit()} < Inf)\nor sum by (family) ({q.family_limit()})\nor "
            + ip.format(f"sum({q.ip_licenses()})"),
            f"sum by (family) ({q.family_unused()})\nor sum by (family) ({q.family_limit()})\nor "
            + ip.format(f"sum({q.ip_licenses('false')})"),
        ],
        [
            Column("family", "Product", shown=q.FAMILIES),
            Column("Value #A", "Used", width=70, right=True),
            Column("Value #B", "Paid for", width=80, right=True, unlimited=True),
            Column("Value #C", "Unused", width=75, right=True, unlimited=True),
        ],
        size=(6, 8),
        none="No licences",
        sort=[("Used", True)],
        link="cln-licences",
    )
