"""The services of the configuration: a host, a service, and the check with options whose result they show."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from typing import Any, Literal

import msgspec

from cln_monitor.checks.options import Option, values_of
from cln_monitor.checks.registry import MODULES, Plugin, load
from cln_monitor.config import Validator

KEY = "{key}"
"""The placeholder for the mask of a license key in the names of services with ``per: key``."""
CHECKS = [name for name in MODULES if name.startswith("check_")]
"""The checks that can be fed; the other plugins change something at CLN."""

_OF_THE_SOURCE = {
    "config",
    "login",
    "secret_key_file",
    "api_token",
    "api_url",
    "exporter",
    "proxy",
    "register",
    "timeout",
}
"""The options of plugins that say where data come from: here that is the exporter of the configuration."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service: its ``host`` and name, its check with the values of its options, and its place in the configuration.

    ``per_key`` is whether it defines a service for each license key; ``key`` is the mask of its key, if it is one of
    these.
    """

    place: str
    host: str
    service: str
    plugin: Plugin
    options: argparse.Namespace
    per_key: bool = False
    key: str = ""

    def for_key(self, key: str) -> Service:
        """Return the service for the license key whose mask is ``key``."""
        options = argparse.Namespace(**{**vars(self.options), "key": [key]})
        host, service = (name.replace(KEY, key) for name in (self.host, self.service))
        return replace(self, host=host, service=service, options=options, per_key=False, key=key)


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    host: str
    service: str
    check: str
    options: str = ""
    per: Literal["key"] | None = None


def read_services(validator: Validator, value: object) -> list[Service]:
    """Return the services in the list ``value`` of a configuration; note what is wrong with them."""
    if not isinstance(value, list) or not value:
        validator.note("services", "at least one is required, a list of mappings with host, service and check")
        return []
    found = [_service(validator, entry, f"services[{index}]") for index, entry in enumerate(value)]
    services = [service for service in found if service is not None]
    first: dict[tuple[str, str], Service] = {}
    for service in services:
        other = first.setdefault((service.host, service.service), service)
        if other is not service:
            validator.note(
                f"{service.place}.service",
                f"duplicate service {service.service} of host {service.host}; {other.place} has the same name",
            )
    return services


def _service(validator: Validator, entry: object, place: str) -> Service | None:
    before = len(validator.problems)
    fields = validator.struct(_Entry, entry, place, skip=("options",))
    if len(validator.problems) > before or not isinstance(entry, dict):
        return None
    _check_names(validator, fields, place)
    plugin = _plugin(validator, fields["check"], f"{place}.check")
    if plugin is None:
        return None
    per_key = fields.get("per") == "key"
    options = _options(validator, plugin, entry.get("options"), f"{place}.options")
    _check_keys(validator, plugin, fields, options, place)
    if len(validator.problems) > before:
        return None
    return Service(place, fields["host"], fields["service"], plugin, options, per_key)


def _check_names(validator: Validator, fields: dict[str, Any], place: str) -> None:
    for name, separators in (("host", ";!"), ("service", ";")):
        text = fields[name]
        if not text.strip() or text != text.strip():
            validator.note(f"{place}.{name}", "expected a name, without spaces around it")
        elif not text.isprintable() or set(separators) & set(text):
            validator.note(f"{place}.{name}", f"expected printable characters without {' and '.join(separators)}")


def _plugin(validator: Validator, name: str, place: str) -> Plugin | None:
    if name in CHECKS:
        return load(name)
    from difflib import get_close_matches  # noqa: PLC0415 # only a mistake needs it

    close = get_close_matches(name, CHECKS, n=1)
    hint = f"did you mean {close[0]}?" if close else f"expected one of: {', '.join(CHECKS)}"
    validator.note(place, f"unknown check; {hint}")
    return None


def _options(validator: Validator, plugin: Plugin, value: object, place: str) -> argparse.Namespace:
    known = {option.dest: option for option in plugin.options if option.dest not in _OF_THE_SOURCE}
    if value is None:
        value = {}
    if not isinstance(value, dict):
        validator.note(place, "expected a mapping of options to values, such as {account: acme}")
        value = {}
    of_source = [name for name in value if name in _OF_THE_SOURCE]
    for name in of_source:
        validator.note(f"{place}.{name}", "cannot be set: cln-feed reads the exporter of the configuration")
    validator.only_known({name: 0 for name in value if name not in of_source}, list(known), place)
    texts: dict[str, Any] = {}
    for name, option in known.items():
        if name in value:
            text = _text_of(validator, option, value[name], f"{place}.{name}")
            try:
                values_of([option], {} if text is None else {name: text})
            except ValueError as error:
                validator.note(f"{place}.{name}", str(error))
            else:
                texts |= {} if text is None else {name: text}
    return values_of(plugin.options, texts)


def _text_of(validator: Validator, option: Option, value: object, place: str) -> Any:
    """Return ``value`` as the texts of ``option``: one, a list of them, or a switch; None if it is not."""
    if option.metavar is None:
        return _switch(validator, option, value, place)
    values = value if option.repeatable and isinstance(value, list) else [value]
    texts = [str(one) if isinstance(one, str | int | float) and not isinstance(one, bool) else None for one in values]
    if None in texts:
        kind = "a text or a number, or a list of them" if option.repeatable else "a text or a number"
        validator.note(place, f"expected {kind}; put it in quotes")
        return None
    return texts if option.repeatable else texts[0]


def _switch(validator: Validator, option: Option, value: object, place: str) -> int | bool | None:
    if option.repeatable and isinstance(value, int) and 0 <= value <= 3:
        return int(value)
    if not option.repeatable and isinstance(value, bool):
        return value
    validator.note(place, "expected true, or a number from 0 to 3" if option.repeatable else "expected true or false")
    return None


def _check_keys(
    validator: Validator, plugin: Plugin, fields: dict[str, Any], options: argparse.Namespace, place: str
) -> None:
    """Note what is wrong with a service per license key, or with names that only such a service may have."""
    is_named = any(KEY in fields[name] for name in ("host", "service"))
    if fields.get("per") != "key":
        if is_named:
            validator.note(f"{place}.service", f"{KEY} in a name needs per: key")
        return
    if not any(option.dest == "key" and option.repeatable for option in plugin.options):
        validator.note(f"{place}.per", f"{plugin.name} has no option key")
    elif getattr(options, "key", None):
        validator.note(f"{place}.options.key", "cannot be combined with per: key")
    if not is_named:
        validator.note(f"{place}.service", f"needs {KEY} in it, or in host: each license key has a service of its own")
