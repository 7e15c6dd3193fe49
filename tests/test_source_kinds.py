"""The kinds of sources."""

from __future__ import annotations

import typing

import pytest

from cln_monitor.config import AccountConfig, Config, EportalConfig, Source
from cln_monitor.source_kinds import ACCOUNT, EPORTAL, SOURCE_KINDS, SourceKind, kind_of, server_of


def test_of_a_probe() -> None:
    """Each probe reads one kind of source; the kind of an unknown probe is an error."""
    assert kind_of("status") is ACCOUNT
    assert kind_of("eportal") is EPORTAL
    assert [kind_of(probe) for kind in SOURCE_KINDS for probe in kind.probes] == [
        kind for kind in SOURCE_KINDS for _ in kind.probes
    ]
    with pytest.raises(KeyError):
        kind_of("nothing")


def test_what_answers_for_a_probe() -> None:
    """Texts name CLN, unless another server answers for the probe; the probe of a newer exporter may be unknown."""
    assert [server_of(probe) for probe in ("kernelcare", "eportal", "nothing", "")] == [
        "CLN",
        "the ePortal",
        "CLN",
        "CLN",
    ]


def test_no_probe_is_of_two_kinds() -> None:
    """A probe is named once."""
    probes = [probe for kind in SOURCE_KINDS for probe in kind.probes]
    assert len(set(probes)) == len(probes)


@pytest.mark.parametrize("kind", SOURCE_KINDS)
def test_each_is_a_list_of_the_configuration(kind: SourceKind) -> None:
    """The configuration has a list of each kind, whose entries are sources."""
    hint = typing.get_type_hints(Config)[kind.field]
    (entry,) = typing.get_args(hint)
    assert typing.get_origin(hint) is list
    assert entry in typing.get_args(Source)
    assert set(typing.get_args(Source)) == {AccountConfig, EportalConfig}


def test_headings() -> None:
    """A heading begins with a capital, unless the noun is a name."""
    assert [(kind.title, kind.plural_title, kind.plural) for kind in SOURCE_KINDS] == [
        ("Account", "Accounts", "accounts"),
        ("ePortal", "ePortals", "ePortals"),
    ]
