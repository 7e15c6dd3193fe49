"""The page an operator opens first: how each probe stands, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from jinja2 import Environment, PackageLoader, StrictUndefined

from .service import Service
from .target import Target

_environment = Environment(
    loader=PackageLoader("cln_monitor.exporter"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


@dataclass(frozen=True, slots=True)
class _Row:
    account: str
    api: str
    probe: str
    state: str
    verdict: str
    last_run: str
    last_success: str
    parts: int


def status_page(service: Service, telemetry_path: str) -> str:
    """Return the HTML of the status page."""
    service.page()  # drops what is too old
    return _environment.get_template("status.html").render(
        rows=[_row(target) for target in list(service.targets.values())],
        telemetry_path=telemetry_path,
        version=version("cln-monitor"),
    )


def _row(target: Target) -> _Row:
    run = target.last_run
    failure = None if run is None else run.failure
    if run is None:
        state, verdict = "waiting", "has not run yet"
    elif failure is None:
        state, verdict = "ok", "ok"
    else:
        state, verdict = "failed", f"{failure.reason}: {failure.text}"
    return _Row(
        account=target.id.account,
        api=target.id.api,
        probe=target.id.probe,
        state=state,
        verdict=verdict,
        last_run=_moment(None if run is None else run.started_at),
        last_success=_moment(target.last_success),
        parts=len(target.observation.parts) if target.observation else 0,
    )


def _moment(seconds: float | None) -> str:
    return "never" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
