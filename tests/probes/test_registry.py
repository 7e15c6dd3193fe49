"""The registry of probes."""

from __future__ import annotations

from cln_monitor.probes import PROBES


def test_each_goes_by_its_own_name() -> None:
    """Each probe is registered by its name."""
    assert {name: probe.name for name, probe in PROBES.items()} == {name: name for name in PROBES}


def test_the_status_comes_first_and_is_about_cln_itself() -> None:
    """The status comes first, and is the only probe that is not per account."""
    assert [name for name, probe in PROBES.items() if not probe.per_account] == ["status"] == list(PROBES)[:1]
