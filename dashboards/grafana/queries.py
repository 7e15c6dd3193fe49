"""PromQL the dashboards share. It reads what the exporter exposes, and no recording rule.

Two exporters may watch the same account, so that each fact is there twice: ``once`` takes it once. A number is 0 only
where the exporter said so, never because nothing is there: hence ``> bool`` and no ``or vector(0)``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from cln_monitor import policy
from cln_monitor.facts import FACTS

EXPORTER = 'job=~"$job",instance=~"$instance"'
ACCOUNT = f'{EXPORTER},account=~"$account"'
PROBES = f'{EXPORTER},account=~"$account|"'
"""The probe of CLN's status belongs to no account and is always meant."""
PROBE = "api, account, probe"
DISABLED = f'cln_kernelcare_key_info{{{ACCOUNT},enabled="false"}}'
"""The disabled keys. Only KernelCare tells."""


def once(labels: str, selector: str) -> str:
    """Return each fact of ``selector`` once, by its ``labels``."""
    return f"max by ({labels}) ({selector})"


def any_of(expressions: Iterable[str]) -> str:
    """Return the series of all ``expressions``."""
    return "\nor ".join(expressions)


@dataclass(frozen=True, slots=True)
class Scope:
    """The products that a dashboard is about, and the ``matchers`` of what is chosen of them.

    With ``chosen`` the variable ``product`` chooses among ``families``, with ``codes`` the variable ``code`` among the
    keys of Imunify.
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
        """Return each fact of the chosen keys of a product once, if its value meets the ``condition``."""
        facts = once(labels, " ".join(filter(None, (self.series(family, metric, more), condition))))
        if family == "imunify" and self.codes:
            return f'({facts} and on (account, key) cln_imunify_key_info{{{ACCOUNT},product=~"$code"}})'
        return facts

    def all(self, make: Callable[[Scope, str], str], *families: str) -> str:
        """Return what ``make`` gives for each of the products, or of ``families``, with the label ``family``."""
        return any_of(
            f'label_replace({make(self, family)}, "family", "{family}", "", "")'
            for family in self.families
            if not families or family in families
        )

    def has(self, family: str) -> bool:
        """Whether the dashboard is about a product."""
        return family in self.families


WITH_KEYS = ("kernelcare", "imunify", "els")


def listed(scope: Scope, family: str) -> str:
    """Return how many servers CLN lists of each key; an ELS key may be of several products."""
    label = "product" if family == "els" else "checkin"
    return f"sum by (account, key) ({scope.once(family, f'account, key, {label}', '_key_servers')})"


def used(scope: Scope, family: str) -> str:
    """Return how much of its limit each key uses: of Imunify what the list of keys reports, where that is more."""
    if family != "imunify":
        return listed(scope, family)
    reported = scope.once(family, "account, key", "_key_servers_reported")
    return f"({reported} > {listed(scope, family)} or {listed(scope, family)})"


def limit(scope: Scope, family: str) -> str:
    """Return the limit of each key, +Inf for none."""
    if family == "els":
        return f"sum by (account, key) ({scope.once(family, 'account, key, product', '_key_servers_limit')})"
    return scope.once(family, "account, key", "_key_servers_limit")


def usage(scope: Scope, family: str) -> str:
    """Return how full each key is that has a limit, 1 for full."""
    return f"{used(scope, family)} / ({limit(scope, family)} < Inf)"


def free(scope: Scope, family: str) -> str:
    """Return how many more servers each key takes that has a limit."""
    return f"({limit(scope, family)} < Inf) - {used(scope, family)}"


def fullness(scope: Scope, family: str) -> str:
    """Return how full each key is, where that can be a problem: enabled, and with a limit that is high enough."""
    found = f"({usage(scope, family)} and {limit(scope, family)} >= {policy.LEAST_LIMIT})"
    return f"({found} unless on (account, key) {DISABLED})" if family == "kernelcare" else found


def full_of_disabled(scope: Scope, family: str) -> str:
    """Return how full each disabled key is, where it would be a problem of an enabled one."""
    enough = f"{limit(scope, family)} >= {policy.LEAST_LIMIT}"
    return f"({usage(scope, family)} and {enough} and on (account, key) {DISABLED})"


def with_note(scope: Scope, expression: str) -> str:
    """Return ``expression`` with the label ``note`` where its key has one: one, also while two exporters differ."""
    return f"({expression}) * on (account, key) group_left (note) ({_notes(scope)})"


def _notes(scope: Scope) -> str:
    """Return 1 for each key, and type of IP licenses, with the note if there is one."""
    families = [family for family in scope.families if family in WITH_KEYS]
    known = []
    if families:
        of_keys = f"cln_({'|'.join(families)})_key"
        infos = once("account, key, note", f'{{__name__=~"{of_keys}_info",note!="",{ACCOUNT}}}')
        known = [
            f"topk by (account, key) (1, {infos})",
            # An expression twice as long would do without these, and would be twice the work.
            f'group by (account, key) ({{__name__=~"{of_keys}_servers",{ACCOUNT}}})',
        ]
    if scope.has("ip_license"):
        types = f"group by (account, license) (cln_ip_licenses{{{ACCOUNT}}})"
        known.append(f'group by (account, key) (label_replace({types}, "key", "$1", "license", "(.+)"))')
    return "\nor on (account, key) ".join(known)


def odd(facts: Collection[str]) -> str:
    """Return how much of what CLN told is odd, by account, probe and fact."""
    return once("account, probe, fact", f'cln_probe_cautions{{{PROBES},fact=~"{"|".join(sorted(facts))}"}}')


def facts_of(severity: policy.Severity) -> list[str]:
    """Return the facts that are as bad as ``severity``."""
    return [name for name, fact in FACTS.items() if fact.severity is severity]


def patch_states(where: str = ACCOUNT, state: str = "") -> str:
    """Return the servers of each account by patch state, in all states or in one.

    The account's own answer where there is one, else the sum over its keys that are not disabled; monitoring keys,
    which stand for servers that are counted already, are left out. The account's own answer has no key, so it is out
    where keys are chosen.
    """
    wanted = f'{where},state="{state}"' if state else where
    whole = once("account, state", f'cln_patch_status_servers{{{wanted},scope="reseller"}}')
    of_keys = once("account, key, state", f'cln_patch_status_servers{{{wanted},scope="key"}}')
    keys = f'cln_kernelcare_key_info{{{ACCOUNT},enabled!="false"}}'
    return f"{whole}\nor sum by (account, state) ({of_keys} and on (account, key) {keys})"


def uncounted_patch_states() -> str:
    """Return the bad patch states of which CLN reports no numbers of servers, without those of disabled keys."""
    labels = "account, scope, key"
    bad = once(labels, f"cln_patch_status_ok{{{ACCOUNT}}}")
    counted = f"cln_patch_status_servers{{{ACCOUNT}}}"
    return f"{bad} == 0 unless on ({labels}) {counted} unless on (account, key) {DISABLED}"


def ip_licenses(registered: str = "", scope: Scope | None = None) -> str:
    """Return the IP licenses of each account by type; only those ``registered``, "true" or "false", if given."""
    matcher = f'registered="{registered}"' if registered else ""
    return once("account, license, registered", (scope or Scope(())).series("ip_licenses", "", matcher))


def unused_licenses() -> str:
    """Return how many IP licenses no server uses, long after their creation; without per-server series, at all."""
    labels = "account, ip, license"
    unused = f"{once(labels, f'cln_ip_license_registered{{{ACCOUNT}}}')} == bool 0"
    recent = f"time() - cln_ip_license_created_timestamp_seconds{{{ACCOUNT}}} < {policy.UNUSED_AFTER}"
    found = f"{unused} unless on ({labels}) {recent}"
    none = f"0 * count by (account) (cln_ip_license_registered{{{ACCOUNT}}})"
    return f"(sum by (account) ({found})\nor {none}\nor sum by (account) ({ip_licenses('false')}))"


def awp(period: str = "current") -> str:
    """Return what AccelerateWP is billed for in the ``current`` month, or in the ``previous`` one."""
    matcher = 'period!="previous"' if period == "current" else f'period="{period}"'
    return once("account, product, cdn_limit", f"cln_awp_billable{{{ACCOUNT},{matcher}}}")


def probe(what: str) -> str:
    """Return what is known of each probe."""
    return f"cln_probe_{what}{{{PROBES}}}"


def failing_probes() -> str:
    """Return 1 for each probe whose last run failed at any exporter, else 0."""
    return once(PROBE, f"1 - {probe('success')}")
