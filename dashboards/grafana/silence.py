"""PromQL of servers that are silent, graded as `cln_monitor.policy` does it, by the variable ``stale_after``.

A server is counted from its own series. Where there are none, as with ``server_series: false``, the counts of its key
and the ages of check-ins are taken, which know neither superseded servers nor those of IP licenses.
"""

from __future__ import annotations

from dataclasses import replace

from cln_monitor import policy

from .queries import ACCOUNT, DISABLED, Scope, once

SERVER = "account, key, server_id, ip"
_OF_KEYS = ("kernelcare", "imunify")
CHECKING_IN = (*_OF_KEYS, "ip_license")
_LICENSE = "account, ip, license"
_PROBES = {"ip_license": "ip_licenses"}
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
        return scope.once(family, SERVER, "_server_last_checkin_timestamp_seconds")
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


def _ages(scope: Scope, family: str) -> str:
    return f"(time() - {last_checkins(scope, family)})"


def _than(operator: str, age: str) -> str:
    return f"{operator} on (account) group_left () {age}"


def _registered_again(scope: Scope) -> str:
    """Return the age of the registration of each address that has a single fresh KernelCare server, of whatever key.

    What is only matched is not taken once: each pass over a large fleet costs.
    """
    everywhere, family, has_ip = replace(scope, matchers=ACCOUNT), "kernelcare", 'ip!=""'
    last = everywhere.series(family, "_server_last_checkin_timestamp_seconds", has_ip)
    created = everywhere.series(family, "_server_created_timestamp_seconds", has_ip)
    fresh = f"(time() - {last} {_than('<=', stale_after(family))})"
    again = f"max by (account, ip) (time() - ({created} and on (account, key, server_id) {fresh}))"
    return f"({again} and count by (account, ip) (group by ({SERVER}) ({fresh})) == 1)"


def superseded(scope: Scope) -> str:
    """Return the age of the last check-in of each KernelCare server that has registered anew since.

    Its address has a single fresh registration, of whatever key, that was made after that check-in.
    """
    silent = f"({_ages(scope, 'kernelcare')} {_than('>', stale_after('kernelcare'))})"
    later = f"> on (account, ip) group_left () {_registered_again(scope)}"
    return f"({silent} {later} unless on (account, key) {DISABLED})"


def of_disabled(scope: Scope) -> str:
    """Return the age of the last check-in of each silent server of a disabled key."""
    silent = f"{_ages(scope, 'kernelcare')} {_than('>', stale_after('kernelcare'))}"
    return f"({silent} and on (account, key) {DISABLED})"


def all_silent(scope: Scope, family: str) -> str:
    """Return the age of the last check-in of each silent server that counts as such, those that are gone among them."""
    silent = f"{_ages(scope, family)} {_than('>', stale_after(family))}"
    if family != "kernelcare":
        return f"({silent})"
    age = f"time() - {scope.series(family, '_server_last_checkin_timestamp_seconds')}"
    again = f"({age} > on (account, ip) group_left () {_registered_again(scope)})"
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
