"""Plans, contexts, and failures of probes."""

from __future__ import annotations

import pytest

from cln_monitor.cln import (
    REASONS,
    AuthorizationError,
    BadAnswerError,
    ClnError,
    RateLimitedError,
    RefusedError,
    TimedOutError,
    UnreachableError,
)
from cln_monitor.probes import PROBES, Failure
from cln_monitor.probes.probe import Plan, Reading, failure_of

from .conftest import Cln

ERRORS = [
    UnreachableError("x"),
    TimedOutError("x"),
    RateLimitedError("x"),
    AuthorizationError("x"),
    RefusedError("x"),
    BadAnswerError("x"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.reason)
def test_failure_of_an_error(error: ClnError) -> None:
    """A failure has the reason and the text of its error."""
    error.add_context("reading the list", lambda text: text)
    assert failure_of(error) == Failure(error.reason, "reading the list: x")
    assert error.reason in REASONS


def test_each_reason_has_an_error() -> None:
    """Every reason is covered by an error in these tests."""
    assert sorted(error.reason for error in ERRORS) == sorted(REASONS)


def test_a_plan_knows_its_list_unless_it_says_otherwise() -> None:
    """A plan has no missing parts by default."""
    plan: Plan[int] = Plan({"a": lambda: Reading(1)})
    assert (plan.missing, plan.list_known) == ((), True)


def test_a_source_is_immutable(cln: Cln) -> None:
    """A context is immutable."""
    source = cln.source(PROBES["status"])
    with pytest.raises(AttributeError):
        source.account = "other"  # type: ignore[misc]


@pytest.mark.parametrize("name", ["kernelcare", "imunify"])
def test_a_part_for_each_key(cln: Cln, name: str) -> None:
    """The list of keys is read once, then the servers of each key in the order of the list."""
    add = cln.account.add_kernelcare_key if name == "kernelcare" else cln.account.add_imunify_key
    for key in ("PLANNEDKEY000002", "PLANNEDKEY000001"):
        add(key).add_server()
    observation = cln.run(PROBES[name]).observation
    assert [part.name for part in observation.parts] == ["PLANNEDKEY000002", "PLANNEDKEY000001"]
    assert len(cln.asked()) == 3
    assert observation.all_cautions == []
