"""What a fault of the ePortal or of the patch server leads to in the metrics, the log, the page and the plugins."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.checks.running import Outcome
from tests.exporter.parsing import Samples, parse

from .eportal import CVE, NAME
from .eportal_cases import NOT_READ, EportalCase
from .world import View, World, shown_secrets

_LOG = r'msg="probe failed".* probe=eportal .*reason={} error="?(?P<error>.*)'


@dataclass(frozen=True)
class EportalEffects:
    """The effects of a fault: the state of the probe, the outcomes of plugins, the samples, the page and the log.

    ``level`` is that of a patch that a server loaded just before; ``before`` are the samples before the fault.
    """

    level: int
    view: View
    outcomes: Mapping[str, Outcome]
    before: Samples
    samples: Samples
    page: str
    log: str

    @property
    def reason(self) -> str:
        """Why the probe fails, "" if it succeeds."""
        return self.view["failure"]["reason"] if self.view["failure"] else ""

    @property
    def states(self) -> Mapping[str, str]:
        """The states of the plugins."""
        return {plugin: outcome.state for plugin, outcome in self.outcomes.items()}

    @property
    def words(self) -> str:
        """The message in the log, or else what ``check_cln_cve`` says of the patch server; "" for none."""
        if self.view["failure"]:
            return str(self.view["failure"]["text"])
        found = re.search(rf"[^;]*{NOT_READ}.*", self.outcomes["check_cln_cve"].text)
        return found[0].strip() if found else ""


def values_of(samples: Samples, name: str, label: str, **labels: str) -> dict[str, float]:
    """Return the values of the series ``name`` with ``labels`` by their ``label``."""
    found = [(dict(pairs), value) for (sample, pairs), value in samples.items() if sample == name]
    return {own[label]: value for own, value in found if own.items() >= labels.items()}


def effects_of(case: EportalCase, world: World) -> EportalEffects:
    """Inject the fault while a server loads a new patch, and return its effects."""
    before, log_before = parse(world.exporter.metrics()), len(world.exporter.log)
    level = world.eportal.roll_out()
    world.eportal.simulator.clear_requests()
    case.inject(world)
    with ThreadPoolExecutor(1) as beside:
        running = beside.submit(world.run_eportal_plugins)
        view, outcomes = world.read_eportal(), running.result()
    outcomes |= world.run_eportal_plugins_by_exporter()
    samples = parse(world.exporter.metrics())
    page = html.unescape(world.exporter.ask(f"/?account={NAME}").text)
    return EportalEffects(level, view, outcomes, before, samples, page, world.exporter.log[log_before:])


def check_plugins(case: EportalCase, effects: EportalEffects) -> None:
    """Check that plugins that read the ePortal say what is unknown and why, and that the others have the last data."""
    direct, unknown = "UNKNOWN" if case.reason else "OK", "UNKNOWN" if case.unknown else "OK"
    assert effects.states == {
        "check_cln_eportal": direct,
        "check_cln_cve": "UNKNOWN" if case.reason else unknown,
        "check_cln_eportal --exporter": "OK",
        "check_cln_cve --exporter": unknown,
        "check_cln_exporter": {"": "OK", "auth": "CRITICAL"}.get(case.reason, "WARNING"),
    }
    of_exporter = effects.outcomes["check_cln_exporter"].text
    assert (f"eportal of {NAME}" in of_exporter) == bool(case.reason), of_exporter
    for plugin in ("check_cln_eportal", "check_cln_cve") if case.says else ():
        assert re.search(case.says, effects.outcomes[plugin].text), effects.outcomes[plugin].output
    for plugin in ("check_cln_cve", "check_cln_cve --exporter"):
        counts = {label: item.value for label, item in effects.outcomes[plugin].perfdata.items()}
        assert counts.get("not_fixed", 0) == 0, "what is unknown is never told as not fixed"
        if effects.states[plugin] == "UNKNOWN" and counts.get("servers"):
            assert counts["unknown"] >= 1
            assert counts["fixed"] + counts["unknown"] == counts["servers"]
    assert not {plugin: found for plugin, run in effects.outcomes.items() if (found := shown_secrets(run.output))}


def check_eportal_metrics(case: EportalCase, effects: EportalEffects, world: World) -> None:
    """Check that failures are counted under their reason, levels are shown, and a CVE is unknown and never fixed."""
    samples = effects.samples
    assert values_of(samples, "cln_probe_success", "probe", probe="eportal") == {"eportal": float(not case.reason)}
    before, failures = (
        values_of(when, "cln_probe_failures_total", "reason", probe="eportal") for when in (effects.before, samples)
    )
    grown = [reason for reason, value in failures.items() if value > before[reason]]
    assert grown == [case.reason] * bool(case.reason)
    first, levels = world.eportal.first, values_of(samples, "cln_eportal_server_patch_level", "server_id")
    expected = world.eportal.simulator.eportal.servers.keys() - (set() if first.reports_level else {first.server_id})
    assert levels.keys() == expected
    # The last levels if the ePortal cannot be read, else the present ones.
    assert levels.get(first.server_id, effects.level) == effects.level - bool(case.reason)
    coverage = values_of(samples, "cln_cve_servers", "state", cve=CVE)
    assert coverage == {"fixed": 3.0 - case.unknown, "not_fixed": 0.0, "unknown": float(case.unknown)}
    cautions = values_of(samples, "cln_probe_cautions", "fact", probe="eportal")
    assert cautions.keys() == ({"patches_unreadable"} if case.says and not case.reason else set())


def check_page_and_log(case: EportalCase, effects: EportalEffects) -> None:
    """Check that the page has the coverage and the failure, and that the log has its cause and no secret."""
    shown = "fixed on 2, unknown on 1" if case.unknown else "fixed on 3"
    assert f"{CVE}</span> {shown}" in effects.page
    failed = re.search(_LOG.format(case.reason), effects.log)
    assert bool(failed) == bool(case.reason), effects.log
    for text in (effects.page, failed["error"] if failed else "") if case.reason else ():
        assert re.search(case.says, text), text
    assert not shown_secrets(effects.log)
    assert not shown_secrets(effects.page)
    assert "Traceback" not in effects.log


def check_recovery(case: EportalCase, effects: EportalEffects, world: World) -> None:
    """Check that the next poll has the new patch, and that the patch server was sent no credentials."""
    world.eportal.mend()
    view = world.read_eportal()
    assert view["failure"] is None
    samples, first = parse(world.exporter.metrics()), world.eportal.first.server_id
    assert values_of(samples, "cln_eportal_server_patch_level", "server_id")[first] == effects.level
    coverage = values_of(samples, "cln_cve_servers", "state", cve=CVE)
    assert coverage == {"fixed": 3.0 - case.is_kept, "not_fixed": 0.0, "unknown": float(case.is_kept)}
    assert values_of(samples, "cln_probe_cautions", "fact", probe="eportal") == {}
    for request in world.eportal.simulator.requests:
        assert request.method == "GET"
        assert ("x-api-key" in request.headers) == (not request.path.startswith("/patches/"))
        assert not (request.path.startswith("/patches/") and shown_secrets(repr((request.headers, request.target))))
