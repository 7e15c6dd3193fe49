"""PromQL of numbers of servers by account, consistent with the tables; 0 only if that is known."""

from __future__ import annotations

from cln_monitor import policy

from . import silence
from .queries import DISABLED, Scope, any_of, by_key, key_labels, listed, once
from .silence import all_silent, stale_after


def servers(scope: Scope, family: str) -> str:
    """Return the number of servers that should check in: those of keys, and addresses with an IP license in use."""
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
            # No license is in use; or there are no per-server series, and therefore no addresses.
            f"0 * count by (account) ({registered})",
            f"sum by (account) ({counted})",
        ]
    )


def _counted(scope: Scope, family: str, found: str, without_series: str = "") -> str:
    """Return the number of ``found`` by account; ``without_series`` is used without per-server series."""
    known = [f"count by (account) ({found})", f"0 * count by (account) ({_known(scope, family)})"]
    return any_of([*known, *filter(None, [without_series])])


def _known(scope: Scope, family: str) -> str:
    """Return the per-server series whose presence means that each server would be found."""
    if family == "ip_license":
        return scope.series(family, "_registered")
    return scope.series(family, "_server_last_checkin_timestamp_seconds")


def silent(scope: Scope, family: str) -> str:
    """Return the number of silent servers that are not gone."""
    fallback = f"clamp_min({_stale(scope, family)} - {_old(scope, family)}, 0)" if _has_counts(family) else ""
    return _counted(scope, family, silence.silent(scope, family), fallback)


def newly_silent(scope: Scope, family: str) -> str:
    """Return the number of newly silent servers."""
    return _counted(scope, family, silence.newly_silent(scope, family))


def long_silent(scope: Scope, family: str) -> str:
    """Return the number of servers that are gone."""
    old, stale = (make(scope, family) if _has_counts(family) else "" for make in (_old, _stale))
    return _counted(scope, family, silence.long_silent(scope, family), f"(({old} < {stale}) or {stale})" if old else "")


def superseded(scope: Scope) -> str:
    """Return the number of superseded KernelCare servers."""
    counted = scope.once("kernelcare", "account, key", "_key_servers_superseded")
    fallback = f"sum by (account) ({counted} unless on (account, key) {DISABLED})"
    return _counted(scope, "kernelcare", silence.superseded(scope), fallback)


def of_disabled(scope: Scope) -> str:
    """Return the number of silent servers of disabled keys."""
    stale = _of_keys(scope, "kernelcare", "stale")
    fallback = f"sum by (account) ({stale} and on (account, key) {DISABLED})"
    return _counted(scope, "kernelcare", silence.of_disabled(scope), fallback)


def never(scope: Scope, family: str) -> str:
    """Return the number of servers that never checked in, a day after registration, or all of an undated product."""
    counted = _of_enabled(family, _of_keys(scope, family, "never"))
    if family in silence.UNDATED:
        return f"sum by (account) ({counted})"
    known = f"0 * count by (account) ({silence.could_be_never(scope, family)})"
    fallback = [f"sum by (account) ({counted})"] if _has_counts(family) else []
    return any_of([f"count by (account) ({silence.never(scope, family)})", known, *fallback])


def unknown(scope: Scope, family: str) -> str:
    """Return the number of servers with an unknown check-in."""
    return f"sum by (account) ({_of_keys(scope, family, 'unknown')})"


def many(scope: Scope, family: str) -> str:
    """Return the number of newly silent servers if they are many."""
    newly, all_ = newly_silent(scope, family), servers(scope, family)
    if family == "kernelcare":
        all_ = f"sum by (account) ({_enabled_servers(scope)})"
    newly, share = f"({newly})", policy.MANY_PERCENT / 100
    return f"({newly} > {policy.MANY} or ({newly} >= {policy.LEAST_OF_MANY} > {share:g} * ({all_})))"


def _enabled_servers(scope: Scope, more: str = "") -> str:
    """Return the number of servers of each enabled KernelCare key, without superseded ones."""
    all_ = f"sum by (account, key) ({scope.once('kernelcare', 'account, key, checkin', '_key_servers', more)})"
    superseded_ = scope.once("kernelcare", "account, key", "_key_servers_superseded")
    return f"({all_} - ({superseded_} or {all_} * 0) unless on (account, key) {DISABLED})"


def silent_keys(scope: Scope, family: str) -> str:
    """Return the number of keys without any server that checks in, if that is recent."""
    after, ever = stale_after(family), 'checkin=~"fresh|stale"'
    newest = f"max by (account, key) ({scope.series(family, '_server_last_checkin_timestamp_seconds')})"
    heard = f"{newest} >= on (account) group_left () (time() - {after})"
    found = f"min by (account, key) ({all_silent(scope, family)})"
    lately = f"{found} <= on (account) group_left () ({after} + {policy.NEWLY_SILENT})"
    if family == "kernelcare":
        total = _enabled_servers(scope, ever)
    else:
        total = f"sum by (account, key) ({scope.once(family, f'{key_labels(family)}, checkin', '_key_servers', ever)})"
    keys = f"{lately} and {total} >= {policy.LEAST_LIMIT} unless on (account, key) {heard}"
    return f"count by (account) ({keys})"


def by_checkin(scope: Scope, family: str) -> str:
    """Return the servers of each account by check-in over time, with ``stale_after`` as configured."""
    if family != "ip_license":
        return f"sum by (account, checkin) ({scope.once(family, f'{key_labels(family)}, checkin', '_key_servers')})"
    age = f"(time() - {silence.last_checkins(scope, family)})"
    after = f"on (account) group_left () {stale_after(family, chosen=False)}"
    states = {
        "fresh": f"sum by (account) ({age} <= bool {after})",
        "stale": f"sum by (account) ({age} > bool {after})",
        "never": f"count by (account) (count by (account, ip) ({silence.never_of_licenses(scope)}))",
    }
    return any_of(f'label_replace({expression}, "checkin", "{state}", "", "")' for state, expression in states.items())


def _of_keys(scope: Scope, family: str, checkin: str) -> str:
    return by_key(scope, family, "_key_servers", f'checkin="{checkin}"')


def _has_counts(family: str) -> bool:
    return family != "ip_license"


def _of_enabled(family: str, keys: str) -> str:
    return f"({keys} unless on (account, key) {DISABLED})" if family == "kernelcare" else keys


def _stale(scope: Scope, family: str) -> str:
    """Return the number of silent and gone servers, from the histogram of ages if another age is selected."""
    stale = _of_enabled(family, _of_keys(scope, family, "stale"))
    return f"({_older(scope, family, '$stale_after')} or sum by (account) ({stale}))"


def _old(scope: Scope, family: str) -> str:
    """Return the number of servers that are silent for at least as long as gone ones."""
    return f"({_older(scope, family, str(policy.LONGEST_SILENCE))} or {_none_stale(scope, family)})"


def _none_stale(scope: Scope, family: str) -> str:
    return f"0 * sum by (account) ({_of_keys(scope, family, 'stale')})"


def _older(scope: Scope, family: str, age: str) -> str:
    def servers_up_to(bound: str) -> str:
        metric = "_server_checkin_age_seconds_bucket"
        ages = _of_enabled(family, by_key(scope, family, metric, f'le=~"{bound}"'))
        return f"sum by (account) ({ages})"

    # Prometheus 3 normalizes bounds to 86400.0.
    return f"({servers_up_to('[+]Inf')} - {servers_up_to(age + '([.]0)?')})"
