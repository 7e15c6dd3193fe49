"""Common PromQL of the dashboards, which reads metrics of the exporter and no recording rules.

Two exporters may monitor the same account and expose every fact twice; ``once`` removes the duplicates. A number is 0
only if the exporter reports 0, never because of missing data: hence ``> bool`` and no ``or vector(0)``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from cln_monitor import policy
from cln_monitor.facts import FACTS

EXPORTER = 'job=~"$job",instance=~"$instance"'
ACCOUNT = f'{EXPORTER},account=~"$account"'
PROBES = f'{EXPORTER},account=~"$account|"'
"""Includes the status probe, which belongs to no account."""
PROBE = "api, account, probe"
DISABLED = f'cln_kernelcare_key_info{{{ACCOUNT},enabled="false"}}'
"""The disabled keys, which only KernelCare reports."""


def once(labels: str, selector: str) -> str:
    """Return the series of ``selector`` by ``labels``, without duplicates from several exporters."""
    return f"max by ({labels}) ({selector})"


def any_of(expressions: Iterable[str]) -> str:
    """Return the union of ``expressions``."""
    return "\nor ".join(expressions)


@dataclass(frozen=True, slots=True)
class Scope:
    """The products of a dashboard, and the ``matchers`` of the selection.

    With ``chosen`` the variable ``product`` selects from ``families``; with ``codes`` the variable ``code`` selects
    Imunify keys.
    """

    families: tuple[str, ...]
    matchers: str = ACCOUNT
    chosen: bool = False
    codes: bool = False

    def series(self, family: str, metric: str, more: str = "") -> str:
        """Return the selector of the metric ``cln_FAMILYmetric``, such as ``_key_servers``."""
        name, matchers = f"cln_{family}{metric}", ",".join(filter(None, (self.matchers, more)))
        if self.chosen:
            return f'{{__name__="{name}",__name__=~"cln_($product).+",{matchers}}}'
        return f"{name}{{{matchers}}}"

    def once(self, family: str, labels: str, metric: str, more: str = "", condition: str = "") -> str:
        """Return the series of the selected keys of a product without duplicates, if they meet ``condition``."""
        facts = once(labels, " ".join(filter(None, (self.series(family, metric, more), condition))))
        if family == "imunify" and self.codes:
            return f'({facts} and on (account, key) cln_imunify_key_info{{{ACCOUNT},product=~"$code"}})'
        return facts

    def all(self, make: Callable[[Scope, str], str], *families: str) -> str:
        """Return the union of ``make`` for all products, or ``families``, with the label ``family``."""
        return any_of(
            f'label_replace({make(self, family)}, "family", "{family}", "", "")'
            for family in self.families
            if not families or family in families
        )

    def has(self, family: str) -> bool:
        """Return whether the scope includes a product."""
        return family in self.families


WITH_CHECKINS = ("kernelcare", "imunify", "els")
"""The products with keys whose servers check in."""
WITH_KEYS = (*WITH_CHECKINS, "cloudlinux")
BY_PRODUCT = ("els", "cloudlinux")
"""Those whose keys are listed by product code: a key can have several of them."""


def key_labels(family: str) -> str:
    """Return the labels that identify a key."""
    return "account, key, product" if family in BY_PRODUCT else "account, key"


def by_key(scope: Scope, family: str, metric: str, more: str = "") -> str:
    """Return the number in ``metric`` of each key, over all its products."""
    found = scope.once(family, key_labels(family), metric, more)
    return f"sum by (account, key) ({found})" if family in BY_PRODUCT else found


def listed(scope: Scope, family: str) -> str:
    """Return the number of servers that CLN lists for each key."""
    return f"sum by (account, key) ({scope.once(family, f'{key_labels(family)}, checkin', '_key_servers')})"


def used(scope: Scope, family: str) -> str:
    """Return the used servers of each key; for Imunify the number in the key list if it is larger."""
    if family != "imunify":
        return listed(scope, family)
    reported = scope.once(family, "account, key", "_key_servers_reported")
    return f"({reported} > {listed(scope, family)} or {listed(scope, family)})"


def limit(scope: Scope, family: str) -> str:
    """Return the limit of each key, +Inf if unlimited."""
    return by_key(scope, family, "_key_servers_limit")


def usage(scope: Scope, family: str) -> str:
    """Return the used share of the limit for each key with a limit, 1 if full."""
    return f"{used(scope, family)} / ({limit(scope, family)} < Inf)"


def free(scope: Scope, family: str) -> str:
    """Return the number of free slots for each key with a limit."""
    return f"({limit(scope, family)} < Inf) - {used(scope, family)}"


def fullness(scope: Scope, family: str) -> str:
    """Return the used share of the limit for enabled keys with a limit that is high enough for a problem."""
    found = f"({usage(scope, family)} and {limit(scope, family)} >= {policy.LEAST_LIMIT})"
    return f"({found} unless on (account, key) {DISABLED})" if family == "kernelcare" else found


def full_of_disabled(scope: Scope, family: str) -> str:
    """Return the used share of the limit for disabled keys, if their limit is high enough for a problem."""
    enough = f"{limit(scope, family)} >= {policy.LEAST_LIMIT}"
    return f"({usage(scope, family)} and {enough} and on (account, key) {DISABLED})"


def with_note(scope: Scope, expression: str) -> str:
    """Return ``expression`` with the label ``note`` of its key; only one note while two exporters differ."""
    return f"({expression}) * on (account, key) group_left (note) ({_notes(scope)})"


def _notes(scope: Scope) -> str:
    """Return 1 for each key and each type of IP licenses, with the note if it has one."""
    families = [family for family in scope.families if family in WITH_KEYS]
    known = []
    if families:
        of_keys = f"cln_({'|'.join(families)})_key"
        infos = once("account, key, note", f'{{__name__=~"{of_keys}_info",note!="",{ACCOUNT}}}')
        known = [
            f"topk by (account, key) (1, {infos})",
            # The keys without a note; avoiding them would double the length and the cost of the expression.
            f'group by (account, key) ({{__name__=~"{of_keys}_servers",{ACCOUNT}}})',
        ]
    if scope.has("ip_license"):
        types = f"group by (account, license) (cln_ip_licenses{{{ACCOUNT}}})"
        known.append(f'group by (account, key) (label_replace({types}, "key", "$1", "license", "(.+)"))')
    return "\nor on (account, key) ".join(known)


def odd(facts: Collection[str]) -> str:
    """Return the number of unexpected data of CLN by account, probe, and fact."""
    return once("account, probe, fact", f'cln_probe_cautions{{{PROBES},fact=~"{"|".join(sorted(facts))}"}}')


def facts_of(severity: policy.Severity) -> list[str]:
    """Return the facts of a ``severity``."""
    return [name for name, fact in FACTS.items() if fact.severity is severity]


def patch_states(where: str = ACCOUNT, state: str = "") -> str:
    """Return the servers of each account by patch state, in all states or in one.

    The result is the response for the whole account if there is one, else the sum over its keys that are not disabled.
    Monitoring keys are excluded, because their servers are counted already. The response for the whole account has no
    key, so it is excluded if keys are selected.
    """
    wanted = f'{where},state="{state}"' if state else where
    whole = once("account, state", f'cln_patch_status_servers{{{wanted},scope="reseller"}}')
    of_keys = once("account, key, state", f'cln_patch_status_servers{{{wanted},scope="key"}}')
    keys = f'cln_kernelcare_key_info{{{ACCOUNT},enabled!="false"}}'
    return f"{whole}\nor sum by (account, state) ({of_keys} and on (account, key) {keys})"


def uncounted_patch_states() -> str:
    """Return the bad patch states without numbers of servers, except those of disabled keys."""
    labels = "account, scope, key"
    bad = once(labels, f"cln_patch_status_ok{{{ACCOUNT}}}")
    counted = f"cln_patch_status_servers{{{ACCOUNT}}}"
    return f"{bad} == 0 unless on ({labels}) {counted} unless on (account, key) {DISABLED}"


def ip_licenses(registered: str = "", scope: Scope | None = None) -> str:
    """Return the IP licenses of each account by type, optionally only those with ``registered`` "true" or "false"."""
    matcher = f'registered="{registered}"' if registered else ""
    return once("account, license, registered", (scope or Scope(())).series("ip_licenses", "", matcher))


def unused_licenses() -> str:
    """Return the number of IP licenses unused long after their creation; without per-server series, all."""
    labels = "account, ip, license"
    unused = f"{once(labels, f'cln_ip_license_registered{{{ACCOUNT}}}')} == bool 0"
    recent = f"time() - cln_ip_license_created_timestamp_seconds{{{ACCOUNT}}} < {policy.UNUSED_AFTER}"
    found = f"{unused} unless on ({labels}) {recent}"
    none = f"0 * count by (account) (cln_ip_license_registered{{{ACCOUNT}}})"
    return f"(sum by (account) ({found})\nor {none}\nor sum by (account) ({ip_licenses('false')}))"


def awp(period: str = "current") -> str:
    """Return the billable AccelerateWP entities of the ``current`` or the ``previous`` month."""
    matcher = 'period!="previous"' if period == "current" else f'period="{period}"'
    return once("account, product, cdn_limit", f"cln_awp_billable{{{ACCOUNT},{matcher}}}")


def probe(metric: str) -> str:
    """Return the selector of the metric ``cln_probe_METRIC``."""
    return f"cln_probe_{metric}{{{PROBES}}}"


def failing_probes(where: str = PROBES, labels: str = PROBE) -> str:
    """Return 1 for each probe whose last run failed at any exporter, else 0; nothing for those in their first poll."""
    first_poll = f"unless on (job, instance, {PROBE}) cln_probe_first_poll_ratio{{{where}}}"
    return once(labels, f"1 - cln_probe_success{{{where}}} {first_poll}")
