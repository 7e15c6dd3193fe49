"""PromQL of silent servers, graded as in `cln_monitor.policy`, with the variable ``stale_after``.

Servers are counted by their own series. Without such series (``server_series: false``) the counts of keys and the
histogram of ages are used, which include neither superseded servers nor servers with IP licenses.
"""

from __future__ import annotations

from cln_monitor import policy

from .queries import ACCOUNT, DISABLED, WITH_CHECKINS, Scope, once

SERVER = "account, key, server_id, ip"
UNDATED = ("imunify", "els")
"""The products for which CLN does not report when a server was registered."""
CHECKING_IN = (*WITH_CHECKINS, "ip_license")
_LICENSE = "account, ip, license"
_PROBES = {"ip_license": "ip_licenses"}
_LAST = "_server_last_checkin_timestamp_seconds"
_EVERYWHERE, _HAS_IP = Scope(("kernelcare",)), 'ip!=""'
_LICENSES_READ = f'cln_probe_success{{{ACCOUNT},probe="ip_licenses"}} == 1'


def stale_after(family: str, *, chosen: bool = True) -> str:
    """Return the age in seconds, by account, after which a server is silent: as ``chosen``, else as configured."""
    probe = _PROBES.get(family, family)
    configured = once("account", f'cln_probe_stale_after_seconds{{{ACCOUNT},probe="{probe}"}}')
    return f"({configured} * ($stale_after == bool 0) + $stale_after)" if chosen else configured


def gone_after(family: str) -> str:
    """Return the age in seconds, by account, after which a server is gone."""
    return f"clamp_min({stale_after(family)}, {policy.LONGEST_SILENCE})"


def last_checkins(scope: Scope, family: str) -> str:
    """Return the time of the last check-in of each server; an address with several licenses counts once."""
    if family != "ip_license":
        return scope.once(family, SERVER, _LAST)
    times = once(_LICENSE, scope.series(family, "_last_checkin_timestamp_seconds"))
    unused = f"{scope.series(family, '_registered')} == 0"
    oldest = f"bottomk by (account, ip) (1, {times} unless on ({_LICENSE}) {unused})"
    return f"({_by_address(oldest)} unless on (account, ip) {never_of_licenses(scope)})"


def _by_address(licenses: str) -> str:
    """Return ``licenses`` with their type as the label ``key``."""
    return once("account, key, ip", f'label_replace({licenses}, "key", "$1", "license", "(.+)")')


def never_of_licenses(scope: Scope) -> str:
    """Return the licenses in use without a check-in, if all check-ins were read."""
    registered = once(_LICENSE, scope.series("ip_license", "_registered") + " == 1")
    heard = scope.series("ip_license", "_last_checkin_timestamp_seconds")
    return f"({registered} unless on ({_LICENSE}) {heard} and on (account) {_LICENSES_READ})"


def could_be_never(scope: Scope, family: str) -> str:
    """Return the series that are required to determine whether servers never checked in."""
    if family == "kernelcare":
        return scope.series(family, "_server_created_timestamp_seconds")
    return f"{scope.series(family, '_registered')} and on (account) {_LICENSES_READ}"


def never(scope: Scope, family: str) -> str:
    """Return the seconds since registration of each server that never checked in, after a day.

    This is not for products that are undated.
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


def without_checkin(scope: Scope, family: str) -> str:
    """Return the series of each server that is registered but has no check-in, which may be unknown.

    This is not for products that are undated.
    """
    if family == "kernelcare":
        created, last, server = "_server_created_timestamp_seconds", _LAST, "account, key, server_id"
    else:
        created, last, server = "_created_timestamp_seconds", "_last_checkin_timestamp_seconds", _LICENSE
    return f"{scope.series(family, created)} unless on ({server}) {scope.series(family, last)}"


def is_silent(scope: Scope, family: str) -> str:
    """Return the series of each server or license with a last check-in that is too old."""
    last = "_last_checkin_timestamp_seconds" if family == "ip_license" else _LAST
    return f"{scope.series(family, last)} {_before(family)}"


def _than(operator: str, age: str) -> str:
    return f"{operator} on (account) group_left () {age}"


def _before(family: str) -> str:
    """Return the condition for the last check-in of a silent server.

    It filters a large fleet first, because comparing is much cheaper than changing labels of 100,000 series.
    """
    return _than("<", f"(time() - {stale_after(family)})")


def _ages(scope: Scope, family: str) -> str:
    """Return the ages of the last check-ins of all silent servers, including superseded ones."""
    if family == "ip_license":
        return f"((time() - {last_checkins(scope, family)}) {_than('>', stale_after(family))})"
    return f"(time() - {scope.once(family, SERVER, _LAST, condition=_before(family))})"


def _registered_again() -> str:
    """Return the time of registration of each address with a single fresh KernelCare server, of any key.

    Only addresses that also have a silent server matter. Several fresh servers add up to about 2e12 or more.
    """
    silent = f"{_EVERYWHERE.series('kernelcare', _LAST, _HAS_IP)} {_before('kernelcare')}"
    created = _EVERYWHERE.series("kernelcare", "_server_created_timestamp_seconds", _HAS_IP)
    heard = _EVERYWHERE.series("kernelcare", _LAST, _HAS_IP)
    server = "on (account, key, server_id)"
    fresh = f"{created} and on (account, ip) ({silent}) unless {server} ({silent}) and {server} {heard}"
    return f"((sum by (account, ip) (1e12 + {once(SERVER, fresh)}) < 1.5e12) - 1e12)"


def superseded(scope: Scope) -> str:
    """Return the age of the last check-in of each superseded KernelCare server.

    Its address has a single fresh registration, of any key, that is newer than that check-in.
    """
    later = f"> on (account, ip) group_left () (time() - {_registered_again()})"
    return f"({_ages(scope, 'kernelcare')} {later} unless on (account, key) {DISABLED})"


def of_disabled(scope: Scope) -> str:
    """Return the age of the last check-in of each silent server of a disabled key."""
    return f"({_ages(scope, 'kernelcare')} and on (account, key) {DISABLED})"


def all_silent(scope: Scope, family: str) -> str:
    """Return the age of the last check-in of each silent server, including gone but not superseded ones."""
    silent = _ages(scope, family)
    if family != "kernelcare":
        return silent
    again = f"({scope.series(family, _LAST)} < on (account, ip) group_left () {_registered_again()})"
    return f"({silent} unless on (account, key) {DISABLED} unless on (account, key, server_id) {again})"


def silent(scope: Scope, family: str) -> str:
    """Return the age of the last check-in of each silent server that is not gone."""
    return f"({all_silent(scope, family)} {_than('<=', gone_after(family))})"


def newly_silent(scope: Scope, family: str) -> str:
    """Return the age of the last check-in of each newly silent server."""
    return f"({all_silent(scope, family)} {_than('<=', f'({stale_after(family)} + {policy.NEWLY_SILENT})')})"


def newly_among_silent(scope: Scope, family: str) -> str:
    """Return the age of the last check-in of each newly silent server that is not gone, if ``stale_after`` is long."""
    return f"({silent(scope, family)} {_than('<=', f'({stale_after(family)} + {policy.NEWLY_SILENT})')})"


def silent_before(scope: Scope, family: str) -> str:
    """Return the age of the last check-in of each silent server that is neither newly silent nor gone."""
    return f"({silent(scope, family)} {_than('>', f'({stale_after(family)} + {policy.NEWLY_SILENT})')})"


def long_silent(scope: Scope, family: str) -> str:
    """Return the age of the last check-in of each server that is gone."""
    return f"({all_silent(scope, family)} {_than('>', gone_after(family))})"
