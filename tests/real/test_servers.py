"""The table of real servers, and the marker for tests that need them."""

import shutil
from pathlib import Path

import pytest

from tests.helpers import servers


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the table by two servers of one package that are not installed."""
    monkeypatch.setitem(servers.SERVERS, "one", servers.Server(package="both", binaries=("no-such-program",)))
    monkeypatch.setitem(servers.SERVERS, "two", servers.Server(package="both", binaries=("sh", "nor-this-one")))


def test_found_where_only_root_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program in /usr/sbin is found even if that is not in PATH."""
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(shutil, "which", lambda name, path: f"{path.split(':')[2]}/{name}")
    assert servers.path("nagios4") == "/usr/sbin/nagios4"


def test_path_of_a_missing_program() -> None:
    """The path of a missing program is an error that names it and the marker."""
    with pytest.raises(LookupError, match="no-such-program is not here: is the test marked with needs_server"):
        servers.path("no-such-program")


@pytest.mark.usefixtures("absent")
def test_missing_and_packages() -> None:
    """A server without one of its programs is missing, and a package is listed once."""
    assert servers.missing(["one", "two"]) == ["one", "two"]
    assert servers.packages(["one", "two", "prometheus"]) == "both prometheus"


@pytest.mark.usefixtures("absent")
def test_marker_skips_before_fixtures(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that needs missing servers is skipped before its fixtures start anything."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # importing them again takes almost a second
    pytester.makeconftest(Path(__file__).with_name("conftest.py").read_text())
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture(autouse=True, scope="session")
        def started():
            raise AssertionError

        @pytest.mark.needs_server("one", "two")
        def test_skipped(): pass
        """
    )
    result = pytester.runpytest_inprocess("-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*no one, two here: apt install both"])
