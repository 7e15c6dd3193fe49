"""Asks CLN, by the probes themselves, what an account can use, and makes the configuration of probes that fits it."""

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
from cln_monitor.policy import MOST_SKEW
from cln_monitor.probes import (
    PROBES,
    Observation,
    Probe,
    ProbeContext,
    run_probe,
)

from .concurrent import Gathering
from .exit_codes import Code
from .session import Session, skew_in_words

WORKS, NOT_AVAILABLE, FAILS, NOT_ASKED = "works", "not available", "fails", "not asked"
"""What there is to say of a probe."""
_WRONG = frozenset({"auth", "refused"})
_MOST_NAMED = 3
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:[ +-][A-Za-z0-9_+-]+)*")

_WORDS_OF_YAML = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


class Check(NamedTuple):
    """What asking by a ``probe`` came to."""

    probe: str
    result: str
    text: str


class AccountCheck:
    """Asks about the account of ``session``. ``checks`` are what came of it, ``probes`` the settings that fit."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._account = session.account
        clock = SystemClock()
        self._clients = ClientFactory(session.config, clock, session.redactor, self._observe)
        self._clock = clock
        self.checks: list[Check] = []
        self.probes: dict[str, dict[str, Any]] = {}
        self.code = Code.DONE
        self._skew: float | None = None
        self._is_known = False  # the account, to CLN
        self._is_pointless = False

    def run(self, gathering: Gathering) -> None:
        """Ask by each probe, until CLN cannot be reached or refuses the credentials. Raises SelectionError."""
        with Threads(self._session.config.concurrency - 1) as pool:
            for probe in PROBES.values():
                if self._is_pointless:
                    self._add(probe.name, NOT_ASKED, "it would fail in the same way")
                else:
                    self._judge(probe.name, self._ask(probe, gathering, pool))
        if self._is_pointless:
            self.probes = {}

    def _observe(self, exchange: Exchange) -> None:
        if exchange.clock_skew is not None:
            self._skew = exchange.clock_skew

    def _ask(self, probe: Probe[Any], gathering: Gathering, pool: Executor) -> Observation[Any]:
        settings = msgspec.structs.replace(self._account.probes[probe.name], enabled=True)
        if probe.per_account:
            context = self._clients.for_account(self._account, probe.name, settings)
        else:
            context = self._clients.for_api(self._session.config.api_url_of(self._account), settings)
        return run_probe(_Watched(probe, gathering), context, pool, self._clock).observation

    def _judge(self, name: str, seen: Observation[Any]) -> None:
        failure = seen.failure
        found = _FOUND[name]([part.value for part in seen.parts])
        absent = [each.subject for each in seen.unavailable]
        also = f"; not available: {_some(absent)}" if absent else ""
        if failure is None or _is_absent(name, seen):
            nothing = _NOTHING[name] if failure is None else failure.text
            is_off = name == "status" and self._skew is not None and abs(self._skew) > MOST_SKEW
            off = f"; {skew_in_words(self._skew or 0.0)}" if is_off else ""
            self._add(name, WORKS if found else NOT_AVAILABLE, (found or nothing) + also + off)
            self._is_known |= name != "status"
        else:
            self._is_pointless = name == "status" or (failure.reason == "auth" and not self._is_known)
            text = f"{failure.text}; works: {found}" if found else failure.text
            self._add(name, FAILS, text + also)
            is_wrong = any(missing.failure.reason in _WRONG for missing in seen.missing)
            self.code = Code.REFUSED if is_wrong or self.code is Code.REFUSED else Code.NOT_ASKED
        self.probes[name] = _fitting(name, seen, is_there=bool(found))

    def _add(self, probe: str, result: str, text: str) -> None:
        self.checks.append(Check(probe, result, self._session.redactor.scrub(text)))

    def block(self) -> list[str]:
        """Return the lines of the block ``probes:`` that fits the account."""
        return ["probes:", *(f"  {name}: {{{_inline(settings)}}}" for name, settings in self.probes.items())]


def _is_absent(name: str, seen: Observation[Any]) -> bool:
    """Tell whether all that failed is the list of a product, which CLN refuses: the account does not have that."""
    refused = [each for each in seen.missing if each.failure.reason == "refused" and not each.name]
    return name != "status" and len(refused) == len(seen.missing)


def _fitting(name: str, seen: Observation[Any], *, is_there: bool) -> dict[str, Any]:
    """Return the settings of a probe that fit what was seen of it; one that could not be asked stays as it is."""
    if not is_there:
        return {"enabled": seen.failure is not None and not _is_absent(name, seen)}
    if all(each.failure.reason == "refused" for each in seen.missing):
        if name == "patch_status":
            scopes = {part.value.scope for part in seen.parts}
            return {"enabled": True, "scopes": [scope for scope in ("key", "reseller") if scope in scopes]}
        if name == "els":
            return {"enabled": True, "products": [part.name for part in seen.parts if part.value.keys]}
    return {"enabled": True}


class _Watched:
    """A probe that shows on a bar how many of its parts are read."""

    def __init__(self, probe: Probe[Any], gathering: Gathering) -> None:
        self._probe, self._gathering = probe, gathering
        self.name, self.settings = probe.name, probe.settings
        self.per_account, self.is_sharded = probe.per_account, probe.is_sharded

    def plan(self, context: ProbeContext) -> Any:
        """Return the plan of the probe."""
        plan = self._probe.plan(context)
        self._gathering.expect(len(plan.readers))
        readers = {name: partial(self._read, reader) for name, reader in plan.readers.items()}
        return msgspec.structs.replace(plan, readers=readers)

    def _read(self, reader: Callable[[], Any]) -> Any:
        try:
            return reader()
        finally:
            self._gathering.advance()


def _number(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def _status(values: Sequence[Any]) -> str:
    flags = [flag for value in values for flag in value]
    if not flags:
        return ""
    bad = [flag.name for flag in flags if not flag.good]
    return f"CLN answers; {_number(len(flags), 'flag')}, " + (f"in a bad state: {_some(bad)}" if bad else "all good")


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


def _els(values: Sequence[Any]) -> str:
    found = [value for value in values if value.keys]
    return ", ".join(f"{value.product} ({_number(len(value.keys), 'key')})" for value in found)


def _groups(values: Sequence[Any]) -> str:
    return _number(len(values), "group") if values else ""


def _awp(values: Sequence[Any]) -> str:
    number = sum(count.billable for value in values for count in value.counts)
    return f"{number} billable this month" if number else ""


_FOUND: Mapping[str, Callable[[Sequence[Any]], str]] = {
    "status": _status,
    "kernelcare": _keys,
    "imunify": _keys,
    "patch_status": _patch_status,
    "ip_licenses": _licenses,
    "els": _els,
    "groups": _groups,
    "awp": _awp,
}
_NOTHING = {
    "status": "CLN tells no flags",
    "kernelcare": "the account has no keys",
    "imunify": "the account has no keys",
    "patch_status": "no key with a patch status, and no reseller access",
    "ip_licenses": "the account has no IP licenses",
    "els": "the account has no keys",
    "groups": "the account has no groups",
    "awp": "nothing is billed this month",
}


def _inline(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}: {_yaml(value)}" for name, value in settings.items())


def _yaml(value: object) -> str:
    """Return ``value`` as YAML has it between braces."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(_yaml, value))}]"
    text = str(value)
    return text if _PLAIN.fullmatch(text) and text.lower() not in _WORDS_OF_YAML else json.dumps(text)
