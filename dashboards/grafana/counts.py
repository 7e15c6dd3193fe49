"""PromQL of numbers of servers, by account: each counts what the tables list, and is 0 only where that is known."""

from __future__ import annotations

from cln_monitor import policy

from . import silence
from .queries import DISABLED, Scope, any_of, listed, once
from .silence import all_silent, stale_after


def servers(scope: Scope, family: str) -> str:
    """Return how many servers check in, or should: those of keys, and the addresses with an IP license in use."""
    if family != "ip_license":
        return f"sum by (account) ({listed(scope, family)})"
    licenses = "account, ip, license"
    registered = scope.series(family, "_registered")
    heard = scope.series(family, "_last_checkin_timestamp_seconds")
    in_use = f"{registered} == 1 or {heard} unless on ({licenses}) {registered} == 0"
    counted = once("account, license, registered", scope.series("ip_licenses", "", 'registered="true"'))
    return any_of(
        [
            f"count by (account) (count by (account, ip) ({in_use}))",
            # None is in use; or there are no per-server series, and no addresses.
            f"0 * count by (account) ({registered})",
            f"sum by (account) ({counted})",
        ]
    )


def _counted(scope: Scope, family: str, found: str, without_series: str = "") -> str:
    """Return how many are ``found``, by account; ``without_series`` is the number without per-server series."""
    known = [f"count by (account) ({found})", f"0 * count by (account) ({_known(scope, family)})"]
    return any_of([*known, *filter(None, [without_series])])


def _known(scope: Scope, family: str) -> str:
    """Return the per-server series that show that each server would be found."""
    if family == "ip_license":
        return scope.series(family, "_registered")
    return scope.series(family, "_server_last_checkin_timestamp_seconds")


def silent(scope: Scope, family: str) -> str:
    """Return how many servers are silent, but not gone."""
    fallback = f"clamp_min({_stale(scope, family)} - {_old(scope, family)}, 0)" if _has_counts(family) else ""
    return _counted(scope, family, silence.silent(scope, family), fallback)


def newly_silent(scope: Scope, family: str) -> str:
    """Return how many servers fell silent lately."""
    return _counted(scope, family, silence.newly_silent(scope, family))


def gone(scope: Scope, family: str) -> str:
    """Return how many servers are silent for long."""
    old, stale = (of(scope, family) if _has_counts(family) else "" for of in (_old, _stale))
    return _counted(scope, family, silence.gone(scope, family), f"(({old} < {stale}) or {stale})" if old else "")


def superseded(scope: Scope) -> str:
    """Return how many KernelCare servers have registered anew since."""
    counted = scope.once("kernelcare", "account, key", "_key_servers_superseded")
    fallback = f"sum by (account) ({counted} unless on (account, key) {DISABLED})"
    return _counted(scope, "kernelcare", silence.superseded(scope), fallback)


def of_disabled(scope: Scope) -> str:
    """Return how many servers of disabled keys are silent."""
    stale = _of_keys(scope, "kernelcare", "stale")
    fallback = f"sum by (account) ({stale} and on (account, key) {DISABLED})"
    return _counted(scope, "kernelcare", silence.of_disabled(scope), fallback)


def never(scope: Scope, family: str) -> str:
    """Return how many servers have never checked in a day after their registration; of Imunify, how many at all."""
    counted = _of_enabled(family, _of_keys(scope, family, "never"))
    if family == "imunify":
        return f"sum by (account) ({counted})"
    known = f"0 * count by (account) ({silence.could_be_never(scope, family)})"
    fallback = [f"sum by (account) ({counted})"] if _has_counts(family) else []
    return any_of([f"count by (account) ({silence.never(scope, family)})", known, *fallback])


def unknown(scope: Scope, family: str) -> str:
    """Return of how many servers the last check-in is not known."""
    return f"sum by (account) ({_of_keys(scope, family, 'unknown')})"


def many(scope: Scope, family: str) -> str:
    """Return how many servers fell silent lately, where they are many."""
    newly, all_ = newly_silent(scope, family), servers(scope, family)
    if family == "kernelcare":
        all_ = f"sum by (account) ({_seen_or_not(scope)})"
    newly, share = f"({newly})", policy.MANY_PERCENT / 100
    return f"({newly} > {policy.MANY} or ({newly} >= {policy.LEAST_OF_MANY} > {share:g} * ({all_})))"


def _seen_or_not(scope: Scope, more: str = "") -> str:
    """Return how many servers each enabled KernelCare key has, those left out that have registered anew since."""
    all_ = f"sum by (account, key) ({scope.once('kernelcare', 'account, key, checkin', '_key_servers', more)})"
    superseded_ = scope.once("kernelcare", "account, key", "_key_servers_superseded")
    return f"({all_} - ({superseded_} or {all_} * 0) unless on (account, key) {DISABLED})"


def silent_keys(scope: Scope, family: str) -> str:
    """Return how many keys have not a single server that checks in any more, since lately."""
    after, ever = stale_after(family), 'checkin=~"fresh|stale"'
    newest = f"max by (account, key) ({scope.series(family, '_server_last_checkin_timestamp_seconds')})"
    heard = f"{newest} >= on (account) group_left () (time() - {after})"
    found = f"min by (account, key) ({all_silent(scope, family)})"
    lately = f"{found} <= on (account) group_left () ({after} + {policy.NEWLY_SILENT})"
    if family == "kernelcare":
        seen = _seen_or_not(scope, ever)
    else:
        seen = f"sum by (account, key) ({scope.once(family, 'account, key, checkin', '_key_servers', ever)})"
    keys = f"{lately} and {seen} >= {policy.LEAST_LIMIT} unless on (account, key) {heard}"
    return f"count by (account) ({keys})"


def by_checkin(scope: Scope, family: str) -> str:
    """Return the servers of each account by check-in, by ``stale_after`` as configured, so that it can be drawn."""
    if family != "ip_license":
        return f"sum by (account, checkin) ({scope.once(family, 'account, key, checkin', '_key_servers')})"
    age = f"(time() - {silence.last_checkins(scope, family)})"
    after = f"on (account) group_left () {stale_after(family, chosen=False)}"
    states = {
        "fresh": f"sum by (account) ({age} <= bool {after})",
        "stale": f"sum by (account) ({age} > bool {after})",
        "never": f"count by (account) (count by (account, ip) ({silence.never_of_licenses(scope)}))",
    }
    return any_of(f'label_replace({expression}, "checkin", "{state}", "", "")' for state, expression in states.items())


def _of_keys(scope: Scope, family: str, checkin: str) -> str:
    return scope.once(family, "account, key", "_key_servers", f'checkin="{checkin}"')


def _has_counts(family: str) -> bool:
    return family != "ip_license"


def _of_enabled(family: str, keys: str) -> str:
    return f"({keys} unless on (account, key) {DISABLED})" if family == "kernelcare" else keys


def _stale(scope: Scope, family: str) -> str:
    """Return how many servers are silent or gone: of the ages of check-ins where another age than that is chosen."""
    stale = _of_enabled(family, _of_keys(scope, family, "stale"))
    return f"({_older(scope, family, '$stale_after')} or sum by (account) ({stale}))"


def _old(scope: Scope, family: str) -> str:
    """Return how many servers have been silent for as long as makes one gone."""
    return f"({_older(scope, family, str(policy.LONGEST_SILENCE))} or {_none_stale(scope, family)})"


def _none_stale(scope: Scope, family: str) -> str:
    return f"0 * sum by (account) ({_of_keys(scope, family, 'stale')})"


def _older(scope: Scope, family: str, age: str) -> str:
    def servers_up_to(bound: str) -> str:
        metric = "_server_checkin_age_seconds_bucket"
        ages = _of_enabled(family, scope.once(family, "account, key", metric, f'le=~"{bound}"'))
        return f"sum by (account) ({ages})"

    # Prometheus 3 writes bounds as 86400.0.
    return f"({servers_up_to('[+]Inf')} - {servers_up_to(age + '([.]0)?')})"
