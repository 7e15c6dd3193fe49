"""The probes there are."""

from __future__ import annotations

from cln_monitor.probes import PROBES


def test_each_goes_by_its_own_name() -> None:
    """What is in a configuration, a label and a path is one name."""
    assert {name: probe.name for name, probe in PROBES.items()} == {name: name for name in PROBES}


def test_the_status_comes_first_and_is_about_cln_itself() -> None:
    """Whoever reads the list learns first whether CLN is up; all others are about an account."""
    assert [name for name, probe in PROBES.items() if not probe.per_account] == ["status"] == list(PROBES)[:1]
