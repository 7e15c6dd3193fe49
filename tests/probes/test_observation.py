"""Observations: immutability, parts kept from an earlier run, and their expiry."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as example_settings
from hypothesis import strategies as st

from cln_monitor.probes import Caution, Failure, Missing, Observation, Part

MAX_AGE = 3600.0
WALL = 1e9  # of a clock that runs backwards: nothing may go by it
TIMED_OUT = Failure("timeout", "no answer")
REFUSED = Failure("refused", "no")


def seen(at: float, *parts: str, missing: tuple[str, ...] = (), list_known: bool = True) -> Observation[str]:
    """Return an observation whose parts have the time of reading as their value."""
    return Observation(
        probe="kernelcare",
        account="acme",
        api="cln.example.net",
        observed_at=at,
        parts=tuple(Part(name, WALL - at, f"{name} at {at:.0f}", at) for name in parts),
        missing=tuple(Missing(name, TIMED_OUT) for name in missing),
        list_known=list_known,
    )


def values(observation: Observation[str]) -> list[str]:
    """Return the values of the parts."""
    return [part.value for part in observation.parts]


@pytest.mark.parametrize("name", [field.name for field in msgspec.structs.fields(Observation)])
def test_it_is_immutable(name: str) -> None:
    """An observation is immutable."""
    with pytest.raises(AttributeError):
        setattr(seen(0), name, None)


def test_parts_and_failures_are_immutable() -> None:
    """Parts and failures are immutable and hashable."""
    observation = seen(0, "a", missing=("b",))
    for thing in (observation.parts[0], observation.missing[0], observation.missing[0].failure):
        with pytest.raises(AttributeError):
            setattr(thing, msgspec.structs.fields(thing)[0].name, None)
    assert hash(observation) == hash(seen(0, "a", missing=("b",)))


def test_a_part_that_fails_keeps_its_last_good_value() -> None:
    """A failed part keeps its last data while other parts are updated."""
    after = seen(60, "a", missing=("b",)).merged_with(seen(0, "a", "b"), 60, MAX_AGE)
    assert values(after) == ["a at 60", "b at 0"]
    assert [missing.name for missing in after.missing] == ["b"]


def test_what_vanished_is_gone() -> None:
    """A part that the list no longer has is removed."""
    assert values(seen(60, "a").merged_with(seen(0, "a", "b"), 60, MAX_AGE)) == ["a at 60"]


def test_all_vanished() -> None:
    """An empty list removes all parts."""
    after = seen(60).merged_with(seen(0, "a", "b"), 60, MAX_AGE)
    assert (values(after), after.failure) == ([], None)


def test_an_unknown_list_keeps_all() -> None:
    """A failed list keeps all earlier parts."""
    after = seen(60, missing=("",), list_known=False).merged_with(seen(0, "a", "b"), 60, MAX_AGE)
    assert values(after) == ["a at 0", "b at 0"]


def test_an_unknown_list_with_parts_that_need_none() -> None:
    """With a failed list, new parts are updated and the others kept."""
    after = seen(60, "a", missing=("",), list_known=False).merged_with(seen(0, "a", "b"), 60, MAX_AGE)
    assert values(after) == ["a at 60", "b at 0"]


EMPTY: Observation[str] = Observation("imunify", "acme", "cln.example.net", 0, empty=Part("", WALL, None, 0.0))


def test_an_empty_list_is_data() -> None:
    """An empty list is kept while the list fails, and no part is missing."""
    now = seen(60, missing=("",), list_known=False).merged_with(EMPTY, 60, MAX_AGE)
    assert (now.has_data, now.parts_missing, now.oldest) == (True, [], 0.0)
    assert now.failure == TIMED_OUT
    again = seen(120, missing=("",), list_known=False).merged_with(now, 120, MAX_AGE)
    assert (again.has_data, again.parts_missing) == (True, [])


def test_an_empty_list_grows_old() -> None:
    """A kept empty list expires as a part does."""
    old = (
        seen(60, missing=("",), list_known=False)
        .merged_with(EMPTY, 60, MAX_AGE)
        .without_expired(MAX_AGE + 0.1, MAX_AGE)
    )
    assert (old.has_data, [missing.name for missing in old.parts_missing]) == (False, [""])
    late = seen(9999, missing=("",), list_known=False).merged_with(EMPTY, 9999, MAX_AGE)
    assert (late.has_data, [missing.name for missing in late.parts_missing]) == (False, [""])


def test_a_list_that_is_no_longer_empty() -> None:
    """A list that is no longer empty is not kept as empty."""
    now = seen(60, missing=("a",)).merged_with(EMPTY, 60, MAX_AGE)
    assert (now.has_data, [missing.name for missing in now.parts_missing]) == (False, ["a"])
    lost = seen(120, missing=("",), list_known=False).merged_with(now, 120, MAX_AGE)
    assert (lost.has_data, [missing.name for missing in lost.parts_missing]) == (False, [""])


def test_an_empty_list_is_told_to_other_processes() -> None:
    """An empty list has the time of day at which it was read."""
    told = msgspec.json.decode(msgspec.json.encode(EMPTY.undated()), type=Observation[str])
    assert told.empty
    assert told.dated(100.0, WALL + 40).oldest == 60.0
    assert b"empty" not in msgspec.json.encode(seen(0, "a"))


def test_parts_age_one_by_one() -> None:
    """Each part has its own age over any number of failed runs."""
    kept = seen(0, "a", "b")
    kept = seen(1800, "a", missing=("b",)).merged_with(kept, 1800, MAX_AGE)
    kept = seen(3600, missing=("a", "b")).merged_with(kept, 3600, MAX_AGE)
    assert values(kept) == ["a at 1800", "b at 0"]
    kept = seen(3601, missing=("a", "b")).merged_with(kept, 3601, MAX_AGE)
    assert values(kept) == ["a at 1800"]
    kept = seen(5400.5, missing=("a", "b")).merged_with(kept, 5400.5, MAX_AGE)
    assert values(kept) == []


def test_a_part_that_grew_too_old_is_remembered_by_name() -> None:
    """An expired part stays known by name while the list fails."""
    kept = seen(0, "a", "b").without_expired(3601, MAX_AGE)
    assert (values(kept), kept.expired_parts) == ([], ("a", "b"))
    kept = seen(3700, missing=("",), list_known=False).merged_with(kept, 3700, MAX_AGE)
    assert kept.expired_parts == ("a", "b")
    assert seen(3800, "a", missing=("",), list_known=False).merged_with(kept, 3800, MAX_AGE).expired_parts == ("b",)
    assert seen(3800, "a").merged_with(kept, 3800, MAX_AGE).expired_parts == ()


def test_a_part_that_was_never_read_is_remembered_by_name() -> None:
    """A part that was never read stays known by name while the list fails."""
    kept = seen(60, missing=("",), list_known=False).merged_with(seen(0, "a", missing=("b",)), 60, MAX_AGE)
    assert (values(kept), kept.expired_parts) == (["a at 0"], ("b",))


@pytest.mark.parametrize(
    ("now", "left"),
    [
        pytest.param(3599.999, ["a at 0", "b at 10"], id="just-before"),
        pytest.param(3600.0, ["a at 0", "b at 10"], id="at-max-age"),
        pytest.param(3600.001, ["b at 10"], id="just-after"),
        pytest.param(3610.0, ["b at 10"], id="at-the-second-ones-max-age"),
        pytest.param(3610.001, [], id="after-all"),
        pytest.param(-60.0, ["a at 0", "b at 10"], id="clock-set-back"),
    ],
)
def test_expiry_is_exact(now: float, left: list[str]) -> None:
    """A part expires right after max_age."""
    observation = msgspec.structs.replace(seen(10), parts=seen(0, "a").parts + seen(10, "b").parts)
    assert values(observation.without_expired(now, MAX_AGE)) == left
    assert (now > observation.expires_at(MAX_AGE)) == (len(left) < 2)


def test_nothing_expires_never() -> None:
    """An observation without parts never expires."""
    assert seen(0, missing=("a",)).expires_at(MAX_AGE) == math.inf


@pytest.mark.parametrize(
    ("missing", "failure"),
    [
        pytest.param((), None, id="none"),
        pytest.param((Missing("a", TIMED_OUT),), TIMED_OUT, id="one"),
        pytest.param(
            (Missing("a", REFUSED), Missing("b", TIMED_OUT), Missing("c", TIMED_OUT)),
            Failure("timeout", "no answer; also missing: a, c"),
            id="most-frequent",
        ),
        pytest.param(
            (Missing("a", REFUSED), Missing("b", TIMED_OUT)),
            Failure("refused", "no; also missing: b"),
            id="first-of-equals",
        ),
    ],
)
def test_failure(missing: tuple[Missing, ...], failure: Failure | None) -> None:
    """A run with missing parts fails with their most frequent reason."""
    assert msgspec.structs.replace(seen(0, "x"), missing=missing).failure == failure


@pytest.mark.parametrize(
    ("observation", "lacking"),
    [
        pytest.param(seen(0, "a"), [], id="nothing"),
        pytest.param(seen(0, "a", missing=("b", "c")), ["b", "c"], id="parts"),
        pytest.param(seen(60, missing=("a", "b")).merged_with(seen(0, "a"), 60, MAX_AGE), ["b"], id="kept"),
        pytest.param(seen(0, missing=("",), list_known=False), [""], id="list"),
        pytest.param(seen(0, "a", missing=("", "b"), list_known=False), ["b"], id="list-of-others"),
        pytest.param(
            seen(60, missing=("",), list_known=False).merged_with(seen(0, "a"), 60, MAX_AGE), [], id="list-kept"
        ),
        pytest.param(seen(0, "a", missing=("",)), [""], id="a-list-beside-the-list"),
    ],
)
def test_what_it_lacks(observation: Observation[str], lacking: list[str]) -> None:
    """Missing parts without data are listed; a kept part replaces a failed list."""
    assert [missing.name for missing in observation.parts_missing] == lacking


NAMES = st.sets(st.sampled_from("abcd"))


@example_settings(max_examples=60)
@given(st.lists(st.tuples(NAMES, NAMES, st.booleans(), st.integers(1, 2000)), max_size=8))
def test_over_any_history(history: list[tuple[set[str], set[str], bool, int]]) -> None:
    """After any history, each part is present once, is the newest, is not expired, or is reported."""
    now, kept, known = 0.0, seen(0), set[str]()
    last_read: dict[str, float] = {}
    for read, failed, list_known, seconds in history:
        now += seconds
        missing = tuple(sorted(failed - read))
        kept = seen(now, *sorted(read), missing=missing, list_known=list_known).merged_with(kept, now, MAX_AGE)
        last_read = {name: at for name, at in last_read.items() if name in missing or not list_known}
        last_read |= dict.fromkeys(read, now)
        last_read = {name: at for name, at in last_read.items() if now - at <= MAX_AGE}
        assert {part.name: part.monotonic for part in kept.parts} == last_read
        assert len(kept.parts) == len(last_read)
        known = read | failed | (set() if list_known else known)
        assert set(kept.expired_parts) <= known - set(last_read)
        assert set(kept.expired_parts) | set(last_read) | set(missing) == known


def test_it_is_told_to_other_processes_and_read_from_them() -> None:
    """Monotonic times are removed for other processes and restored from times of day."""
    observation = seen(60, "a", missing=("b",)).merged_with(seen(0, "a", "b"), 60, MAX_AGE)
    written = msgspec.json.encode(observation.undated())
    assert b"monotonic" not in written
    read = msgspec.json.decode(written, type=Observation[str])
    assert read == observation.undated()
    dated = read.dated(500.0, WALL)
    assert [part.monotonic for part in dated.parts] == [500.0 - 60, 500.0]
    assert dated.undated() == read


def test_gaps() -> None:
    """Each part that the last run could not read is a gap with its reason."""
    no = Failure("refused", "no")
    earlier = Observation("kernelcare", "acme", "cln", 0.0, (Part("a", 0.0, 1), Part("b", 0.0, 2)))
    partly: Observation[int] = Observation("kernelcare", "acme", "cln", 1.0, (), (Missing("a", no), Missing("c", no)))
    seen = partly.merged_with(earlier, 1.0, 10.0)
    assert [(gap.name, gap.is_kept) for gap in seen.gaps] == [("a", True), ("c", False)]
    assert str(seen.gaps[0]) == "a (refused): no"
    without_list: Observation[int] = Observation(
        "kernelcare", "acme", "cln", 2.0, (), (Missing("", no),), list_known=False
    )
    seen = without_list.merged_with(earlier, 2.0, 10.0)
    assert [(str(gap), gap.is_kept) for gap in seen.gaps] == [("the list (refused): no", True)]
    assert [(gap.name, gap.reason) for gap in seen.without_expired(11.0, 10.0).gaps] == [
        ("", "refused"),
        ("a", "refused"),
        ("b", "refused"),
    ]
    assert [(gap.name, gap.reason) for gap in earlier.without_expired(11.0, 10.0).gaps] == [
        ("a", "too_old"),
        ("b", "too_old"),
    ]


def test_cautions_of_a_list() -> None:
    """Cautions about the list are kept while the list fails."""
    odd = Caution.for_names("field_missing", ["limit of 2 keys"])
    earlier = Observation("kernelcare", "acme", "cln", 0.0, (Part("a", 0.0, 1, 0.0, odd),), cautions=odd)
    failed: Observation[int] = Observation(
        "kernelcare", "acme", "cln", 1.0, (), (Missing("", Failure("refused", "no")),), list_known=False
    )
    assert failed.merged_with(earlier, 1.0, 10.0).all_cautions == [*odd, *odd]
    whole = Observation("kernelcare", "acme", "cln", 1.0, (Part("a", 1.0, 1),))
    assert whole.merged_with(earlier, 1.0, 10.0).all_cautions == []
