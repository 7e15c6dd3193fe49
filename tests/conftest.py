"""Shared fixtures and options: golden files, and a summary of skipped tests."""

import difflib
import os
from collections import Counter
from collections.abc import Callable, Generator
from pathlib import Path

import hypothesis
import pytest

from tests.helpers.clock import TickingClock
from tests.helpers.environment import normalize
from tests.helpers.package import Package, build

normalize()

pytest_plugins = ["pytester", "tests.helpers.failure_report", "tests.helpers.garbage", "tests.helpers.processes"]

# An example may take as long as the machine makes it.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")

_GOLDEN = Path(__file__).parent / "golden"
_DIFF_LINES = 60


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options --update-golden and --long."""
    parser.addoption("--update-golden", action="store_true", help="write what the tests made to tests/golden")
    parser.addoption("--long", action="store_true", help="run the long form of the tests that have one")


@pytest.fixture
def call_clock(monkeypatch: pytest.MonkeyPatch) -> TickingClock:
    """Replace the clock for the deadlines of calls to CLN by a clock that never advances.

    A deadline is then reached only by waiting for data that never arrives, however slow the machine is.
    """
    clock = TickingClock()
    monkeypatch.setattr("cln_monitor.cln.http.sockets.time", clock)
    return clock


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with a golden file, or write the file with --update-golden: golden(name, text)."""

    def compare(name: str, text: str) -> None:
        file = _GOLDEN / name
        if request.config.getoption("--update-golden"):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode())
            return
        if not file.exists():
            pytest.fail(f"tests/golden/{name} is not there: pytest --update-golden writes it", pytrace=False)
        expected = file.read_bytes().decode()
        if text != expected:
            diff = difflib.unified_diff(
                expected.splitlines(), text.splitlines(), f"tests/golden/{name}", "this run", lineterm=""
            )
            lines = list(diff) or ["they differ in the ends of their lines"]
            more = [f"… and {len(lines) - _DIFF_LINES} lines more"] if len(lines) > _DIFF_LINES else []
            pytest.fail(
                "\n".join(
                    [
                        "differs from the golden file; use pytest --update-golden to write it",
                        *lines[:_DIFF_LINES],
                        *more,
                    ]
                ),
                pytrace=False,
            )

    return compare


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """Return the sdist and the wheel of this checkout."""
    return build(tmp_path_factory.mktemp("package"))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None]:
    """Print the skipped tests with their reasons, and fail the run if tests are skipped with CI=true."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    forbidden = bool(skipped) and os.environ.get("CI") == "true"
    if forbidden and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    yield
    if skipped:
        terminal = session.config.get_terminal_writer()
        for reason, count in Counter(_reason(report) for report in skipped).items():
            terminal.line(f"{count} skipped: {reason}")
        if forbidden:
            terminal.line("CI=true: nothing may be skipped, so this run failed", red=True)


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Return why pytest skipped a test or a module."""
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return reason.removeprefix("Skipped: ")
