"""The dashboard CLN patches: the live patches that the servers of ePortals have loaded, and the CVEs that they fix."""

from __future__ import annotations

from grafana_foundation_sdk.builders import bargauge, stat, table, timeseries
from grafana_foundation_sdk.models import dashboard as model

from . import queries as q
from . import variables
from .panels import GOOD, NONE_IS_GOOD, WARN, bars, lines, number
from .tables import DAYS, Column, rows

POLLED = "Polled from the ePortal by cln-exporter, so as old as the last poll."
NO_EPORTAL = "No data: no ePortal is configured"
NO_CVE = "No CVE is configured in patches.cves"
FEED = f'{q.ACCOUNT},feed=~"$feed"'
SERVER = "account, feed, hostname, ip, server_id"
_NOT_VULNERABLE = "A server that is not fixed need not be vulnerable: the kernel that it booted may have the fix."
_STATES = {"fixed": "fixed", "not_fixed": "not fixed", "unknown": "unknown"}
_COLORS = {"fixed": GOOD, "not fixed": WARN, "unknown": "dark-yellow"}
_AGES = ((7, "up to 7 days", 0), (30, "7 to 30 days", 7), (90, "30 to 90 days", 30), (None, "over 90 days", 90))
_NO_PATCH, _UNKNOWN_AGE = "no patch", "unknown age"
_IS_BARE, _IS_PATCHED = 'patch_level="0"', 'patch_level!="0"'
_DAY = 86400


def dashboard() -> model.Dashboard:
    """Return the dashboard."""
    return variables.dashboard(
        "cln-patches",
        "Live patches of the servers of ePortals: coverage of CVEs, rollout, servers behind, effective kernels.",
        [
            variables.of_label("cve", "CVE", f"cln_cve_servers{{{q.ACCOUNT}}}"),
            variables.of_label("feed", "Feed", f"cln_eportal_patch_servers{{{q.ACCOUNT}}}"),
        ],
        [
            *_numbers(),
            _coverage(),
            _coverage_over_time(),
            _behind_over_time(),
            _by_age(),
            _rollout_over_time(),
            _kernels(),
            _rollout(),
            _servers(),
        ],
    )


def states(state: str) -> str:
    """Return the number of servers of each ePortal in a ``state`` of cln_eportal_servers."""
    return q.once("account", f'cln_eportal_servers{{{q.ACCOUNT},state="{state}"}}')


def coverage(state: str, cve: str = ',cve=~"$cve"') -> str:
    """Return the number of servers of each ePortal by CVE in a ``state`` of cln_cve_servers."""
    return q.once("account, cve", f'cln_cve_servers{{{q.ACCOUNT}{cve},state="{state}"}}')


def _loaded(condition: str = "") -> str:
    """Return the number of servers by feed and loaded patch, of those that meet ``condition``."""
    selector = ",".join(filter(None, (FEED, condition)))
    return q.once("account, feed, kernel_id, patch_level", f"cln_eportal_patch_servers{{{selector}}}")


def _with_age() -> str:
    """Return the days since the loaded patch was built of each row of `_loaded` of which that is known."""
    built = q.once("kernel_id, patch_level", f"cln_patch_built_timestamp_seconds{{{q.EXPORTER}}}")
    return f"{_loaded()} * 0 + on (kernel_id, patch_level) group_left () (time() - {built}) / {_DAY}"


def _numbers() -> list[stat.Panel]:
    size = (4, 3)
    unfixed = f"count(sum by (cve) ({coverage('not_fixed')}) > 0)"
    none = f"0 * count(sum by (cve) ({coverage('not_fixed')}))"
    unknown = q.once("account, feed, kernel_id", f'cln_eportal_patch_servers{{{FEED},patch_level=""}}')
    return [
        number(
            "Servers",
            f"Servers of ePortals, from count of /servers: cln_eportal_servers. {POLLED}",
            f"sum({states('total')})",
            none=NO_EPORTAL,
            size=size,
        ),
        number(
            "Up to date",
            "Servers with the newest live patch of their feed, from is_updated of /servers; empty if an ePortal has "
            f"not judged all of them. {POLLED}",
            f"sum({states('updated')})",
            size=size,
        ),
        number(
            "Behind",
            f"Servers without the newest live patch of their feed, from is_updated of /servers. {POLLED}",
            f"sum({states('outdated')})",
            NONE_IS_GOOD,
            size=size,
        ),
        number(
            "Not checking in",
            f"Servers whose checkin of /servers is older than stale_after, by default two days. {POLLED}",
            f"sum({states('silent')})",
            NONE_IS_GOOD,
            size=size,
        ),
        number(
            "Unknown patch levels",
            "Servers whose patch level is not reported, from cln_eportal_patch_servers: what their patches fix is "
            "unknown, as it is of those with a patch that the patch server does not describe: see Servers by age of "
            f"the patch. {POLLED}",
            f"sum({unknown})\nor 0 * count({_loaded()})",
            NONE_IS_GOOD,
            none=NO_EPORTAL,
            size=size,
        ),
        number(
            "CVEs that are not fixed",
            f"CVEs of patches.cves that the loaded live patch of a server does not fix. {_NOT_VULNERABLE} {POLLED}",
            f"{unfixed}\nor {none}",
            NONE_IS_GOOD,
            none=NO_CVE,
            size=size,
        ),
    ]


def _coverage() -> table.Panel:
    total = f"({' + '.join(coverage(state) for state in _STATES)})"
    return rows(
        "Coverage by CVE",
        "Servers of each ePortal by whether their loaded live patch fixes a CVE of patches.cves: cln_cve_servers, from "
        f"patch_level of /servers and kpatch-cve of the patch server. {_NOT_VULNERABLE} The status page lists the "
        f"servers, and so does clntool cve ID, also for a CVE that is not in patches.cves. {POLLED}",
        [*(coverage(state) for state in _STATES), f"{coverage('fixed')} / {total}"],
        [
            Column("cve", "CVE"),
            Column("account", "ePortal", width=110),
            Column("Value #A", "Fixed", width=80, right=True),
            Column("Value #B", "Not fixed", width=90, right=True, steps=NONE_IS_GOOD),
            Column("Value #C", "Unknown", width=90, right=True, steps=((None, "text"), (1, _COLORS["unknown"]))),
            Column(
                "Value #D", "Share fixed", unit="percentunit", decimals=0, width=160, steps=((None, GOOD),), bar=True
            ),
        ],
        size=(12, 8),
        none=NO_CVE,
        sort=[("Not fixed", True)],
    )


def _coverage_over_time() -> timeseries.Panel:
    shares = [f"sum by (cve) ({coverage(state)})" for state in _STATES]
    return lines(
        "Coverage over time",
        "The share of the servers whose loaded live patch fixes each CVE of patches.cves: cln_cve_servers. A server "
        f"whose patch is unknown counts as not fixed here. {_NOT_VULNERABLE} {POLLED}",
        [(f"{shares[0]} / ({' + '.join(shares)})", "{{cve}}")],
        size=(12, 8),
        unit="percentunit",
        none=NO_CVE,
    )


def _behind_over_time() -> timeseries.Panel:
    names = {"outdated": "behind", "silent": "silent"}
    return lines(
        "Servers behind over time",
        "Servers without the newest live patch of their feed (is_updated of /servers), and servers that do not check "
        f"in: cln_eportal_servers. {POLLED}",
        [(f"sum({states(state)})", name) for state, name in names.items()],
        size=(12, 8),
        colors={"behind": WARN, "silent": "yellow"},
        none=NO_EPORTAL,
    )


def _by_age() -> bargauge.Panel:
    labels = "account, feed, kernel_id, patch_level"
    age = f"({_with_age()}) >= -1"  # a later time is no age: see patch_age in cln_monitor.cve_coverage
    without_age = f"{_loaded(_IS_PATCHED)} unless on ({labels}) ({age})"

    def servers(condition: str) -> str:
        return f"sum({condition})\nor 0 * count({_loaded()})"

    def within(least: int | None, most: int | None) -> str:
        from_least = f"({age})" if least is None else f"(({age}) >= {least})"
        ages = from_least if most is None else f"({from_least} < {most})"
        return servers(f"{_loaded()} and on ({labels}) {ages}")

    return bars(
        "Servers by age of the patch",
        "Servers by the time since their loaded live patch was built, from time in kpatch.info of the patch server: "
        "cln_eportal_patch_servers with cln_patch_built_timestamp_seconds. The age is unknown if the level is not "
        f"reported, or if the patch server does not describe the patch. {POLLED}",
        [
            *((within(least or None, most), text) for most, text, least in _AGES),
            (servers(_loaded(_IS_BARE)), _NO_PATCH),
            (servers(without_age), _UNKNOWN_AGE),
        ],
        size=(12, 8),
        colors={text: GOOD if most == _AGES[0][0] else WARN for most, text, _ in _AGES}
        | {_NO_PATCH: WARN, _UNKNOWN_AGE: _COLORS["unknown"]},
        none=NO_EPORTAL,
    )


def _rollout_over_time() -> timeseries.Panel:
    return lines(
        "Rollout by patch level",
        "Servers by the level of their loaded live patch, 0 for none, over all kernels of the selected feeds, from "
        f"patch_level of /servers: cln_eportal_patch_servers. {POLLED}",
        [
            (
                f'label_replace(sum by (patch_level) ({_loaded()}), "patch_level", "unknown", "patch_level", "")',
                "level {{patch_level}}",
            )
        ],
        size=(12, 8),
        stacked=True,
        none=NO_EPORTAL,
    )


def _kernels() -> table.Panel:
    one = q.once(f"{SERVER}, effective_kernel, distro", f"cln_eportal_server_info{{{FEED}}}")
    return rows(
        "Effective kernels",
        "Servers by the kernel version whose fixes they have with their live patch, from euname of /servers: "
        f"cln_eportal_server_info. Empty with server_series: false. {POLLED}",
        [f"sort_desc(count by (effective_kernel, distro) ({one}))"],
        [
            Column("effective_kernel", "Effective kernel"),
            Column("distro", "Distribution", width=190),
            Column("Value", "Servers", width=90, right=True),
        ],
        size=(12, 8),
        none="Empty with server_series: false",
        sort=[("Servers", True)],
    )


def _rollout() -> table.Panel:
    labels = "account, feed, kernel_id, patch_level"
    return rows(
        "Servers by patch",
        "Servers by feed, kernel, and level of the loaded live patch, with the time since that patch was built. The "
        "kernel ID is that of the patch server. From /servers and kpatch.info: cln_eportal_patch_servers and "
        f"cln_patch_built_timestamp_seconds. {POLLED}",
        [f"sum by ({labels}) ({_loaded()})", f"sum by ({labels}) ({_with_age()})"],
        [
            Column("account", "ePortal", width=110),
            Column("feed", "Feed", width=120),
            Column("kernel_id", "Kernel ID"),
            Column("patch_level", "Level", width=75),
            Column("Value #A", "Servers", width=90, right=True),
            Column("Value #B", "Built", unit=DAYS, decimals=1, width=110, right=True),
        ],
        size=(24, 8),
        none=NO_EPORTAL,
        sort=[("Built", True)],
    )


def _servers() -> table.Panel:
    built = q.once(SERVER, f"cln_eportal_server_patch_built_timestamp_seconds{{{FEED}}}")
    infos = q.once(
        f"{SERVER}, effective_kernel, patch_level, distro", f'cln_eportal_server_info{{{FEED},patch_level!=""}}'
    )
    age = f"(time() - {built}) / {_DAY}"
    return rows(
        "Servers with the oldest patches",
        "The hundred servers whose loaded live patch was built the longest ago, from /servers and kpatch.info: "
        f"cln_eportal_server_patch_built_timestamp_seconds. Empty with server_series: false. {POLLED}",
        [f"sort_desc(topk(100, topk by ({SERVER}) (1, {infos}) * 0 + on ({SERVER}) group_left () {age}))"],
        [
            Column("hostname", "Host"),
            Column("ip", "Address", width=140),
            Column("account", "ePortal", width=110),
            Column("feed", "Feed", width=110),
            Column("distro", "Distribution", width=150),
            Column("effective_kernel", "Effective kernel"),
            Column("patch_level", "Level", width=75),
            Column("Value", "Patch built", unit=DAYS, decimals=1, width=120, right=True),
            Column("server_id", "server_id", hidden=True),
        ],
        size=(24, 9),
        none="Empty with server_series: false",
        sort=[("Patch built", True)],
    )
