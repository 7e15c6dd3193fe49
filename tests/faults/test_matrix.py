"""Each fault, for all probes and all plugins: what they say, that it ends by itself, and what it costs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cln_monitor.probes import PROBES
from cln_monitor.simulator import Fault
from tests.exporter.parsing import Samples, parse
from tests.helpers.pages import keep_block
from tests.helpers.running import wait_until
from tests.helpers.small_cln import KEY

from .cases import CASES, Case
from .impatient import LARGEST_BODY, RESOLVER
from .page import Seen, figures_table, matrix_table
from .plugins import warm_plugins
from .world import INTERVAL, TIMEOUT, Figures, World, a_world, shown_secrets

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
SEEN: dict[str, Seen] = {}
"""What came of each fault of this run."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[World]:
    """One exporter, for all faults one after the other."""
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
    """What the exporter holds and shows before the first fault."""
    world.run_probes()
    world.run_plugins()
    return world.figures(), parse(world.exporter.metrics())


@pytest.fixture(autouse=True)
def _mended(world: World) -> Iterator[None]:
    """No fault outlives its test."""
    yield
    world.mend()


@pytest.mark.parametrize("name", CASES)
def test_fault(name: str, world: World, before: tuple[Figures, Samples]) -> None:
    """It is told by metrics, log and plugins in the words of the table, shows no secret, and passes by itself."""
    case = CASES[name]
    counted = failures(parse(world.exporter.metrics()))
    log_before = len(world.exporter.log)
    case.strike(world)
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
    seen = SEEN[name] = Seen(
        reasons={probe: view["failure"]["reason"] if view["failure"] else "" for probe, view in views.items()},
        states={plugin: outcome.state for plugin, outcome in (outcomes | by_exporter).items()},
        words=next((view["failure"]["text"] for view in reversed(views.values()) if view["failure"]), ""),
        longest=max(view["duration"] for view in views.values()),
        figures=world.figures(),
    )
    assert seen.reasons == {probe: case.reason_of(probe) for probe in PROBES}
    assert {plugin: outcome.state for plugin, outcome in outcomes.items()} == {
        plugin: case.state_of(plugin) for plugin in outcomes
    }
    for outcome in outcomes.values():
        if outcome.state == "UNKNOWN":
            assert re.search(case.says, outcome.text), outcome.text
    failed = [probe for probe, reason in seen.reasons.items() if reason]
    worst = "CRITICAL" if "auth" in seen.reasons.values() else "WARNING" if failed else "OK"
    assert by_exporter["check_cln_exporter"].state == worst
    assert by_exporter["check_cln_kernelcare --exporter"].state == "OK"  # it goes by what was read before
    assert case.least <= min(view["duration"] for view in views.values()) <= seen.longest < 50
    check_metrics(case, counted, samples, before[1])
    check_log(case, log)
    assert not {path: found for path, page in pages.items() if (found := shown_secrets(page))}
    assert world.elsewhere.connections == 0
    world.mend()
    seen.seconds_to_recover = world.wait_until_well()
    wait_until(lambda: log_of_recovery(world.exporter.log[log_before:]) >= set(failed), "the log to tell of it")


def failures(samples: Samples) -> dict[tuple[str, str], float]:
    """Return how often each probe has failed, by reason."""
    counted: dict[tuple[str, str], float] = {}
    for (name, pairs), value in samples.items():
        labels = dict(pairs)
        if name == "cln_probe_failures_total":
            counted[labels["probe"], labels["reason"]] = value
    return counted


def check_metrics(case: Case, counted: dict[tuple[str, str], float], samples: Samples, before: Samples) -> None:
    """The failures are counted under their reason alone, and what was read before is still there."""
    grown = {key for key, value in failures(samples).items() if value > counted[key]}
    assert grown == {(probe, case.reason_of(probe)) for probe in PROBES if case.reason_of(probe)}
    success = {dict(pairs)["probe"]: value for (name, pairs), value in samples.items() if name == "cln_probe_success"}
    assert success == {probe: not case.reason_of(probe) for probe in PROBES}
    if case.reason:
        assert {name for name, _ in before} <= {name for name, _ in samples}
    (skew,) = [value for (name, _), value in samples.items() if name == "cln_api_clock_skew_seconds"]
    if case.skew:
        assert abs(skew - case.skew) < 10


def check_log(case: Case, log: str) -> None:
    """A line names probe, reason and cause; what goes on is not said to have failed; no secret and no traceback."""
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
    """Return the probes of which the log says that they succeeded after they had failed."""
    return set(re.findall(r'level=info msg="probe succeeded".* probe=(\S+)', log))


PATHS = {
    "status": "/status.*",
    "imunify": "/im/*",
    "ip_licenses": "/ipl/*",
    "els": "/els/*",
    "awp": "/cl/*",
    "patch_status": "/kcare/nagios*",
}
"""The probes whose calls are theirs alone."""


@pytest.mark.parametrize("probe", PATHS)
def test_one_product_alone(probe: str, world: World) -> None:
    """What befalls the calls of one product fails its probe and no other."""
    world.strike("html", PATHS[probe])
    views = world.run_probes()
    assert [name for name, view in views.items() if view["failure"]] == [probe]


def test_one_product_that_hangs(world: World) -> None:
    """The others are polled meanwhile as often as ever."""
    fault = world.simulator.faults.add(Fault("hang", "/kcare/*"))
    wait_until(lambda: fault.struck, "the first call that hangs")
    began = world.simulator.now()
    runs: dict[str, set[float]] = {}

    def look() -> bool:
        for name, view in world.views().items():
            runs.setdefault(name, set()).add(view["last_run"])
        often = {name for name, started in runs.items() if len(started) >= 3}
        return often >= {"status", "imunify", "ip_licenses", "els", "awp"}

    wait_until(look, "the others to be polled again and again")
    assert world.simulator.now() - began < 2 * TIMEOUT  # who waited for those that hang would have taken more


MOST_THREADS = 4 + 3 * len(PROBES) + 8
"""Threads of the exporter: its own (the loop, the schedule, its heart, the state), one a poll, one a request of those
that come at a time (a probe each), one a poll for the calls under way (some keys more than one), and some to spare."""


def test_nothing_stays(world: World, before: tuple[Figures, Samples]) -> None:
    """Neither threads nor open files, nor a secret in the arguments of the process."""
    world.wait_until_well()
    first, peak = before[0], world.figures().peak
    assert peak < (3000 if world.long else 700)
    wait_until(lambda: world.figures().threads <= MOST_THREADS, f"{MOST_THREADS} threads at most, between two polls")
    wait_until(lambda: world.figures().files <= first.files + 16, f"{first.files + 16} files at most")
    command = (Path("/proc") / str(world.exporter.process.pid) / "cmdline").read_text(encoding="utf-8")
    assert not shown_secrets(command)
    assert KEY not in command


def test_page(world: World, request: pytest.FixtureRequest) -> None:
    """The documentation has what came of each fault; the figures are those of the long run."""
    if set(SEEN) != set(CASES):
        pytest.fail("the table is made of all faults: run the whole file", pytrace=False)
    update = request.config.getoption("--update-golden")
    keep_block(PAGE, "matrix", matrix_table(SEEN), update=update)
    if world.long and update:
        keep_block(PAGE, "figures", figures_table(SEEN), update=True)
