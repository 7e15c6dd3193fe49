"""CLN KernelCare: do the servers check in, are their kernels patched, which key is full."""

from __future__ import annotations

from grafana_foundation_sdk.builders import bargauge, stat, table, timeseries
from grafana_foundation_sdk.models import dashboard as model

from . import queries as q
from . import variables
from .panels import FULLNESS, GOOD, NEUTRAL, NONE_IS_GOOD, POLLED, WARN, Steps, bars, lines, number
from .servers import checkins_over_time, stale_servers
from .tables import DAYS, Column, rows

PRODUCT = "kernelcare"
KEY = q.of_key(PRODUCT)


def dashboard() -> model.Dashboard:
    """Return the dashboard."""
    return variables.dashboard(
        "cln-kernelcare",
        "The keys and servers of KernelCare: check-ins, patches, limits.",
        [
            variables.account(),
            variables.of_label("kernelcare_key", "Key", f"cln_kernelcare_key_info{{{q.ACCOUNT}}}", "key"),
        ],
        [
            *_numbers(),
            checkins_over_time(PRODUCT, "/kcare/key/servers.json"),
            _patches_over_time(),
            _keys(),
            stale_servers(PRODUCT, "/kcare/key/servers.json", size=(13, 11)),
            [_never(), _groups()],
            _hosts(),
        ],
    )


def _numbers() -> list[stat.Panel]:
    source = f"/kcare/key/servers.json. {POLLED}"
    panels = [
        number("Servers", f"Servers of the keys, {source}", f"sum({q.key_servers(PRODUCT)})"),
        number(
            "Fresh",
            f"Servers that checked in lately, as the exporter counts, {source}",
            f"sum({q.key_servers(PRODUCT, 'fresh')})",
        ),
        number(
            "Stale",
            f"Servers that checked in too long ago, as the exporter counts, {source}",
            f"sum({q.key_servers(PRODUCT, 'stale')})",
            NONE_IS_GOOD,
        ),
        number(
            "Never checked in",
            f"Servers that are registered but were never heard of, {source}",
            f"sum({q.key_servers(PRODUCT, 'never')})",
            NONE_IS_GOOD,
        ),
    ]
    steps: dict[str, Steps] = {"uptodate": NEUTRAL}
    panels += [
        number(
            text.capitalize(),
            f"Servers whose patch state is {text}, {state} of /kcare/nagios-res or /kcare/nagios. {POLLED}",
            f"sum({q.patch_states(KEY, state)})",
            steps.get(state, NONE_IS_GOOD),
        )
        for state, text in q.PATCH_STATES.items()
    ]
    return panels


def _patches_over_time() -> timeseries.Panel:
    return lines(
        "Servers that are not up to date",
        "KernelCare servers by patch state, of /kcare/nagios-res for the whole account, else the sum of /kcare/nagios "
        f"over its keys. {POLLED}",
        [(f"sum({q.patch_states(KEY, state)})", text) for state, text in q.PATCH_STATES.items() if state != "uptodate"],
        size=(12, 8),
        colors={"out of date": WARN, "unsupported": "yellow", "inactive": "purple"},
    )


def _keys() -> table.Panel:
    return rows(
        "Keys",
        "Each key with its servers and its limit, of /kcare/key/list.json and /kcare/key/servers.json; at 100 % new "
        f"servers fail to register. {POLLED}",
        [
            q.note(KEY),
            q.used(PRODUCT),
            f"{q.limit(PRODUCT)} or {q.used(PRODUCT)} * NaN",
            f"{q.used(PRODUCT)} / {q.limit(PRODUCT)} or {q.used(PRODUCT)} * NaN",
            f"sum by (account, key) ({q.key_servers(PRODUCT, 'stale')})",
            f"sum by (account, key) ({q.key_servers(PRODUCT, 'never')})",
        ],
        [
            Column("key", "Key", width=150),
            Column("note", "Note"),
            Column("account", "Account", width=130),
            Column("enabled", "Enabled", width=90, shown={"true": ("yes", "text"), "false": ("no", WARN), "": "–"}),
            Column("Value #B", "Servers", width=90, right=True),
            Column("Value #E", "Stale", width=80, right=True, steps=((None, "text"), (1, WARN))),
            Column("Value #F", "Never", width=80, right=True, steps=((None, "text"), (1, WARN))),
            Column("Value #C", "Limit", width=100, right=True, unlimited=True),
            Column("Value #D", "Used", unit="percentunit", decimals=0, width=300, steps=FULLNESS, bar=True),
            Column("Value #A", "info", hidden=True),
        ],
        size=(24, 8),
        none="No keys",
        sort=[("Used", True)],
    )


def _never() -> table.Panel:
    created = q.once("account, key, server_id, ip", f"cln_kernelcare_server_created_timestamp_seconds{{{KEY}}}")
    but_unknown = f"\nunless on (account, key) {q.key_servers(PRODUCT, 'unknown')} > 0"
    heard = f"cln_kernelcare_server_last_checkin_timestamp_seconds{{{KEY}}}"
    return rows(
        "Servers that never checked in",
        "Servers without a last_checkin in /kcare/key/servers.json, by the time since they were registered; empty with "
        f"server_series: false. {POLLED}",
        [f"sort_desc((time() - ({created} unless on (account, key, server_id) {heard}{but_unknown})) / 86400)"],
        [
            Column("Value", "Registered", unit=DAYS, decimals=1, width=130, right=True),
            Column("ip", "Address", width=130),
            Column("server_id", "Server"),
            Column("key", "Key", width=140),
            Column("account", "Account", width=90),
        ],
        size=(11, 6),
        none="All servers have checked in",
        sort=[("Registered", True)],
    )


def _hosts() -> table.Panel:
    hosts = q.once("account, host, ip, state", f"cln_patch_status_host{{{KEY}}}")
    return rows(
        "Hosts that are not up to date",
        f"Hosts that the answers of /kcare/nagios name, each once, with their patch state. {POLLED}",
        [hosts],
        [
            Column("state", "State", width=130, shown=_STATES),
            Column("host", "Host"),
            Column("ip", "Address", width=170),
            Column("account", "Account", width=130),
            Column("Value", "one", hidden=True),
        ],
        size=(24, 11),
        none="All hosts are up to date",
        sort=[("State", True)],
    )


_STATES = {
    "uptodate": ("up to date", GOOD),
    "outofdate": ("out of date", WARN),
    "unsupported": ("unsupported", "yellow"),
    "inactive": ("inactive", "purple"),
}


def _groups() -> bargauge.Panel:
    groups = q.once("group, account, product", f"cln_group_servers{{{q.ACCOUNT}}}")
    return bars(
        "Servers in groups",
        f"Servers of each group, of KernelCare and of Imunify, /group/servers/list.json. {POLLED}",
        [(f"sort_desc(sum by (group) ({groups}))", "{{group}}")],
        size=(11, 5),
        none="No groups: the probe groups is off unless enabled",
    )
