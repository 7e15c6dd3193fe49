"""The exporter, cln-feed and the Icinga 2 of the next release together."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.real.feeding import CHECKS, IcingaCore, Lab, running_lab


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Yield all programs, which run until the last test."""
    with running_lab(tmp_path_factory.mktemp("feed"), IcingaCore) as lab:
        yield lab


@pytest.mark.parametrize("check", CHECKS)
def test_the_same_as_by_active_checks(lab: Lab, check: str) -> None:
    """State, output and perfdata of Icinga's own check with the plugin are those of cln-feed."""
    lab.compare(check)


def test_what_ends_recovers(lab: Lab) -> None:
    """The end of the exporter is UNKNOWN with the reason, that of the feed by freshness; all recover on their own."""
    lab.kill_and_recover("exporter feed cores")
