"""The exporter, cln-feed, Icinga 2 and Nagios together: as with active plugins, and each of them may end and return."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.real.feeding import CHECKS, IcingaCore, Lab, NagiosCore, running_lab

pytestmark = pytest.mark.needs_server("icinga2", "nagios4")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Yield all programs, which run until the last test."""
    with running_lab(tmp_path_factory.mktemp("feed"), IcingaCore, NagiosCore) as lab:
        yield lab


@pytest.mark.parametrize("check", CHECKS)
def test_the_same_as_by_active_checks(lab: Lab, check: str) -> None:
    """State, output and perfdata of both cores' own checks with the plugin are those of cln-feed."""
    lab.compare(check)


@pytest.mark.parametrize("order", ["exporter feed cores", "cores feed exporter", "feed exporter cores"])
def test_what_ends_recovers(lab: Lab, order: str) -> None:
    """The end of the exporter is UNKNOWN with the reason, that of the feed by freshness; all recover on their own."""
    lab.kill_and_recover(order)
