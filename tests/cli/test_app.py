"""Every command that reads: the calls it sends, and its output for scripts and people."""

from __future__ import annotations

import pytest

from .account import Cln
from .commands import ALL_READS, Read, typed, without_ages
from .inside import ask, ask_json


@pytest.mark.parametrize("command", ALL_READS, ids=typed)
def test_what_reads(command: Read, cln: Cln) -> None:
    """Exactly the documented calls are sent; scripts get the documented fields, and people a row each."""
    assert without_ages(ask_json(cln, *command.arguments)) == command.shown
    assert sorted(cln.sent(), key=str) == sorted(command.sends, key=str)
    outcome = ask(cln, *command.arguments)
    assert outcome.code == 0
    if isinstance(command.shown, list):
        assert len(outcome.out.splitlines()) == (len(command.shown) + 2 if command.shown else 0)
        assert bool(outcome.err) == (not command.shown)
    else:
        assert len(outcome.out.splitlines()) == len(command.shown)
