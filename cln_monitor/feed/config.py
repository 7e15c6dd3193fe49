"""The configuration of ``cln-feed``: typed and strict, with errors that name the place, the reason, and what to do."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from cln_monitor.config import ConfigError, Exposed, SecretFile, Validator, is_world_readable, read_yaml
from cln_monitor.masking import masked
from cln_monitor.probes import Duration

from .exporter_settings import ExporterSettings, note_exposed, password_of, path_of, read_exporter, tls_of
from .services import Service, read_services
from .sinks import SINKS, SinkSettings

DEFAULT_CONFIG = Path("/etc/cln-monitor/cln-feed.yml")
FRESHNESS = 3
"""Results are valid for this many intervals; then the receiver sets its services to UNKNOWN."""
_SHORTEST_INTERVAL = 5.0


class _File(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a configuration file; the types of those that are read by hand do not matter."""

    exporter: str
    interval: Duration = Duration(60.0)
    sinks: str
    services: str


@dataclass(frozen=True, slots=True)
class FeedConfig:
    """The configuration: ``interval`` in seconds, the settings of each sink by name, and the services in order."""

    file: Path
    exporter: ExporterSettings
    interval: float
    sinks: Mapping[str, SinkSettings]
    services: tuple[Service, ...]
    exporter_tls: ssl.SSLContext | None = field(default=None, compare=False)
    exporter_password: SecretFile | None = field(default=None, compare=False)

    @property
    def ttl(self) -> float:
        """The number of seconds for which a result is valid."""
        return FRESHNESS * self.interval


def load_config(file: Path) -> FeedConfig:
    """Return the configuration in ``file``. Raises ConfigError, with everything that is wrong with it."""
    document = read_yaml(file)
    validator = Validator()
    top = validator.struct(_File, {} if document is None else document, "", skip=("exporter", "sinks", "services"))
    values: dict[Any, Any] = document if isinstance(document, dict) else {}
    base = file.absolute().parent
    exporter = read_exporter(validator, values.get("exporter"), file, base)
    sinks = _sinks(validator, values.get("sinks"), base)
    services = read_services(validator, values.get("services"))
    _refuse_readable_keys(validator, services, file)
    interval = float(top.get("interval", Duration(60.0)))
    if interval < _SHORTEST_INTERVAL:
        validator.note("interval", f"expected {_SHORTEST_INTERVAL:g}s or more")
    context, password = None, None
    if exporter is not None and not validator.problems:
        context = tls_of(validator, exporter)
        password = password_of(validator, exporter)
    if validator.problems or exporter is None:
        raise ConfigError(str(file), validator.problems)
    return FeedConfig(file, exporter, interval, sinks, tuple(services), context, password)


def _sinks(validator: Validator, value: object, base: Path) -> dict[str, SinkSettings]:
    if not isinstance(value, dict) or not value:
        validator.note("sinks", f"at least one is required, a mapping of {', '.join(SINKS)} to its settings")
        return {}
    validator.only_known(value, list(SINKS), "sinks")
    sinks = {}
    for name, kind in SINKS.items():
        if name not in value:
            continue
        before = len(validator.problems)
        fields = validator.struct(kind.settings, value[name], f"sinks.{name}")
        for field_ in kind.settings.files:
            if field_ in fields:
                fields[field_] = path_of(validator, fields[field_], f"sinks.{name}.{field_}", base)
        if len(validator.problems) > before:
            continue
        sinks[name] = kind.settings(**fields)
        for field_, problem in sinks[name].problems():
            validator.note(f"sinks.{name}.{field_}", problem)
    return sinks


def _refuse_readable_keys(validator: Validator, services: list[Service], file: Path) -> None:
    """Note each license key in full, as a key is a credential, if every user can read the configuration."""
    if not is_world_readable(file):
        return
    for service in services:
        if any(masked(key) != key for key in getattr(service.options, "key", ())):
            note_exposed(validator, Exposed(f"{service.place}.options.key", file.absolute()))
