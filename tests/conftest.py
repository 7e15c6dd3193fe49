"""What all tests share: golden files, and a last word on what was skipped."""

import difflib
import os
from collections import Counter
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from tests.package import Package, build

for _name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):  # of whoever runs the tests; errors speak of them
    os.environ.pop(_name, None)
    os.environ.pop(_name.upper(), None)

os.umask(0o077)  # what tests write has secrets in it, and is refused when all users can read it

pytest_plugins = ["pytester", "tests.helpers.failure_report", "tests.processes"]

_GOLDEN = Path(__file__).parent / "golden"
_DIFF_LINES = 60


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the switches that rewrite golden files, and that give tests their time."""
    parser.addoption("--update-golden", action="store_true", help="write what the tests made to tests/golden")
    parser.addoption("--long", action="store_true", help="run the long form of the tests that have one")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with the golden file of that name, or write the file under --update-golden: golden(name, text)."""

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
                "\n".join(["as it should be? pytest --update-golden writes it", *lines[:_DIFF_LINES], *more]),
                pytrace=False,
            )

    return compare


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """The sdist and the wheel of this checkout."""
    return build(tmp_path_factory.mktemp("package"))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None]:
    """Say below pytest's closing line what was skipped and why, and let nothing be skipped under CI=true."""
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
