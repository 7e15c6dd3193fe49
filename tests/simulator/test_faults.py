"""The requests to which a fault applies."""

from random import Random

import pytest

from cln_monitor.simulator import Fault
from cln_monitor.simulator.faults import KINDS, Faults


@pytest.fixture
def faults() -> Faults:
    """Return an empty list of faults."""
    return Faults(Random(1))


def kinds(faults: Faults, path: str = "/a", target: str = "/api/a") -> list[str]:
    """Return the kinds of faults that apply to a request."""
    return [fault.kind for fault in faults.for_request(path, target)]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "latncy"}, f"unknown fault kind 'latncy'; expected one of {', '.join(KINDS)}"),
        (
            {"kind": "latency", "retry_after": 3},
            (
                "fault 'latency': unknown field 'retry_after'; "
                "expected one of seconds, path, match, times, after, probability"
            ),
        ),
        (
            {"kind": "hang", "self": 3},
            "fault 'hang': unknown field 'self'; expected one of path, match, times, after, probability",
        ),
        ({"kind": "redirect"}, "fault 'redirect': missing field 'location', a URL or a path"),
        ({"kind": "latency", "seconds": -1}, "fault 'latency': seconds must be a number of seconds, 0 or more, not -1"),
        ({"kind": "skew", "seconds": float("nan")}, "fault 'skew': seconds must be a number of seconds, not nan"),
        ({"kind": "status", "status": 200}, "fault 'status': status must be an HTTP status from 400 to 599, not 200"),
        ({"kind": "status", "html": 1}, "fault 'status': html must be true or false, not 1"),
        (
            {"kind": "status", "retry_after": -1},
            "fault 'status': retry_after must be seconds, an HTTP date or null, not -1",
        ),
        ({"kind": "answer", "body": None}, "fault 'answer': body must be text or bytes, not None"),
        ({"kind": "huge", "size": 0.5}, "fault 'huge': size must be a number of bytes, not 0.5"),
        ({"kind": "cut", "path": 7}, "fault 'cut': path must be a pattern such as /kcare/key/*, not 7"),
        ({"kind": "cut", "match": 7}, "fault 'cut': match must be a text or null, not 7"),
        ({"kind": "cut", "times": True}, "fault 'cut': times must be a count or null, not True"),
        ({"kind": "cut", "after": -1}, "fault 'cut': after must be a count, not -1"),
        ({"kind": "cut", "probability": 2}, "fault 'cut': probability must be from 0 to 1, not 2"),
    ],
)
def test_invalid_faults(fields: dict[str, object], message: str) -> None:
    """An invalid fault is an error with the whole text below."""
    with pytest.raises(ValueError) as raised:  # noqa: PT011 -- the whole text is compared below
        Fault(**fields)  # type: ignore[arg-type] # wrong types are what this is about
    assert str(raised.value) == message


def test_applies_to_matching_paths(faults: Faults) -> None:
    """A star in the path pattern also matches slashes."""
    faults.add(Fault("hang", path="/kcare/*"))
    assert kinds(faults, "/kcare/key/list.json") == ["hang"]
    assert kinds(faults, "/im/key/list.json") == []


def test_applies_to_matching_targets(faults: Faults) -> None:
    """The match is found in the target as sent or decoded."""
    faults.add(Fault("hang", match="a|b"))
    assert kinds(faults, target="/api/a?token=a%7Cb") == ["hang"]
    assert kinds(faults, target="/api/a?token=a|b") == ["hang"]
    assert kinds(faults, target="/api/a?token=ab") == []


def test_after_and_times(faults: Faults) -> None:
    """`after` and `times` count only requests that match."""
    fault = faults.add(Fault("hang", path="/a", after=2, times=3))
    struck = [kinds(faults, path) == ["hang"] for path in ("/a", "/b", "/a", "/b", "/a", "/a", "/a", "/a")]
    assert struck == [False, False, False, False, True, True, True, False]
    assert fault.struck == 3


def test_applies_with_its_probability(faults: Faults) -> None:
    """A fault applies with its probability, never at 0 and always at 1."""
    faults.add(Fault("hang", probability=0.3))
    assert sum(kinds(faults) == ["hang"] for _ in range(1000)) in range(250, 350)
    faults.clear()
    faults.add(Fault("hang", probability=0))
    faults.add(Fault("cut", probability=1))
    assert [kinds(faults) for _ in range(50)] == [["cut"]] * 50


def test_first_final_fault_ends_the_list(faults: Faults) -> None:
    """Faults after the first final one do not count the request."""
    faults.add(Fault("latency"))
    faults.add(Fault("skew", seconds=1))
    faults.add(Fault("empty", times=1))
    behind = faults.add(Fault("hang"))
    assert kinds(faults) == ["latency", "skew", "empty"]
    assert behind.struck == 0
    assert kinds(faults) == ["latency", "skew", "hang"]


def test_a_removed_fault_no_longer_applies(faults: Faults) -> None:
    """A fault is removed by identity; removing an unknown one is an error."""
    first, second = faults.add(Fault("hang")), faults.add(Fault("hang"))
    faults.remove(first)
    assert list(faults) == [second]
    with pytest.raises(
        ValueError, match=r"^cannot remove the fault 'hang': it was never added, or was removed already$"
    ):
        faults.remove(first)
    faults.clear()
    assert (len(faults), kinds(faults)) == (0, [])
