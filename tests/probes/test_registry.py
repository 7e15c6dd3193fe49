"""The registry of probes."""

from __future__ import annotations

from cln_monitor.probes import ALL_PROBES, PROBES, probes_of
from cln_monitor.source_kinds import ACCOUNT, SOURCE_KINDS


def test_each_goes_by_its_own_name() -> None:
    """Each probe is registered by its name."""
    assert {name: probe.name for name, probe in ALL_PROBES.items()} == {name: name for name in ALL_PROBES}


def test_each_probe_is_of_one_kind_of_source() -> None:
    """The kinds of sources, which import no probe, name exactly the registered probes, in the same order."""
    assert [name for kind in SOURCE_KINDS for name in kind.probes] == list(ALL_PROBES)
    for kind in SOURCE_KINDS:
        assert tuple(probes_of(kind)) == kind.probes
    assert list(PROBES) == list(ACCOUNT.probes)


def test_the_status_comes_first_and_is_about_cln_itself() -> None:
    """The status comes first, and is the only probe that is not per account."""
    assert [name for name, probe in PROBES.items() if not probe.per_account] == ["status"] == list(PROBES)[:1]
