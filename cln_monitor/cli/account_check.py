"""The check of an account: runs the probes to find what the account can use, and builds the matching configuration."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Any, NamedTuple

import msgspec

from cln_monitor.cln import Exchange, SystemClock, Threads
from cln_monitor.config import ClientFactory
from cln_monitor.durations import format_skew
from cln_monitor.policy import MOST_SKEW
from cln_monitor.probes import (
    BY_PRODUCT,
    PROBES,
    WITHOUT_LOGIN,
    Observation,
    Probe,
    ProbeContext,
    run_probe,
)

from .concurrent import ConcurrentReader
from .exit_codes import ExitCode
from .session import Session

WORKS, NOT_AVAILABLE, FAILS, NOT_ASKED = "works", "not available", "fails", "not asked"
"""The results of a probe."""
_REFUSED = frozenset({"auth", "refused"})
_WITHOUT_LIST = frozenset({"status", "awp"})
_MOST_NAMED = 3
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:[ +-][A-Za-z0-9_+-]+)*")

_WORDS_OF_YAML = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


class Check(NamedTuple):
    """The ``result`` of a ``probe``, with a ``text`` that explains it."""

    probe: str
    result: str
    text: str


class AccountCheck:
    """Checks the account of ``session``. ``checks`` are the results, ``probes`` the matching settings by probe name."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._account = session.account
        clock = SystemClock()
        self._clients = ClientFactory(session.config, clock, session.redactor, self._observe)
        self._clock = clock
        self.checks: list[Check] = []
        self.probes: dict[str, dict[str, Any]] = {}
        self.code = ExitCode.DONE
        self._skew: float | None = None
        self._is_known = False  # whether CLN has accepted the account
        self._is_stopped = False
        self._is_status_refused = False

    def run(self, progress: ConcurrentReader) -> None:
        """Run each probe, until CLN cannot be reached or refuses the credentials. Raises SelectionError.

        The TuxCare portal refuses the status. An API that refuses everything is not CLN's, or is at another path.
        """
        with Threads(self._session.config.concurrency - 1) as pool:
            for probe in PROBES.values():
                if self._is_stopped:
                    self._add(probe.name, NOT_ASKED, "it would fail for the same reason")
                elif not self._account.has_login and probe.name not in WITHOUT_LOGIN:
                    self._add(probe.name, NOT_ASKED, "the account has no login and secret key")
                    self.probes[probe.name] = {"enabled": False}
                else:
                    self._evaluate(probe.name, self._run_probe(probe, progress, pool))
        if self._is_status_refused and not any(check.result == WORKS for check in self.checks):
            self.checks = [check._replace(result=FAILS) if check.probe == "status" else check for check in self.checks]
            self._is_stopped, self.code = True, ExitCode.REFUSED
        if self._is_stopped:
            self.probes = {}

    def _observe(self, exchange: Exchange) -> None:
        if exchange.clock_skew is not None:
            self._skew = exchange.clock_skew

    def _run_probe(self, probe: Probe[Any], progress: ConcurrentReader, pool: Executor) -> Observation[Any]:
        settings = msgspec.structs.replace(self._account.probes[probe.name], enabled=True)
        if probe.per_account:
            context = self._clients.for_account(self._account, probe.name, settings)
        else:
            context = self._clients.for_api(self._session.config.api_url_of(self._account), settings)
        return run_probe(_ProbeWithProgress(probe, progress), context, pool, self._clock).observation

    def _evaluate(self, name: str, observation: Observation[Any]) -> None:
        failure = observation.failure
        summary = _SUMMARIES[name]([part.value for part in observation.parts])
        absent = [part.subject for part in observation.unavailable]
        suffix = f"; not available: {_shortened(absent)}" if absent else ""
        if failure is None or _is_absent(name, observation):
            empty = _EMPTY[name] if failure is None else failure.text
            is_off = name == "status" and self._skew is not None and abs(self._skew) > MOST_SKEW
            clock = f"; CLN's clock is {format_skew(self._skew or 0.0)}" if is_off else ""
            self._add(name, WORKS if summary else NOT_AVAILABLE, (summary or empty) + suffix + clock)
            self._is_known |= name != "status"
            self._is_status_refused |= name == "status" and failure is not None
        else:
            self._is_stopped = name == "status" or (failure.reason == "auth" and not self._is_known)
            text = f"{failure.text}; works: {summary}" if summary else failure.text
            self._add(name, FAILS, text + suffix)
            is_refused = any(missing.failure.reason in _REFUSED for missing in observation.missing)
            self.code = ExitCode.REFUSED if is_refused or self.code is ExitCode.REFUSED else ExitCode.NOT_QUERIED
        self.probes[name] = _matching_settings(name, observation, is_available=bool(summary))

    def _add(self, probe: str, result: str, text: str) -> None:
        self.checks.append(Check(probe, result, self._session.redactor.scrub(text)))

    def block(self) -> list[str]:
        """Return the lines of the ``probes:`` block that matches the account."""
        return ["probes:", *(f"  {name}: {{{_inline(settings)}}}" for name, settings in self.probes.items())]


def _is_absent(name: str, observation: Observation[Any]) -> bool:
    """Return whether only lists of a product failed, which CLN refuses if the account does not have the product.

    The status and the months of AccelerateWP are in no list: where they are refused, the API does not have them.
    """
    refused = [part for part in observation.missing if part.failure.reason == "refused"]
    return all(not part.name or name in _WITHOUT_LIST for part in refused) and len(refused) == len(observation.missing)


def _matching_settings(name: str, observation: Observation[Any], *, is_available: bool) -> dict[str, Any]:
    """Return the settings of a probe that match its observation; a probe that failed stays enabled."""
    if not is_available:
        return {"enabled": observation.failure is not None and not _is_absent(name, observation)}
    if all(part.failure.reason == "refused" for part in observation.missing):
        if name == "patch_status":
            scopes = {part.value.scope for part in observation.parts}
            return {"enabled": True, "scopes": [scope for scope in ("key", "reseller") if scope in scopes]}
        if name in BY_PRODUCT:
            return {"enabled": True, "products": [part.name for part in observation.parts if part.value.keys]}
    return {"enabled": True}


class _ProbeWithProgress:
    """A probe whose reads advance a progress bar."""

    def __init__(self, probe: Probe[Any], progress: ConcurrentReader) -> None:
        self._probe, self._progress = probe, progress
        self.name, self.settings = probe.name, probe.settings
        self.per_account, self.is_sharded = probe.per_account, probe.is_sharded

    def plan(self, context: ProbeContext) -> Any:
        """Return the plan of the probe."""
        plan = self._probe.plan(context)
        self._progress.expect(len(plan.readers))
        readers = {name: partial(self._read, reader) for name, reader in plan.readers.items()}
        return msgspec.structs.replace(plan, readers=readers)

    def _read(self, reader: Callable[[], Any]) -> Any:
        try:
            return reader()
        finally:
            self._progress.advance()


def _number(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def _shortened(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def _status(values: Sequence[Any]) -> str:
    flags = [flag for value in values for flag in value]
    if not flags:
        return ""
    bad = [flag.name for flag in flags if not flag.good]
    return f"CLN answers; {_number(len(flags), 'flag')}, " + (
        f"in a bad state: {_shortened(bad)}" if bad else "all good"
    )


def _keys(values: Sequence[Any]) -> str:
    servers = sum(len(value.servers) for value in values)
    return f"{_number(len(values), 'key')}, {_number(servers, 'server')}" if values else ""


def _patch_status(values: Sequence[Any]) -> str:
    keys = sum(value.scope == "key" and value.is_listed for value in values)
    monitoring = sum(value.scope == "key" and not value.is_listed for value in values)
    parts = [
        _number(keys, "key") if keys else "",
        _number(monitoring, "monitoring key") if monitoring else "",
        "reseller access" if any(value.scope == "reseller" for value in values) else "",
    ]
    return ", ".join(filter(None, parts))


def _licenses(values: Sequence[Any]) -> str:
    number = sum(len(value.licenses) for value in values)
    return _number(number, "license") if number else ""


def _of_products(values: Sequence[Any]) -> str:
    found = [value for value in values if value.keys]
    return ", ".join(f"{value.product} ({_number(len(value.keys), 'key')})" for value in found)


def _groups(values: Sequence[Any]) -> str:
    return _number(len(values), "group") if values else ""


def _awp(values: Sequence[Any]) -> str:
    number = sum(count.billable for value in values for count in value.counts)
    return f"{number} billable this month" if number else ""


_SUMMARIES: Mapping[str, Callable[[Sequence[Any]], str]] = {
    "status": _status,
    "kernelcare": _keys,
    "imunify": _keys,
    "patch_status": _patch_status,
    "ip_licenses": _licenses,
    "els": _of_products,
    "groups": _groups,
    "awp": _awp,
    "cloudlinux": _of_products,
}
_EMPTY = {
    "status": "CLN reports no flags",
    "kernelcare": "the account has no keys",
    "imunify": "the account has no keys",
    "patch_status": "no key with a patch status, and no reseller access",
    "ip_licenses": "the account has no IP licenses",
    "els": "the account has no keys",
    "groups": "the account has no groups",
    "awp": "nothing is billed this month",
    "cloudlinux": "the account has no keys",
}


def _inline(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}: {_yaml(value)}" for name, value in settings.items())


def _yaml(value: object) -> str:
    """Return ``value`` as YAML of a flow mapping."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(_yaml, value))}]"
    text = str(value)
    return text if _PLAIN.fullmatch(text) and text.lower() not in _WORDS_OF_YAML else json.dumps(text)
