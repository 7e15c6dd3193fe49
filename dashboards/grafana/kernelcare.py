"""The dashboard CLN KernelCare: check-ins and kernels of servers, and limits of keys."""

from __future__ import annotations

from grafana_foundation_sdk.builders import bargauge, stat, table, timeseries
from grafana_foundation_sdk.models import dashboard as model

from . import counts, servers, variables
from . import queries as q
from .keys import keys_table
from .names import PATCH_STATES
from .panels import CHECKIN_COLORS, GOOD, NEUTRAL, NONE_IS_GOOD, NOTICE, PATCH_COLORS, POLLED, Look, bars, lines, number
from .tables import Column, rows

PRODUCT = "kernelcare"
KEYS = f'{q.ACCOUNT},key=~"$kernelcare_key"'
SCOPE = q.Scope((PRODUCT,), KEYS)


def dashboard() -> model.Dashboard:
    """Return the dashboard."""
    return variables.dashboard(
        "cln-kernelcare",
        "Keys and servers of KernelCare: check-ins, patches, limits.",
        [
            variables.of_label("kernelcare_key", "Key", f"cln_kernelcare_key_info{{{q.ACCOUNT}}}", "key"),
            variables.stale_after(),
        ],
        [
            *_check_ins(),
            *_patches(),
            servers.checkins_over_time(SCOPE, size=(12, 8)),
            _patches_over_time(),
            _keys(),
            servers.silent_table(SCOPE, size=(24, 9)),
            servers.gone_table(SCOPE, size=(24, 9)),
            servers.never_table(SCOPE, size=(24, 6)),
            _hosts(),
            _groups(),
        ],
    )


def _check_ins() -> list[stat.Panel]:
    return [
        *servers.numbers(SCOPE),
        servers.disabled_number(SCOPE, 4),
        number(
            "Unknown check-in",
            "Servers whose last check-in is ahead of CLN's clock, or missing for all servers, from last_checkin of "
            f"/kcare/key/servers.json. {POLLED}",
            f"sum({counts.unknown(SCOPE, PRODUCT)})",
            ((None, GOOD), (1, CHECKIN_COLORS["unknown"])),
            size=(4, 3),
        ),
    ]


def _patches() -> list[stat.Panel]:
    return [
        number(
            f"Kernels {text}",
            f"KernelCare servers whose patch state is {text}, from {state} of /kcare/nagios-res or /kcare/nagios: "
            f"cln_patch_status_servers. {POLLED}",
            f"sum({q.patch_states(KEYS, state)})",
            NEUTRAL if state == "uptodate" else NONE_IS_GOOD,
            size=(4, 3),
        )
        for state, text in PATCH_STATES.items()
    ]


def _patches_over_time() -> timeseries.Panel:
    return lines(
        "Kernels that are not up to date",
        "KernelCare servers by patch state, from /kcare/nagios-res for the whole account, otherwise the sum of "
        f"/kcare/nagios over its keys: cln_patch_status_servers. {POLLED}",
        [(f"sum({q.patch_states(KEYS, state)})", text) for state, text in PATCH_STATES.items() if state != "uptodate"],
        size=(12, 8),
        colors={PATCH_STATES[state]: color for state, color in PATCH_COLORS.items()},
    )


def _keys() -> table.Panel:
    infos = q.once("account, key, enabled", f"cln_kernelcare_key_info{{{KEYS}}}")
    enabled: dict[str, Look | str] = {"true": ("yes", "text"), "false": ("no", NOTICE), "": "–"}
    return keys_table(
        "Keys",
        SCOPE,
        (24, 8),
        infos=f"topk by (account, key) (1, {infos})",
        columns=[Column("enabled", "Enabled", width=85, shown=enabled)],
    )


def _hosts() -> table.Panel:
    hosts = q.once("account, host, ip, state", f"cln_patch_status_host{{{KEYS}}}")
    return rows(
        "Hosts that are not up to date",
        "Hosts in the responses of /kcare/nagios, without duplicates, with their patch state: cln_patch_status_host. "
        f"{POLLED}",
        [hosts],
        [
            Column(
                "state",
                "State",
                width=130,
                shown={state: (text, PATCH_COLORS[state]) for state, text in PATCH_STATES.items()},
            ),
            Column("host", "Host"),
            Column("ip", "Address", width=170),
            Column("account", "Account", width=130),
            Column("Value", "one", hidden=True),
        ],
        size=(16, 9),
        none="All hosts are up to date",
        sort=[("State", True)],
    )


def _groups() -> bargauge.Panel:
    groups = q.once("group, account, product", f"cln_group_servers{{{q.ACCOUNT}}}")
    return bars(
        "Servers in groups",
        f"KernelCare and Imunify servers of each group, from /group/servers/list.json: cln_group_servers. {POLLED}",
        [(f"sort_desc(sum by (group) ({groups}))", "{{group}}")],
        size=(8, 9),
        none="No groups: the probe groups is disabled by default",
    )
