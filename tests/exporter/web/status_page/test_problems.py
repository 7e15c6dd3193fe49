"""What is wrong now, in words, the worst first."""

from __future__ import annotations

import msgspec
import pytest

from cln_monitor.exporter.web.status_page.probe_status import ProbeStatus
from cln_monitor.exporter.web.status_page.problems import Problem, ProblemLevel, problems, shortened
from cln_monitor.probes import Failure
from cln_monitor.probes.patch_status import PatchState
from cln_monitor.probes.status import StatusFlag
from tests.exporter.metrics.rendering import observed
from tests.helpers.clock import NOW

from .factories import DAY, HOUR, kernelcare, key, licensed, seen, server

WRONG, LOOK, NOTE = ProblemLevel.WRONG, ProblemLevel.LOOK, ProblemLevel.NOTE
OLD = NOW - 30 * DAY
TIMEOUT = Failure("timeout", "reading /kcare/key/list.json at h: no whole answer within 15s")


def told(*targets: ProbeStatus, now: float = NOW) -> list[tuple[ProblemLevel, str, str]]:
    """Return the problems of these targets as tuples."""
    return [(each.severity, each.kind, each.text) for each in problems(targets, now)]


def test_nothing() -> None:
    """Fresh servers on keys with room, and what was not polled yet, are no problem."""
    assert told(seen(kernelcare(key("a", server("1", HOUR), limit=2)))) == []
    assert told(seen(last_run=None, last_success=None)) == []


def test_a_flag_of_cln() -> None:
    """With the value that is not good."""
    flags = [StatusFlag("xmlrpc", True, True), StatusFlag("rhn_overloaded", True, False)]
    target = seen(observed({"flags": flags}, probe="status", account=""))
    text = "CLN at cln.example.net says of itself: rhn_overloaded is true"
    assert told(target) == [(WRONG, "cln", text)]


def test_a_probe_that_fails() -> None:
    """With the reason and since when; it is worse when nothing is left to show."""
    start = f"The probe kernelcare of acme fails (timeout): {TIMEOUT.text}; "
    before = seen(kernelcare(key("a")), last_success=NOW - 2 * HOUR, failure=TIMEOUT)
    assert told(before) == [(LOOK, "probes", f"{start}last read 2h ago, at 13:26 UTC, what is known is shown")]
    partly = seen(kernelcare(key("a")), last_success=None, failure=TIMEOUT)
    assert told(partly) == [(LOOK, "probes", f"{start}it was never read whole, what is known is shown")]
    never = seen(kernelcare(), last_success=None, failure=TIMEOUT)
    assert told(never) == [(WRONG, "probes", f"{start}it was never read, there are no data to show")]


def test_a_long_error_is_cut() -> None:
    """A page of HTML that came in place of JSON is not all quoted."""
    ((_, _, text),) = told(seen(failure=Failure("bad_answer", "x" * 5000)))
    assert len(text) < 500


def test_a_probe_that_runs_no_more() -> None:
    """Neither its silence nor its loss of data goes unsaid."""
    target = seen(kernelcare(key("a")), now=NOW + 1860)
    assert told(target, now=NOW + 1860) == []
    text = "The probe kernelcare of acme should have run 16m ago; last read 31m ago, at 15:26 UTC"
    target = seen(kernelcare(key("a")), now=NOW + 1861)
    assert told(target, now=NOW + 1861) == [(LOOK, "probes", text)]
    expired = kernelcare(key("a")).without_expired(NOW + 3601, 3600)
    text = "The probe kernelcare of acme: data grew too old and are no longer shown; last read 60m ago, at 15:26 UTC"
    assert told(seen(expired, now=NOW + 3601), now=NOW + 3601) == [(WRONG, "probes", text)]


@pytest.mark.parametrize(
    ("used", "expected"),
    [
        (89, []),
        (90, [(LOOK, "keys", "KernelCare key a (“Web”) of acme is nearly full: 90 of 100 servers")]),
        (100, [(WRONG, "keys", "KernelCare key a (“Web”) of acme is full: 100 of 100 servers")]),
    ],
)
def test_keys(used: int, expected: list[tuple[ProblemLevel, str, str]]) -> None:
    """A full key refuses servers; one that is nearly full will."""
    servers = [server(str(number), HOUR) for number in range(used)]
    assert told(seen(kernelcare(key("a", *servers, limit=100, note="Web")))) == expected


def test_check_ins() -> None:
    """Those that stopped, and those that never began, over all keys."""
    target = seen(
        kernelcare(
            key("a", server("1", DAY + 1), server("2", DAY)), key("b", server("3", 9 * DAY), server("4", None, OLD))
        )
    )
    text = "2 KernelCare servers of acme have not checked in for over 1d, the longest for 9d"
    assert told(target) == [(LOOK, "check-ins", f"{text}; 1 more never did")]
    fresh = kernelcare(key("a", server("1", HOUR), server("2", None, OLD), server("3", None, OLD)))
    assert told(seen(fresh)) == [(LOOK, "check-ins", "2 KernelCare servers of acme have never checked in")]
    new = kernelcare(key("a", server("1", HOUR), server("2", None, created=NOW - HOUR)))
    assert told(seen(new)) == []
    undated = kernelcare(key("a", server("1", HOUR), server("2", None, created=None)))
    assert told(seen(undated)) == [(NOTE, "check-ins", "1 KernelCare server of acme has not checked in yet")]


def patched(*states: PatchState) -> ProbeStatus:
    """Return the patch status of an account."""
    return seen(observed({f"{each.scope} {each.key}": each for each in states}, probe="patch_status"))


def test_kernels() -> None:
    """By the counts of the whole account where CLN gives them, else by those of the keys together."""
    of_key = PatchState("key", "a", ok=False, counts={"uptodate": 5, "outofdate": 2, "inactive": 0}, hosts=[])
    other = PatchState("key", "b", ok=False, counts={"uptodate": 1, "unsupported": 1}, hosts=[])
    whole = PatchState("reseller", "", ok=False, counts={"uptodate": 9, "unsupported": 3}, hosts=[])
    text = "Kernels of acme: 2 out of date and 1 unsupported, of 9 servers"
    assert told(patched(of_key, other)) == [(WRONG, "kernels", text)]
    assert told(patched(of_key, other, whole)) == [(LOOK, "kernels", "Kernels of acme: 3 unsupported, of 12 servers")]


def test_kernels_without_counts() -> None:
    """CLN's word that all is not well is enough."""
    states = [PatchState("key", "a", ok=False, counts=None, hosts=[]), PatchState("reseller", "", True, None, [])]
    text = "CLN says that not all kernels of a of acme are up to date"
    assert told(patched(*states)) == [(WRONG, "kernels", text)]


def test_licences() -> None:
    """Those that cost and serve nobody."""
    target = seen(licensed(*[("KernelCare", number > 2, HOUR) for number in range(5)]))
    assert told(target) == [(LOOK, "licences", "3 IP licences of acme are paid for and used by nobody")]


def test_the_worst_comes_first() -> None:
    """What is wrong before what needs a look, whatever the order of the probes."""
    full = kernelcare(key("a", server("1", 2 * DAY), server("2", HOUR), limit=2))
    flags = observed({"flags": [StatusFlag("xmlrpc", False, False)]}, probe="status", account="")
    found = told(seen(full), seen(probe="imunify", failure=TIMEOUT), seen(flags))
    assert [(severity, kind) for severity, kind, _ in found] == [
        (WRONG, "cln"),
        (WRONG, "probes"),
        (WRONG, "keys"),
        (LOOK, "check-ins"),
    ]


def test_many_of_a_kind() -> None:
    """Some are named, the rest counted."""
    keys = [key(f"k{number}", server("1", HOUR), server("2", HOUR), limit=2) for number in range(20)]
    found = problems([seen(kernelcare(*keys))], NOW)
    assert len(found) == 20
    shown = shortened(found)
    assert [each.text for each in shown[7:]] == [found[7].text, "and 12 more of the keys"]
    assert shortened(found[:8]) == found[:8]
    assert shown[-1] == Problem(WRONG, "keys", "and 12 more of the keys")


def test_what_is_kept_of_a_failing_key_is_judged_as_well() -> None:
    """A failure hides nothing that is known."""
    observation = msgspec.structs.replace(kernelcare(key("a", server("1", 2 * DAY))))
    kinds = [kind for _, kind, _ in told(seen(observation, failure=TIMEOUT))]
    assert kinds == ["probes", "check-ins"]
