"""The HTML of the status page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from cln_monitor import __version__
from cln_monitor.exporter.service import Service
from cln_monitor.exporter.target import Target, TargetId
from cln_monitor.probes import Observation, stale_after_of

from .assets import SCRIPT, STYLE, environment
from .charts import HEIGHT, WIDTH
from .formatting import Truncated
from .model import overview
from .probe_status import ProbeStatus
from .summary import Digest, digest

_MOST_ACCOUNTS = 25


class StatusPage:
    """Draws the page of ``service``. Safe between threads. ``is_demo``: what it shows is simulated, which it says."""

    def __init__(
        self, service: Service, telemetry_path: str, external_path: str | None = None, *, is_demo: bool = False
    ) -> None:
        self._service = service
        self._telemetry_path = telemetry_path
        self._base = "" if external_path is None else f"{external_path}/"
        self._is_demo = is_demo
        self._template = environment.get_template("status.html")
        self._digests: dict[TargetId, tuple[Observation[Any], Mapping[str, str], Digest]] = {}

    def render(self, account: str = "") -> str:
        """Return the HTML as things stand now, of one ``account`` where that is given."""
        self._service.expire()
        targets = list(self._service.targets.values())
        accounts = [each.name for each in self._service.config.accounts]
        shown = _of_account(targets, account)
        statuses = [self._status(target) for target in shown]
        ids = {target.id for target in targets}
        self._digests = {id_: known for id_, known in self._digests.items() if id_ in ids}
        unknown = account if account not in {"", *accounts} else ""
        return self._template.render(
            page=overview(statuses, self._service.now(), unknown, self._service.problems(shown)),
            account="" if unknown else account,
            is_all=not account,
            has_choice=bool(account) or len(accounts) > 1,
            account_names=Truncated.of(accounts, _MOST_ACCOUNTS),
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
        """Return how ``target`` stands; the digest of an observation is made once."""
        view = target.report(self._service.monotonic())
        if view.observation is None:
            return ProbeStatus(view, target.settings)
        known = self._digests.get(target.id)
        if known is None or known[0] is not view.observation or known[1] is not view.host_names:
            stale_after = stale_after_of(target.settings)
            made = digest(view.observation, math.inf if stale_after is None else stale_after, view.host_names)
            known = self._digests[target.id] = (view.observation, view.host_names, made)
        return ProbeStatus(view, target.settings, known[2])


def _of_account(targets: Sequence[Target], account: str) -> list[Target]:
    """Return the ``targets`` of an account, and those of CLN itself where that account is; all where it is empty."""
    apis = {target.id.api for target in targets if target.id.account == account}
    return [
        target
        for target in targets
        if not account or target.id.account == account or (not target.id.account and target.id.api in apis)
    ]
