"""What a fault strikes."""

from random import Random

import pytest

from cln_monitor.simulator import Fault
from cln_monitor.simulator.faults import KINDS, Faults


@pytest.fixture
def faults() -> Faults:
    """No faults yet."""
    return Faults(Random(1))


def kinds(faults: Faults, path: str = "/a", target: str = "/api/a") -> list[str]:
    """The kinds that strike a request."""
    return [fault.kind for fault in faults.striking(path, target)]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "latncy"}, f"fault 'latncy': there is no such kind; there are {', '.join(KINDS)}"),
        (
            {"kind": "latency", "retry_after": 3},
            (
                "fault 'latency' takes no 'retry_after'; "
                "its fields are seconds, and path, match, times, after, probability"
            ),
        ),
        (
            {"kind": "hang", "self": 3},
            "fault 'hang' takes no 'self'; its fields are none of its own, and path, match, times, after, probability",
        ),
        ({"kind": "redirect"}, "fault 'redirect' needs 'location': a URL or a path"),
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
def test_a_fault_that_makes_no_sense_is_an_error_that_says_what_would(fields: dict[str, object], message: str) -> None:
    """The whole text."""
    with pytest.raises(ValueError) as raised:  # noqa: PT011 -- the whole text is compared below
        Fault(**fields)  # type: ignore[arg-type] # wrong types are what this is about
    assert str(raised.value) == message


def test_it_strikes_the_paths_of_its_pattern(faults: Faults) -> None:
    """A star crosses slashes; what does not match is left alone."""
    faults.add(Fault("hang", path="/kcare/*"))
    assert kinds(faults, "/kcare/key/list.json") == ["hang"]
    assert kinds(faults, "/im/key/list.json") == []


def test_it_strikes_the_targets_that_hold_its_match(faults: Faults) -> None:
    """As sent or decoded."""
    faults.add(Fault("hang", match="a|b"))
    assert kinds(faults, target="/api/a?token=a%7Cb") == ["hang"]
    assert kinds(faults, target="/api/a?token=a|b") == ["hang"]
    assert kinds(faults, target="/api/a?token=ab") == []


def test_it_lets_some_pass_and_strikes_a_number_of_times(faults: Faults) -> None:
    """Two pass, three are struck, and requests it does not match count for neither."""
    fault = faults.add(Fault("hang", path="/a", after=2, times=3))
    struck = [kinds(faults, path) == ["hang"] for path in ("/a", "/b", "/a", "/b", "/a", "/a", "/a", "/a")]
    assert struck == [False, False, False, False, True, True, True, False]
    assert fault.struck == 3


def test_it_strikes_with_its_probability(faults: Faults) -> None:
    """About three in ten, never at 0, always at 1."""
    faults.add(Fault("hang", probability=0.3))
    assert sum(kinds(faults) == ["hang"] for _ in range(1000)) in range(250, 350)
    faults.clear()
    faults.add(Fault("hang", probability=0))
    faults.add(Fault("cut", probability=1))
    assert [kinds(faults) for _ in range(50)] == [["cut"]] * 50


def test_faults_that_go_on_add_up_and_the_first_other_one_ends_it(faults: Faults) -> None:
    """What stands behind that one does not see the request."""
    faults.add(Fault("latency"))
    faults.add(Fault("skew", seconds=1))
    faults.add(Fault("empty", times=1))
    behind = faults.add(Fault("hang"))
    assert kinds(faults) == ["latency", "skew", "empty"]
    assert behind.struck == 0
    assert kinds(faults) == ["latency", "skew", "hang"]


def test_a_removed_fault_strikes_no_more(faults: Faults) -> None:
    """By identity; removing what is not there is an error."""
    first, second = faults.add(Fault("hang")), faults.add(Fault("hang"))
    faults.remove(first)
    assert list(faults) == [second]
    with pytest.raises(ValueError, match=r"^removing the fault 'hang': it was never added, or is removed already$"):
        faults.remove(first)
    faults.clear()
    assert (len(faults), kinds(faults)) == (0, [])
