"""Problems with reports that all checks share."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import pytest

from cln_monitor.checks.plugin_exit import CheckError
from cln_monitor.checks.problems import (
    CheckProblem,
    missing_of,
    oddities_of,
    origin_of,
    phrases_of,
    problems_of,
    values_of,
)
from cln_monitor.checks.states import State

from .views import caution, missing, part, view

OPTIONS = argparse.Namespace(unreachable_state=State.WARNING)


def all_of(_: str) -> bool:
    """Select every part."""
    return True


def problems(seen: Any, wanted: Callable[[str], bool] = all_of) -> list[CheckProblem]:
    """Return the problems of a view."""
    return problems_of(seen, wanted, OPTIONS)


def test_the_values_of_what_is_wanted() -> None:
    """Only values of wanted parts are returned."""
    seen = view([part("a", 1), part("b", 2)])
    assert list(values_of(seen, all_of)) == [1, 2]
    assert list(values_of(seen, "b".__eq__)) == [2]


def test_the_values_of_parts_of_several_ages() -> None:
    """Values are in the order of the view, or with newest_last in reverse order."""
    seen = view([part("a", 1), part("c", 3), part("b", 2, age=-60)])  # by a clock that was set back meanwhile
    assert list(values_of(seen, all_of)) == [1, 3, 2]
    assert list(values_of(seen, all_of, newest_last=True)) == [2, 3, 1]


def test_what_has_not_been_polled() -> None:
    """A probe that has not run yet is an error."""
    with pytest.raises(CheckError, match=r"^no data: the exporter has not run this probe yet$"):
        list(values_of({**view([]), "observation": None, "last_run": None}, all_of))


def test_a_first_poll() -> None:
    """A probe in its first poll is an error that says how far it is."""
    progress = {"done": 3, "total": 10, "noun": "key"}
    seen = {**view([]), "observation": None, "last_run": None, "first_poll": progress}
    for find in (lambda: list(values_of(seen, all_of)), lambda: problems(seen), lambda: origin_of(seen, OPTIONS)):
        with pytest.raises(CheckError, match=r"^first poll: 3 of 10 keys$"):
            find()


def test_nothing_is_missing() -> None:
    """A complete view has no problem."""
    assert problems(view([part("a", 1)])) == []
    assert problems(view([])) == []


def test_a_missing_part() -> None:
    """A missing part is UNKNOWN with its error, and further missing parts are named."""
    assert problems(view([], [missing("a")])) == [CheckProblem(State.UNKNOWN, "reading it: nonsense")]
    several = [missing("a", "refused", "no"), missing("b"), missing("c")]
    assert problems(view([], several)) == [CheckProblem(State.UNKNOWN, "no; also missing: b, c")]


@pytest.mark.parametrize(
    ("reasons", "state"),
    [
        (("unreachable",), State.WARNING),
        (("timeout", "unreachable"), State.WARNING),
        (("timeout", "auth"), State.UNKNOWN),
        (("rate_limited",), State.UNKNOWN),
        (("refused",), State.UNKNOWN),
        (("bad_answer",), State.UNKNOWN),
    ],
)
def test_no_answer_has_its_own_state(reasons: tuple[str, ...], state: State) -> None:
    """--unreachable-state applies only to missing responses and does not hide other errors."""
    assert problems(view([], [missing(reason, reason) for reason in reasons]))[0].state is state


def test_what_is_not_wanted_is_not_missed() -> None:
    """A missing part that is not wanted is ignored; a missing list affects every part."""
    assert problems(view([part("a", 1)], [missing("b")]), "a".__eq__) == []
    assert problems(view([], [missing("")], list_known=False), "a".__eq__) != []


def test_what_was_seen_before_it_failed_counts_as_long_as_it_is_kept() -> None:
    """A failed part with data of an earlier run is no problem."""
    assert problems(view([part("a", 1)], [missing("a")])) == []
    assert problems(view([part("a", 1)], [missing("")], list_known=False)) == []
    assert len(problems(view([part("a", 1)], [missing(""), missing("b")], list_known=False))) == 1


def test_what_was_seen_before_it_failed_may_not_do() -> None:
    """With kept=False every missing part is a problem."""
    for seen in (
        view([part("a", 1)], [missing("a")]),
        view([part("a", 1)], [missing("")], list_known=False),
        view([part("a", 1)], [missing("b")]),
    ):
        found = problems_of(seen, all_of, OPTIONS, kept=False)
        assert found == [CheckProblem(State.UNKNOWN, "reading it: nonsense")]
    assert problems_of(view([part("a", 1)]), all_of, OPTIONS, kept=False) == []


def test_which_parts_are_missing() -> None:
    """Missing parts are those wanted and not kept; a missing list counts for each part."""
    seen = view([part("a", 1)], [missing("a"), missing("b"), missing("c")])
    assert [each["name"] for each in missing_of(seen, all_of)] == ["b", "c"]
    assert [each["name"] for each in missing_of(seen, "c".__eq__)] == ["c"]
    assert [each["name"] for each in missing_of(view([], [missing("")]), "c".__eq__)] == [""]


def test_data_that_are_too_old() -> None:
    """Data of an exporter that has stopped polling are too old after max_age."""
    assert problems(view([part("a", 1)], age=3600)) == []
    assert problems(view([part("a", 1)], age=3600.5)) != []
    text = "data too old: the exporter last polled 3h ago (max_age: 1h)"
    old = [CheckProblem(State.UNKNOWN, text)]
    assert problems(view([part("a", 1)], age=4 * 3600 - 1)) == old
    assert problems(view([part("a", 1)], [missing("a")], age=4 * 3600 - 1)) == old


def test_a_clock_that_is_behind() -> None:
    """A last poll in the future counts as now."""
    assert problems(view([part("a", 1)], age=-7200)) == []


def origin(seen: Any, exporter: str | None = "http://h") -> list[str]:
    """Return the lines about the origin of a view."""
    return origin_of(seen, argparse.Namespace(exporter=exporter))


def test_where_it_was_seen() -> None:
    """With an exporter the age of the oldest part is reported."""
    seen = view([part("a", 1), part("b", 2, age=12 * 60)])
    assert origin(seen) == ["data from the exporter, 12m old"]
    assert origin(seen, None) == []
    assert origin(view([], age=3 * 60)) == ["data from the exporter, 3m old"]


def test_that_it_is_a_part() -> None:
    """The shard of an exporter is reported."""
    seen = {**view([part("a", 1, age=180)]), "shard": "0/3"}
    assert origin(seen) == ["data from the exporter, 3m old; only those of shard 0/3"]


def test_that_the_last_poll_failed() -> None:
    """A failed last poll is reported even if the data are young enough."""
    seen = view([part("a", 1, age=1800)], [missing("a")])
    assert problems(seen) == []
    assert origin(seen) == [
        "data from the exporter, 30m old; last poll failed: reading it: nonsense",
        "missing: a (bad_answer): reading it: nonsense",
    ]


def test_phrases_the_worst_first() -> None:
    """Texts are sorted by severity and otherwise keep their order."""
    found = [CheckProblem(state, f"{state.name} {number}") for number in (1, 2) for state in State]
    told = ["CRITICAL 1", "CRITICAL 2", "UNKNOWN 1", "UNKNOWN 2", "WARNING 1", "WARNING 2", "OK 1", "OK 2"]
    assert phrases_of(found) == told


def test_what_is_odd() -> None:
    """Cautions about the list and wanted parts become problems and notes by severity, and lines."""
    seen = view(
        [
            part("a", 1, cautions=[caution("limit_unreadable", "a ('x')")]),
            part("b", 2, cautions=[caution("limit_not_told", "b"), caution("checkin_ahead", "192.0.2.1 (2099-01-01)")]),
        ]
    )
    seen["observation"]["cautions"] = [caution("servers_gone", "imunify fell from 2 to 0 within 1h")]
    gone = CheckProblem(State.CRITICAL, "CLN no longer lists any servers: imunify fell from 2 to 0 within 1h")
    unreadable = CheckProblem(State.WARNING, "1 key has a limit that cannot be read: a ('x')")
    ahead = "1 server has a last check-in more than 1h ahead of CLN's clock: 192.0.2.1 (2099-01-01)"
    odd = oddities_of(seen, all_of)
    assert odd.problems == [gone, unreadable, CheckProblem(State.WARNING, ahead)]
    assert odd.notes == ["CLN does not report the limit of 1 key: b"]
    assert odd.lines == [
        "servers_gone: imunify fell from 2 to 0 within 1h",
        "limit_unreadable: a ('x')",
        "limit_not_told: b",
        "checkin_ahead: 192.0.2.1 (2099-01-01)",
    ]
    assert oddities_of(seen, "a".__eq__).problems == [gone, unreadable]
    assert oddities_of(seen, "a".__eq__, but=["servers_gone"]).problems == [unreadable]


def test_each_missing_part() -> None:
    """Each missing part has a line, unless it is the only one and in the first line."""
    seen = view([part("a", 1)], [missing("a"), missing("", "refused", "no"), missing("b", "timeout", "late")])
    assert origin(seen)[1:] == [
        "missing: a (bad_answer): reading it: nonsense",
        "missing: the list (refused): no",
        "missing: b (timeout): late",
    ]
    assert origin_of(seen, argparse.Namespace(exporter=None), "b".__eq__) == [
        "missing: the list (refused): no",
        "missing: b (timeout): late",
    ]
    assert origin_of(view([], [missing("a")]), argparse.Namespace(exporter=None)) == []
