"""The effects of each fault on all probes and plugins, the recovery from it, and its cost."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cln_monitor.probes import PROBES
from cln_monitor.simulator import Fault
from tests.exporter.parsing import Samples, parse
from tests.helpers import promtool, servers
from tests.helpers.alert_rules import load_rules
from tests.helpers.pages import keep_block
from tests.helpers.running import wait_until
from tests.helpers.small_cln import KEY

from .cases import CASES, Case
from .eportal_alerts import story_of
from .eportal_cases import EPORTAL_CASES, PATCH_CASES
from .eportal_effects import (
    EportalEffects,
    check_eportal_metrics,
    check_page_and_log,
    check_plugins,
    check_recovery,
    effects_of,
)
from .impatient import LARGEST_BODY, RESOLVER
from .page import Result, eportal_table, figures_table, matrix_table
from .plugins import warm_plugins
from .world import INTERVAL, TIMEOUT, Figures, World, a_world, shown_secrets

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
SEEN: dict[str, Result] = {}
"""The result of each fault in this run."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[World]:
    """Yield one environment with an exporter for all faults."""
    folder = tmp_path_factory.mktemp("faults")
    resolver_fails = folder / "resolver-fails"
    long = request.config.getoption("--long")
    with pytest.MonkeyPatch.context() as patching:
        patching.setenv(RESOLVER, str(resolver_fails))
        if not long:
            patching.setenv(LARGEST_BODY, str(8 << 20))
        with warm_plugins() as plugins, a_world(folder, plugins, resolver_fails, long=long) as world:
            yield world


@pytest.fixture(scope="module")
def before(world: World) -> tuple[Figures, Samples]:
    """Return the figures and metrics of the exporter before the first fault."""
    world.run_probes()
    world.run_plugins()
    return world.figures(), parse(world.exporter.metrics())


@pytest.fixture(autouse=True)
def _mended(world: World) -> Iterator[None]:
    """Remove all faults after each test, unless the test has done so: it closes the connections of running probes."""
    world.is_mended = False
    yield
    if not world.is_mended:
        world.mend()
    world.eportal.mend()


@pytest.mark.parametrize("name", CASES)
def test_fault(name: str, world: World, before: tuple[Figures, Samples]) -> None:
    """Metrics, log and plugins report the fault as in the table, without secrets, and probes recover after it."""
    case = CASES[name]
    counted = failures(parse(world.exporter.metrics()))
    log_before = len(world.exporter.log)
    case.inject(world)
    with ThreadPoolExecutor(1) as beside:
        if case.heavy:
            views = world.run_probes()
            outcomes = world.run_plugins()
        else:
            running = beside.submit(world.run_plugins)
            views, outcomes = world.run_probes(), running.result()
    by_exporter = world.run_plugins_by_exporter()
    pages = world.pages()
    samples = parse(pages["/metrics"])
    log = world.exporter.log[log_before:]
    result = SEEN[name] = Result(
        reasons={probe: view["failure"]["reason"] if view["failure"] else "" for probe, view in views.items()},
        states={plugin: outcome.state for plugin, outcome in (outcomes | by_exporter).items()},
        words=next((view["failure"]["text"] for view in reversed(views.values()) if view["failure"]), ""),
        longest=max(view["duration"] for view in views.values()),
        figures=world.figures(),
    )
    assert result.reasons == {probe: case.reason_of(probe) for probe in PROBES}
    assert {plugin: outcome.state for plugin, outcome in outcomes.items()} == {
        plugin: case.state_of(plugin) for plugin in outcomes
    }
    for outcome in outcomes.values():
        if outcome.state == "UNKNOWN":
            assert re.search(case.says, outcome.text), outcome.text
    failed = [probe for probe, reason in result.reasons.items() if reason]
    worst = "CRITICAL" if "auth" in result.reasons.values() else "WARNING" if failed else "OK"
    assert by_exporter["check_cln_exporter"].state == worst
    assert by_exporter["check_cln_kernelcare --exporter"].state == "OK"  # it uses the data of the last success
    assert case.least <= min(view["duration"] for view in views.values()) <= result.longest < 50
    check_metrics(case, counted, samples, before[1])
    check_log(case, log)
    assert not {path: found for path, page in pages.items() if (found := shown_secrets(page))}
    assert world.elsewhere.connections == 0
    world.mend()
    result.seconds_to_recover = world.wait_until_well()
    wait_until(lambda: log_of_recovery(world.exporter.log[log_before:]) >= set(failed), "the log to tell of it")


def failures(samples: Samples) -> dict[tuple[str, str], float]:
    """Return the number of failures of each probe by reason."""
    counted: dict[tuple[str, str], float] = {}
    for (name, pairs), value in samples.items():
        labels = dict(pairs)
        if name == "cln_probe_failures_total":
            counted[labels["probe"], labels["reason"]] = value
    return counted


def check_metrics(case: Case, counted: dict[tuple[str, str], float], samples: Samples, before: Samples) -> None:
    """Check that failures are counted under their reason only, and that previous data is still exposed."""
    grown = {key for key, value in failures(samples).items() if value > counted[key]}
    assert grown == {(probe, case.reason_of(probe)) for probe in PROBES if case.reason_of(probe)}
    success = {dict(pairs)["probe"]: value for (name, pairs), value in samples.items() if name == "cln_probe_success"}
    assert success == {probe: not case.reason_of(probe) for probe in PROBES} | {"eportal": True}
    if case.reason:
        assert {name for name, _ in before} <= {name for name, _ in samples}
    skews = [value for (name, _), value in samples.items() if name == "cln_api_clock_skew_seconds"]
    assert len(skews) == 2  # of CLN and of the ePortal
    if case.skew:
        assert abs(max(skews, key=abs) - case.skew) < 10


def check_log(case: Case, log: str) -> None:
    """Check that each failed probe is logged with its reason and cause, and that no secret or traceback is logged."""
    failed = {
        (found["probe"], found["reason"]): found["error"]
        for found in re.finditer(
            r'msg="probe failed".* probe=(?P<probe>\S+) .*reason=(?P<reason>\S+) error="?(?P<error>.*)', log
        )
    }
    assert set(failed) == {(probe, case.reason_of(probe)) for probe in PROBES if case.reason_of(probe)}
    for error in failed.values():
        assert re.search(case.says, error), error
    assert 'msg="poll skipped; the previous run is still in progress"' in log or case.least <= INTERVAL
    assert not shown_secrets(log)
    assert "Traceback" not in log
    assert "level=error" not in log


def log_of_recovery(log: str) -> set[str]:
    """Return the probes whose recovery is logged."""
    return set(re.findall(r'level=info msg="probe succeeded".* probe=(\S+)', log))


SOURCES = {"eportal": ("ePortal", EPORTAL_CASES), "patches": ("patch server", PATCH_CASES)}
EPORTAL_FAULTS = {f"{source} {name}": case for source, (_, cases) in SOURCES.items() for name, case in cases.items()}
SEEN_OF_EPORTAL: dict[str, EportalEffects] = {}
"""The effects of each fault of the ePortal and of the patch server in this run."""


@pytest.fixture(scope="module")
def well(world: World) -> tuple[float, Samples]:
    """Return the time and the metrics before the first fault of the ePortal."""
    world.read_eportal()
    return time.time(), parse(world.exporter.metrics())


@pytest.mark.parametrize("name", EPORTAL_FAULTS)
@pytest.mark.usefixtures("well")
def test_fault_of_the_eportal(name: str, world: World) -> None:
    """A fault of the ePortal keeps the last data, and one of the patch server makes CVEs unknown, never fixed."""
    world.is_mended = True  # it has no fault of CLN
    case = EPORTAL_FAULTS[name]
    effects = effects_of(case, world)
    assert effects.reason == case.reason
    assert case.least <= effects.view["duration"] < 50
    check_plugins(case, effects)
    check_eportal_metrics(case, effects, world)
    check_page_and_log(case, effects)
    assert world.elsewhere.connections == 0
    check_recovery(case, effects, world)
    SEEN_OF_EPORTAL[name] = effects


def test_alerts_about_the_eportal(well: tuple[float, Samples], tmp_path: Path) -> None:
    """After a day of each fault exactly the alert in the table fires."""
    if reason := servers.reason_to_skip(("prometheus",)):
        pytest.skip(reason)
    assert SEEN_OF_EPORTAL, "run the faults as well"
    faults = {name: (EPORTAL_FAULTS[name], effects) for name, effects in SEEN_OF_EPORTAL.items()}
    files = promtool.write_stories(tmp_path, [story_of(faults, well)], load_rules(), "1h")
    code, output = promtool.run("test", "rules", *files, directory=tmp_path)
    assert code == 0, output


PATHS = {
    "status": "/status.*",
    "imunify": "/im/*",
    "ip_licenses": "/ipl/*",
    "els": "/els/*",
    "awp": "/cl/*",
    "cloudlinux": "/v2/*",
    "patch_status": "/kcare/nagios*",
}
"""The probes that share no calls with others."""


@pytest.mark.parametrize("probe", PATHS)
def test_one_product_alone(probe: str, world: World) -> None:
    """A fault of the calls of one product fails only its probe."""
    world.inject("html", PATHS[probe])
    views = world.run_probes()
    assert [name for name, view in views.items() if view["failure"]] == [probe]


def test_one_product_that_hangs(world: World) -> None:
    """While one product hangs, the others are polled as often as before."""
    fault = world.simulator.faults.add(Fault("hang", "/kcare/*"))
    wait_until(lambda: fault.struck, "the first call that hangs")
    began = world.simulator.now()
    runs: dict[str, set[float]] = {}

    def look() -> bool:
        for name, view in world.views().items():
            runs.setdefault(name, set()).add(view["last_run"])
        often = {name for name, started in runs.items() if len(started) >= 3}
        return often >= {"status", "imunify", "ip_licenses", "els", "awp", "cloudlinux"}

    wait_until(look, "the others to be polled again and again")
    assert world.simulator.now() - began < 2 * TIMEOUT  # polls that waited for a hanging one would take longer


MOST_THREADS = 4 + 3 * len(PROBES) + 8
"""Threads of the exporter: its own (event loop, scheduler, watchdog, state), one per poll, one per request (one
per probe), one per poll for its calls (more for some keys), and some in reserve."""


def test_nothing_stays(world: World, before: tuple[Figures, Samples]) -> None:
    """After all faults, threads and open files are as before, and the command line has no secret."""
    world.wait_until_well()
    first, peak = before[0], world.figures().peak
    assert peak < (3000 if world.long else 700)
    wait_until(lambda: world.figures().threads <= MOST_THREADS, f"{MOST_THREADS} threads at most, between two polls")
    wait_until(lambda: world.figures().files <= first.files + 16, f"{first.files + 16} files at most")
    command = (Path("/proc") / str(world.exporter.process.pid) / "cmdline").read_text(encoding="utf-8")
    assert not shown_secrets(command)
    assert KEY not in command


def test_page(world: World, request: pytest.FixtureRequest) -> None:
    """The documentation has the results of each fault; its figures are those of the long run."""
    if set(SEEN) != set(CASES) or set(SEEN_OF_EPORTAL) != set(EPORTAL_FAULTS):
        pytest.fail("the table is made of all faults: run the whole file", pytrace=False)
    update = request.config.getoption("--update-golden")
    keep_block(PAGE, "matrix", matrix_table(SEEN), update=update)
    for source, (title, cases) in SOURCES.items():
        effects = {name: SEEN_OF_EPORTAL[f"{source} {name}"] for name in cases}
        keep_block(PAGE, source, eportal_table(title, cases, effects), update=update)
    if world.long and update:
        keep_block(PAGE, "figures", figures_table(SEEN), update=True)
