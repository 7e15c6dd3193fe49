"""Tests of the progress of a run: the parts that it has read so far."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest

from cln_monitor.probes import Failure, FirstPoll, Missing, Observation, Part, Progress, Unavailable
from tests.helpers.clock import NOW

FAILURE = Failure("refused", "no")


def part(name: str, value: object = 1, at: float = NOW) -> Part[Any]:
    """Return a part that was read at ``at``, by both clocks."""
    return Part(name, at, value, at)


def observed(*parts: Part[Any], **more: Any) -> Observation[Any]:
    """Return an observation of ``parts``."""
    return Observation("kernelcare", "acme", "cln.example.net", NOW, parts, **more)


def begun(*names: str, start: Observation[Any] | None = None) -> Progress[Any]:
    """Return the progress of a run that is to read ``names``."""
    return Progress(start or observed(), names)


def test_parts_in_the_order_of_the_list() -> None:
    """The observation has the parts of the list and those that were read, in the order of the list."""
    progress = begun("a", "b", "c", start=observed(part("list")))
    assert progress.has_parts
    for name in ("c", "a"):
        progress.add(part(name))
    assert [part.name for part in progress.observation().parts] == ["list", "a", "c"]
    assert progress.as_first_poll == FirstPoll(3, 4)


def test_parts_that_could_not_be_read_are_done() -> None:
    """A part that is missing or not available counts as done, and is no data."""
    progress = begun("a", "b", "c")
    progress.add(Missing("a", FAILURE))
    progress.add(Unavailable("b", "b", "no"))
    assert (progress.done, progress.has_parts, progress.observation().has_data) == (2, False, False)


def test_an_observation_does_not_change() -> None:
    """An observation of the progress stays as it is when further parts are read, and knows its oldest part."""
    progress = begun("a", "b")
    progress.add(part("a", at=5.0))
    before = progress.observation()
    assert before.oldest == 5.0
    progress.add(part("b", at=4.0))
    assert [part.name for part in before.parts] == ["a"]
    assert (before.oldest, progress.observation().oldest) == (5.0, 4.0)
    assert before.observed_at == 5.0


def test_data_of_an_earlier_run_stay() -> None:
    """Parts of an earlier run stay until they have been read again, and so do its failures."""
    earlier = observed(
        part("b", "old"),
        part("a", "old"),
        missing=(Missing("c", FAILURE), Missing("d", FAILURE)),
        expired_parts=("c", "e"),
        unavailable=(Unavailable("a", "a", "no"), Unavailable("x", "x", "no")),
    )
    progress = begun("a", "b", "c", "d")
    progress.add(part("a", "new"))
    progress.add(part("c", "new"))
    progress.add(Missing("d", FAILURE))
    observation = progress.observation(earlier)
    assert [(part.name, part.value) for part in observation.parts] == [("a", "new"), ("c", "new"), ("b", "old")]
    assert observation.missing == (Missing("d", FAILURE),)
    assert (observation.expired_parts, [part.name for part in observation.unavailable]) == (("e",), ["x"])


@pytest.mark.parametrize("has_read", [True, False])
def test_an_earlier_list_that_was_empty(has_read: bool) -> None:
    """An empty list is data that stay until a part has been read."""
    earlier = observed(empty=Part("", NOW, None, NOW))
    progress = begun("a")
    if has_read:
        progress.add(part("a"))
    assert bool(progress.observation(earlier).empty) is not has_read


def test_an_earlier_run_without_data() -> None:
    """The failures of an earlier run that read nothing are not those of this one."""
    earlier = observed(missing=(Missing("", FAILURE),), list_known=False)
    observation = begun("a", start=observed(list_known=True)).observation(earlier)
    assert (observation.missing, observation.list_known, observation.oldest) == ((), True, math.inf)


@pytest.mark.parametrize(
    ("probe", "total", "text"),
    [
        ("kernelcare", 10, "3 of 10 keys"),
        ("kernelcare", 1, "3 of 1 key"),
        ("patch_status", 10, "3 of 10 keys"),
        ("els", 10, "3 of 10 products"),
        ("cloudlinux", 4, "3 of 4 products"),
        ("groups", 4, "3 of 4 groups"),
        ("ip_licenses", 4, "3 of 4 parts"),
        ("awp", 2, "3 of 2 months"),
    ],
)
def test_text(probe: str, total: int, text: str) -> None:
    """The text has what a part of the probe is called."""
    start = msgspec.structs.replace(observed(), probe=probe)
    progress: Progress[Any] = Progress(start, [str(number) for number in range(total)])
    for number in range(3):
        progress.add(part(str(number)))
    assert str(progress.as_first_poll) == text


def test_nothing_to_read() -> None:
    """A list without parts has no progress."""
    assert begun().as_first_poll is None
