"""PromQL of servers that are silent, graded as `cln_monitor.policy` does it, by the variable ``stale_after``.

A server is counted from its own series. Where there are none, as with ``server_series: false``, the counts of its key
and the ages of check-ins are taken, which know neither superseded servers nor those of IP licenses.
"""

from __future__ import annotations

from cln_monitor import policy

from .queries import ACCOUNT, DISABLED, Scope, once

SERVER = "account, key, server_id, ip"
_OF_KEYS = ("kernelcare", "imunify")
CHECKING_IN = (*_OF_KEYS, "ip_license")
_LICENSE = "account, ip, license"
_PROBES = {"ip_license": "ip_licenses"}
_LAST = "_server_last_checkin_timestamp_seconds"
_EVERYWHERE, _HAS_IP = Scope(("kernelcare",)), 'ip!=""'
_LICENSES_READ = f'cln_probe_success{{{ACCOUNT},probe="ip_licenses"}} == 1'


def stale_after(family: str, *, chosen: bool = True) -> str:
    """Return the age of a check-in from which on a server of each account is silent: as ``chosen``, or configured."""
    probe = _PROBES.get(family, family)
    configured = once("account", f'cln_probe_stale_after_seconds{{{ACCOUNT},probe="{probe}"}}')
    return f"({configured} * ($stale_after == bool 0) + $stale_after)" if chosen else configured


def gone_after(family: str) -> str:
    """Return the age of a check-in from which on a server of each account is gone."""
    return f"clamp_min({stale_after(family)}, {policy.LONGEST_SILENCE})"


def last_checkins(scope: Scope, family: str) -> str:
    """Return the time of the last check-in of each server: an address once, whatever licenses it has."""
    if family != "ip_license":
        return scope.once(family, SERVER, _LAST)
    times = once(_LICENSE, scope.series(family, "_last_checkin_timestamp_seconds"))
    unused = f"{scope.series(family, '_registered')} == 0"
    oldest = f"bottomk by (account, ip) (1, {times} unless on ({_LICENSE}) {unused})"
    return f"({_by_address(oldest)} unless on (account, ip) {never_of_licenses(scope)})"


def _by_address(licenses: str) -> str:
    """Return ``licenses`` with their type as ``key``."""
    return once("account, key, ip", f'label_replace({licenses}, "key", "$1", "license", "(.+)")')


def never_of_licenses(scope: Scope) -> str:
    """Return the licenses in use without a check-in, where all check-ins were read."""
    registered = once(_LICENSE, scope.series("ip_license", "_registered") + " == 1")
    heard = scope.series("ip_license", "_last_checkin_timestamp_seconds")
    return f"({registered} unless on ({_LICENSE}) {heard} and on (account) {_LICENSES_READ})"


def could_be_never(scope: Scope, family: str) -> str:
    """Return the series that show whether servers have never checked in."""
    if family == "kernelcare":
        return scope.series(family, "_server_created_timestamp_seconds")
    return f"{scope.series(family, '_registered')} and on (account) {_LICENSES_READ}"


def never(scope: Scope, family: str) -> str:
    """Return the days since each server was registered that has never checked in, a day after that.

    Imunify does not tell when a server was registered.
    """
    if family == "kernelcare":
        created = scope.once(family, SERVER, "_server_created_timestamp_seconds")
        heard = scope.series(family, "_server_last_checkin_timestamp_seconds")
        unknown = scope.series(family, "_key_servers", 'checkin="unknown"') + " > 0"
        found = f"{created} unless on (account, key, server_id) {heard} unless on (account, key) {unknown}"
        found = f"({found} unless on (account, key) {DISABLED})"
    else:
        created = once(_LICENSE, scope.series(family, "_created_timestamp_seconds"))
        found = _by_address(f"bottomk by (account, ip) (1, {created} and on ({_LICENSE}) {never_of_licenses(scope)})")
    return f"(time() - {found} > {policy.NEVER_AFTER})"


def _than(operator: str, age: str) -> str:
    return f"{operator} on (account) group_left () {age}"


def _before(family: str) -> str:
    """Return the condition of a check-in that makes its server silent.

    A large fleet is filtered before anything else is done: that compares, and makes no labels of a hundred thousand.
    """
    return _than("<", f"(time() - {stale_after(family)})")


def _ages(scope: Scope, family: str) -> str:
    """Return the ages of the last check-ins of servers that are silent, for whatever reason."""
    if family == "ip_license":
        return f"((time() - {last_checkins(scope, family)}) {_than('>', stale_after(family))})"
    return f"(time() - {scope.once(family, SERVER, _LAST, condition=_before(family))})"


def _registered_again() -> str:
    """Return when each address was registered that has a single fresh KernelCare server, of whatever key.

    Only addresses with a silent one matter. Several fresh ones add up to about 2e12 or more.
    """
    silent = f"{_EVERYWHERE.series('kernelcare', _LAST, _HAS_IP)} {_before('kernelcare')}"
    created = _EVERYWHERE.series("kernelcare", "_server_created_timestamp_seconds", _HAS_IP)
    heard = _EVERYWHERE.series("kernelcare", _LAST, _HAS_IP)
    server = "on (account, key, server_id)"
    fresh = f"{created} and on (account, ip) ({silent}) unless {server} ({silent}) and {server} {heard}"
    return f"((sum by (account, ip) (1e12 + {once(SERVER, fresh)}) < 1.5e12) - 1e12)"


def superseded(scope: Scope) -> str:
    """Return the age of the last check-in of each KernelCare server that has registered anew since.

    Its address has a single fresh registration, of whatever key, that was made after that check-in.
    """
    later = f"> on (account, ip) group_left () (time() - {_registered_again()})"
    return f"({_ages(scope, 'kernelcare')} {later} unless on (account, key) {DISABLED})"


def of_disabled(scope: Scope) -> str:
    """Return the age of the last check-in of each silent server of a disabled key."""
    return f"({_ages(scope, 'kernelcare')} and on (account, key) {DISABLED})"


def all_silent(scope: Scope, family: str) -> str:
    """Return the age of the last check-in of each silent server that counts as such, those that are gone among them."""
    silent = _ages(scope, family)
    if family != "kernelcare":
        return silent
    again = f"({scope.series(family, _LAST)} < on (account, ip) group_left () {_registered_again()})"
    return f"({silent} unless on (account, key) {DISABLED} unless on (account, key, server_id) {again})"


def silent(scope: Scope, family: str) -> str:
    """Return the age of the last check-in of each server that is silent, but not gone."""
    return f"({all_silent(scope, family)} {_than('<=', gone_after(family))})"


def newly_silent(scope: Scope, family: str) -> str:
    """Return the same of those that fell silent lately."""
    return f"({all_silent(scope, family)} {_than('<=', f'({stale_after(family)} + {policy.NEWLY_SILENT})')})"


def newly_among_silent(scope: Scope, family: str) -> str:
    """Return the same of those that fell silent lately, and are not gone where ``stale_after`` is long."""
    return f"({silent(scope, family)} {_than('<=', f'({stale_after(family)} + {policy.NEWLY_SILENT})')})"


def silent_before(scope: Scope, family: str) -> str:
    """Return the same of those that fell silent before that, but are not gone."""
    return f"({silent(scope, family)} {_than('>', f'({stale_after(family)} + {policy.NEWLY_SILENT})')})"


def gone(scope: Scope, family: str) -> str:
    """Return the age of the last check-in of each server that is silent for long."""
    return f"({all_silent(scope, family)} {_than('>', gone_after(family))})"
