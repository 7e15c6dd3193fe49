"""PromQL the dashboards share.

Two exporters may watch the same account, so that each fact is there twice: ``once`` takes it once. A number is 0 only
where the exporter said so, never because nothing is there: hence ``> bool`` and no ``or vector(0)``.
"""

from __future__ import annotations

from collections.abc import Collection

from cln_monitor import policy
from cln_monitor.policy import FACTS

ACCOUNT = 'account=~"$account"'
PROBES = 'account=~"$account|"'
"""The probe of CLN's status belongs to no account and is always meant."""
FAMILIES = {"kernelcare": "KernelCare", "imunify": "Imunify", "els": "ELS", "ip_license": "IP licences"}
PATCH_STATES = {
    "uptodate": "up to date",
    "outofdate": "out of date",
    "unsupported": "unsupported",
    "inactive": "inactive",
}
NEARLY_FULL = policy.NEARLY_FULL / 100


def once(labels: str, selector: str) -> str:
    """Return each fact of ``selector`` once, by its ``labels``."""
    return f"max by ({labels}) ({selector})"


def of_key(product: str) -> str:
    """Return the matchers of the chosen keys of ``product``."""
    return f'{ACCOUNT},key=~"${product}_key"'


def of_keys(product: str, labels: str, metric: str, more: str = "") -> str:
    """Return each fact of the chosen keys of ``product`` once; those of Imunify are chosen by product code too."""
    facts = once(labels, f"cln_{product}_{metric}{{{of_key(product)}{more}}}")
    codes = f'cln_imunify_key_info{{{ACCOUNT},product=~"$code"}}'
    return f"({facts} and on (account, key) {codes})" if product == "imunify" else facts


def key_servers(product: str, checkin: str = "") -> str:
    """Return the servers of each key of ``product``, in all or in one state of their check-ins."""
    state = f',checkin="{checkin}"' if checkin else ""
    return of_keys(product, "account, key, checkin", "key_servers", state)


def used(product: str) -> str:
    """Return how many servers each key of ``product`` has."""
    return f"sum by (account, key) ({key_servers(product)})"


def limit(product: str) -> str:
    """Return the limit of each key of ``product``, +Inf for none."""
    return of_keys(product, "account, key", "key_servers_limit")


def _of_family(metric: str, labels: str, more: str = "") -> str:
    name = f'{{__name__=~"cln_($product)_{metric}",{ACCOUNT}{more}}}'
    return once(f"{labels}, family", f'label_replace({name}, "family", "$1", "__name__", "cln_(.+)_{metric}")')


def checkins(checkin: str = "") -> str:
    """Return the servers of the chosen products by key and state of their check-ins, in all states or in one."""
    state = f'checkin="{checkin}"' if checkin else 'checkin!=""'
    return _of_family("key_servers", "account, key, checkin", f",{state}")


def family_used() -> str:
    """Return how many servers each key of the chosen products has; an ELS key may be of several products."""
    return f"sum by (account, key, family) ({_of_family('key_servers', 'account, key, checkin, product')})"


def family_limit() -> str:
    """Return the limit of each key of the chosen products."""
    return f"sum by (account, key, family) ({_of_family('key_servers_limit', 'account, key, product')})"


def family_usage() -> str:
    """Return how full each key of the chosen products is; one without a limit is at 0."""
    return f"{family_used()} / on (account, key, family) {family_limit()}"


def family_fullness() -> str:
    """Return how full each key of the chosen products is whose limit is high enough for that to be a problem."""
    return f"({family_usage()} and on (account, key, family) {family_limit()} >= {policy.LEAST_LIMIT})"


def family_unused() -> str:
    """Return the free places of each key of the chosen products that has a limit."""
    return f"({family_limit()} - on (account, key, family) {family_used()}) < Inf"


def note(where: str = ACCOUNT) -> str:
    """Return the note of each KernelCare key; one, also while two exporters saw different ones."""
    infos = once("account, key, note, enabled", f"cln_kernelcare_key_info{{{where}}}")
    return f"topk by (account, key) (1, {infos})"


def with_note(expression: str) -> str:
    """Return ``expression`` with the label ``note`` where its key has one."""
    notes = note()
    return (
        f"({expression}) * on (account, key) group_left (note) {notes}"
        f"\nor ({expression}) unless on (account, key) {notes}"
    )


def stale_servers(product: str) -> str:
    """Return the days since the last check-in of each server of ``product`` that is stale, most first.

    That is what the exporter counts as stale, so that the table has as many as the number above it.
    """
    times = of_keys(product, "account, key, server_id, ip", "server_last_checkin_timestamp_seconds")
    after = once("account", f'cln_probe_stale_after_seconds{{{ACCOUNT},probe="{product}"}}')
    return f"sort_desc((time() - {times} > on (account) group_left () {after}) / 86400)"


def stale_family_servers() -> str:
    """Return the same for the servers of the chosen products."""
    times = _of_family("server_last_checkin_timestamp_seconds", "account, key, server_id, ip")
    after = f"cln_probe_stale_after_seconds{{{ACCOUNT}}}"
    after = once("account, family", f'label_replace({after}, "family", "$1", "probe", "(.+)")')
    return f"sort_desc((time() - {times} > on (account, family) group_left () {after}) / 86400)"


def odd(levels: Collection[str]) -> str:
    """Return how much of what CLN told is odd, by account and probe; of the facts that are as bad as ``levels``."""
    facts = "|".join(sorted(name for name, fact in FACTS.items() if fact.severity.name.lower() in levels))
    return once("account, probe, fact", f'cln_probe_cautions{{{PROBES},fact=~"{facts}"}}')


def patch_states(where: str = ACCOUNT, state: str = "") -> str:
    """Return the servers of each account by patch state, in all states or in one.

    The account's own answer where there is one, else the sum over its keys; monitoring keys, which stand for servers
    that are counted already, are left out. The account's own answer has no key, so it is out where keys are chosen.
    """
    wanted = f'{where},state="{state}"' if state else where
    whole = once("account, state", f'cln_patch_status_servers{{{wanted},scope="reseller"}}')
    of_keys = once("account, key, state", f'cln_patch_status_servers{{{wanted},scope="key"}}')
    return f"{whole}\nor sum by (account, state) ({of_keys} and on (account, key) cln_kernelcare_key_info)"


def ip_licenses(registered: str = "") -> str:
    """Return the IP licences of each account by type; only those ``registered``, "true" or "false", if given."""
    matcher = f',registered="{registered}"' if registered else ""
    return once("account, license, registered", f"cln_ip_licenses{{{ACCOUNT}{matcher}}}")


PROBE = "api, account, probe"


def probe(what: str) -> str:
    """Return what is known of each probe."""
    return f"cln_probe_{what}{{{PROBES}}}"


def failing_probes() -> str:
    """Return 1 for each probe whose last run failed at any exporter, else 0."""
    return once("api, account, probe", f"1 - cln_probe_success{{{PROBES}}}")
