"""The HTML of the status page, and what a browser may do with it."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cln_monitor import __version__
from cln_monitor.exporter.service import Service
from cln_monitor.exporter.target import Target, TargetId
from cln_monitor.probes import Observation

from .charts import HEIGHT, WIDTH
from .model import overview
from .probe_status import ProbeStatus
from .summary import Digest, digest

_loader = PackageLoader("cln_monitor.exporter.web.status_page")
_environment = Environment(
    loader=_loader,
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def _source(name: str) -> str:
    return _loader.get_source(_environment, name)[0]


_STYLE, _SCRIPT = _source("status.css"), _source("status.js")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


POLICY = (
    f"default-src 'none'; style-src {_hash(_STYLE)}; script-src {_hash(_SCRIPT)}; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The Content-Security-Policy of the page: its own style and script and no others, whatever CLN sends."""


class StatusPage:
    """Draws the page of ``service``. Safe between threads."""

    def __init__(self, service: Service, telemetry_path: str, external_path: str | None = None) -> None:
        self._service = service
        self._telemetry_path = telemetry_path
        self._base = "" if external_path is None else f"{external_path}/"
        self._template = _environment.get_template("status.html")
        self._digests: dict[TargetId, tuple[Observation[Any], Digest]] = {}

    def render(self) -> str:
        """Return the HTML as things stand now."""
        self._service.expire()
        targets = list(self._service.targets.values())
        seen = [self._seen(target) for target in targets]
        ids = {target.id for target in targets}
        self._digests = {id_: known for id_, known in self._digests.items() if id_ in ids}
        return self._template.render(
            page=overview(seen, self._service.now()),
            telemetry_path=self._telemetry_path.removeprefix("/"),
            base=self._base,
            shard=self._service.config.shard,
            version=__version__,
            style=Markup(_STYLE),  # noqa: S704 # our own files
            script=Markup(_SCRIPT),  # noqa: S704
            chart_width=WIDTH,
            chart_height=HEIGHT,
        )

    def _seen(self, target: Target) -> ProbeStatus:
        """Return how ``target`` stands; the digest of an observation is made once."""
        view = target.view(self._service.monotonic())
        if view.observation is None:
            return ProbeStatus(view, target.settings)
        known = self._digests.get(target.id)
        if known is None or known[0] is not view.observation:
            known = self._digests[target.id] = (view.observation, digest(view.observation))
        return ProbeStatus(view, target.settings, known[1])
