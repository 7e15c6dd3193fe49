"""The status page as HTML."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from cln_monitor import __version__
from cln_monitor.exporter.service import Service
from cln_monitor.exporter.target import Target, TargetId
from cln_monitor.probes import Observation, stale_after_of
from cln_monitor.source_kinds import SOURCE_KINDS

from .assets import SCRIPT, STYLE, environment
from .charts import HEIGHT, WIDTH
from .formatting import Truncated
from .model import overview
from .probe_status import ProbeStatus
from .summary import Summary, summarize

_MAX_ACCOUNTS = 25


class StatusPage:
    """The renderer of the status page of ``service``; thread-safe. With ``is_demo`` it marks data as simulated."""

    def __init__(
        self, service: Service, telemetry_path: str, external_path: str | None = None, *, is_demo: bool = False
    ) -> None:
        self._service = service
        self._telemetry_path = telemetry_path
        self._base = "" if external_path is None else f"{external_path}/"
        self._is_demo = is_demo
        self._summaries: dict[TargetId, tuple[Observation[Any], Mapping[str, str], Summary]] = {}

    def render(self, account: str = "") -> str:
        """Return the current HTML, limited to one ``account`` unless it is empty."""
        self._service.refresh()
        targets = list(self._service.targets.values())
        accounts = self._service.config.names
        shown = _of_account(targets, account)
        statuses = [self._status(target) for target in shown]
        ids = {target.id for target in targets}
        self._summaries = {id_: known for id_, known in self._summaries.items() if id_ in ids}
        unknown = account if account not in {"", *accounts} else ""
        return environment.get_template("status.html").render(
            page=overview(statuses, self._service.now(), unknown, self._service.problems(shown)),
            account="" if unknown else account,
            is_all=not account,
            has_choice=bool(account) or len(accounts) > 1,
            kinds=[kind for kind in SOURCE_KINDS if self._service.config.sources_of(kind)],
            account_names=Truncated.from_rows(accounts, _MAX_ACCOUNTS),
            telemetry_path=self._telemetry_path.removeprefix("/"),
            base=self._base,
            shard=self._service.config.shard,
            version=__version__,
            is_demo=self._is_demo,
            style=STYLE,
            script=SCRIPT,
            chart_width=WIDTH,
            chart_height=HEIGHT,
        )

    def _status(self, target: Target) -> ProbeStatus:
        """Return the status of ``target``; the summary of each observation is cached."""
        view = target.report(self._service.monotonic(), with_progress=True)
        if view.observation is None:
            return ProbeStatus(view, target.settings)
        known = self._summaries.get(target.id)
        if known is None or known[0] is not view.observation or known[1] is not view.host_names:
            stale_after = stale_after_of(target.settings)
            summary = summarize(view.observation, math.inf if stale_after is None else stale_after, view.host_names)
            known = self._summaries[target.id] = (view.observation, view.host_names, summary)
        return ProbeStatus(view, target.settings, known[2])


def _of_account(targets: Sequence[Target], account: str) -> list[Target]:
    """Return the ``targets`` of ``account`` and of its API, or all if ``account`` is empty."""
    apis = {target.id.api for target in targets if target.id.account == account}
    return [
        target
        for target in targets
        if not account or target.id.account == account or (not target.id.account and target.id.api in apis)
    ]
