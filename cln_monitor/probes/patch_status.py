"""The probe of the KernelCare patch status: whether the kernels of servers are up to date."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Literal

import msgspec

from cln_monitor.cln import (
    STATES,
    AuthorizationError,
    ClnError,
    KernelCareKey,
    PatchedHost,
    PatchStatus,
    ResellerNotFoundError,
    ServersNotFoundError,
)

from .observation import Failure, Missing
from .probe import NotAvailableError, Plan, ProbeContext, Reading, failure_of
from .redaction import redact_rows
from .settings import HOUR, MINUTE, DefaultList, Duration, ProbeSettings

Scope = Literal["key", "reseller"]
"""The servers that a state covers: those of one key, or all servers of the account."""

RESELLER = "(reseller)"  # not a possible key


class PatchState(msgspec.Struct, frozen=True):
    """The patch state of a key, or of the account. ``key`` is the key's label, ``""`` for the account.

    ``ok`` is whether all servers are up to date; ``counts`` are the numbers of servers by state, None if CLN returned
    no counts. ``is_listed`` is whether the key is in the account's list of keys and counts only its own servers, while
    a monitoring key may count those of several keys. ``is_disabled`` is whether CLN reports the key as disabled.
    """

    scope: Scope
    key: str
    ok: bool
    counts: dict[str, int] | None
    hosts: list[PatchedHost]
    is_listed: bool = True
    is_disabled: bool = False


class PatchStatusSettings(ProbeSettings, frozen=True, kw_only=True):
    """Settings of the probe ``patch_status``. ``scopes`` are those to request: keys, the reseller, or both."""

    interval: Duration = Duration(30 * MINUTE)
    max_age: Duration = Duration(2 * HOUR)
    scopes: list[Scope] = msgspec.field(default_factory=lambda: DefaultList(["key", "reseller"]))

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield the field and the problem of each invalid value."""
        yield from super().problems()
        if not self.scopes:
            yield "scopes", "expected key, reseller, or both; use enabled: false to disable the probe"


class PatchStatusProbe:
    """Reads the state of each KernelCare key of the account, each configured monitoring key, and the account."""

    name = "patch_status"
    settings = PatchStatusSettings
    per_account = True
    is_sharded = True

    def plan(self, context: ProbeContext) -> Plan[PatchState]:
        """Return one part per key and one for the account; without the list of keys, those that do not need it."""
        scopes = context.settings.scopes
        readers: dict[str, Callable[[], Reading[PatchState]]] = {}
        missing: list[Missing] = []
        if "key" in scopes and context.only_keys is not None:
            readers = {context.key_label(key): partial(_read_key, context, key) for key in context.only_keys}
        elif "key" in scopes:
            try:
                for secret in context.monitoring_keys():
                    monitoring_key = secret.reveal()
                    if context.wants(monitoring_key):
                        readers[context.key_label(monitoring_key)] = partial(
                            _read_monitoring_key, context, monitoring_key
                        )
            except (OSError, ValueError) as error:
                missing.append(Missing("", _unreadable(error)))
            try:
                keys = context.client.kernelcare.keys() if context.client.has_login else []
            except ClnError as error:
                missing.append(Missing("", failure_of(error)))
            else:
                own = [key for key in keys if context.wants(key.key)]
                listed = {context.key_label(key.key): partial(_read_listed_key, context, key) for key in own}
                # Listed keys come first, and replace the reader of a monitoring key that is also a listed key.
                readers = listed | readers | listed
        if "reseller" in scopes and context.reads(RESELLER):
            # "Reseller not found" means "no reseller account" only if CLN accepts the login in other calls.
            is_optional = isinstance(scopes, DefaultList) and not missing
            readers = {RESELLER: partial(_read_reseller, context, is_optional=is_optional)} | readers
        return Plan(readers, missing, list_known=not missing)


def _unreadable(error: OSError | ValueError) -> Failure:
    why = error.strerror if isinstance(error, OSError) else f"the file {error}"
    return Failure(AuthorizationError.reason, f"cannot read the monitoring keys: {why}")


def _read_reseller(context: ProbeContext, *, is_optional: bool) -> Reading[PatchState]:
    try:
        return _state("reseller", "", context, context.client.patch_status.for_reseller())
    except ResellerNotFoundError as error:
        if is_optional:
            raise NotAvailableError("reseller access", str(error)) from error
        raise


def _read_key(context: ProbeContext, key: str) -> Reading[PatchState]:
    return _state("key", context.key_label(key), context, context.client.patch_status.for_key(key))


def _read_monitoring_key(context: ProbeContext, key: str) -> Reading[PatchState]:
    reading = _read_key(context, key)
    return Reading(msgspec.structs.replace(reading.value, is_listed=False))


def _read_listed_key(context: ProbeContext, key: KernelCareKey) -> Reading[PatchState]:
    label = context.key_label(key.key)
    try:
        reading = _state("key", label, context, context.client.patch_status.for_key(key))
    except ServersNotFoundError as error:
        # CLN returns the same error for an unknown key and for a key without servers; the list of servers decides.
        if context.client.kernelcare.servers(key):
            if key.enabled is False:
                raise NotAvailableError(f"the patch status of the disabled key {label}", str(error)) from error
            raise
        reading = Reading(PatchState("key", label, ok=True, counts=dict.fromkeys(STATES, 0), hosts=[]))
    if key.enabled is False:
        return Reading(msgspec.structs.replace(reading.value, is_disabled=True))
    return reading


def _state(scope: Scope, key: str, context: ProbeContext, status: PatchStatus) -> Reading[PatchState]:
    hosts = redact_rows(context.client, status.hosts, "host", "ip", "state")
    return Reading(PatchState(scope, key, status.ok, status.counts, hosts))
