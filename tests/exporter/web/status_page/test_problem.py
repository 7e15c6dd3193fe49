"""A problem and its details."""

from __future__ import annotations

from cln_monitor.exporter.web.status_page.problem import Details, Problem, with_ids
from cln_monitor.policy import Severity


def test_details() -> None:
    """Details have the first twenty items and the number of others, including unnamed ones."""
    names = [str(number) for number in range(50)]
    details = Details.from_items(names, 1000, "all")
    assert details == Details(names[:20], 980, "all")
    assert Details.from_items(names[:2], 2, "all") == Details(names[:2], 0, "all")
    assert Details.from_items([], 7, "all") is None


def test_ids_stay() -> None:
    """The ID of a problem does not depend on its numbers, and is unique."""
    before = [Problem(Severity.WARNING, "keys", text) for text in ("2 of acme", "3 of acme", "2 of other")]
    after = [Problem(Severity.WARNING, "keys", text) for text in ("7 of acme", "12 of acme", "1 of other")]
    ids = [problem.id for problem in with_ids(before)]
    assert ids == [problem.id for problem in with_ids(after)]
    assert len(set(ids)) == 3
