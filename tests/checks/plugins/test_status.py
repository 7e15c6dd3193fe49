"""The check of the flags of CLN's services."""

from __future__ import annotations

from typing import Any

import pytest

from cln_monitor.checks.plugins.status import judge
from cln_monitor.simulator import Fault
from tests.checks.conftest import Cln
from tests.checks.inside import InProcessExit, options_of, result_of, run_in_process
from tests.checks.running import Outcome
from tests.checks.views import missing, part, view
from tests.helpers.clock import NOW

NAME = "check_cln_status"


def judged(flags: dict[str, tuple[bool, bool]], *arguments: str) -> Outcome:
    """Return the output of the check for ``flags``, each with its value and whether it is good."""
    rows = [{"name": name, "value": value, "good": good} for name, (value, good) in flags.items()]
    return shown(view([part("flags", rows)]), *arguments)


def shown(seen: Any, *arguments: str) -> Outcome:
    """Return the output of the check for a view."""
    verdict = judge(seen, options_of(NAME, *arguments), NOW)
    state, perfdata = verdict.evaluate()
    exit_ = InProcessExit()
    return result_of(lambda: exit_.finish(state, verdict.text, verdict.lines, perfdata), ())


GOOD, BAD, FULL = (True, True), (False, False), (True, False)


def test_all_is_well() -> None:
    """Each flag has a metric and a line."""
    assert judged({"xmlrpc": GOOD, "rhn_overloaded": (False, True)}).output == (
        "OK - all 2 flags of CLN at cln.example.net good | rhn_overloaded=0;;;0 xmlrpc=1;;;0\n"
        "xmlrpc: true, good\n"
        "rhn_overloaded: false, good\n"
    )


@pytest.mark.parametrize(
    ("arguments", "state", "text"),
    [
        ((), "WARNING", "2 of 3 flags of CLN at cln.example.net bad: xmlrpc is false, rhn_queue_full is true"),
        (
            ("--critical-flag", "xmlrpc"),
            "CRITICAL",
            "2 of 3 flags of CLN at cln.example.net bad: xmlrpc is false, rhn_queue_full is true",
        ),
        (
            ("--critical-flag", "db"),
            "WARNING",
            "2 of 3 flags of CLN at cln.example.net bad: xmlrpc is false, rhn_queue_full is true",
        ),
        (
            ("--ignore-flag", "xmlrpc", "--critical-flag", "rhn_queue_full"),
            "CRITICAL",
            "1 of 2 flags of CLN at cln.example.net bad: rhn_queue_full is true",
        ),
        (
            ("--ignore-flag", "rhn_queue_full", "--critical-flag", "rhn_queue_full"),
            "WARNING",
            "1 of 2 flags of CLN at cln.example.net bad: xmlrpc is false",
        ),
        (
            ("--ignore-flag", "rhn_queue_full", "--ignore-flag", "xmlrpc"),
            "OK",
            "all 1 flags of CLN at cln.example.net good",
        ),
    ],
)
def test_which_flags_count(arguments: tuple[str, ...], state: str, text: str) -> None:
    """Ignored flags still have a metric and a line."""
    outcome = judged({"xmlrpc": BAD, "rhn_queue_full": FULL, "db": GOOD}, *arguments)
    assert (outcome.state, outcome.text) == (state, text)
    assert {label: item.value for label, item in outcome.perfdata.items()} == {
        "xmlrpc": 0,
        "rhn_queue_full": 1,
        "db": 1,
    }
    assert len(outcome.lines) == 3


@pytest.mark.parametrize("option", ["--ignore-flag", "--critical-flag"])
def test_a_flag_that_cln_does_not_show(option: str) -> None:
    """A flag option without a match changes nothing."""
    assert judged({"xmlrpc": GOOD}, option, "rhn_queue_full").state == "OK"
    assert judged({"xmlrpc": BAD}, option, "xmlprc").state == "WARNING"


def test_nothing_to_look_at() -> None:
    """A check without flags is UNKNOWN."""
    assert judged({"xmlrpc": GOOD}, "--ignore-flag", "xmlrpc").text == "no flags of CLN at cln.example.net to check"
    assert judged({"xmlrpc": GOOD}, "--ignore-flag", "xmlrpc").state == "UNKNOWN"
    outcome = shown(view([], [missing("flags")]))
    assert (outcome.state, outcome.text, outcome.perfdata) == ("UNKNOWN", "reading it: nonsense", {})


@pytest.mark.parametrize("flag", [GOOD, BAD], ids=["good", "bad"])
def test_flags_of_before_the_last_poll_failed(flag: tuple[bool, bool]) -> None:
    """Flags from before a failed poll are not used."""
    rows = [{"name": "xmlrpc", "value": flag[0], "good": flag[1]}]
    outcome = shown(view([part("flags", rows, age=60)], [missing("flags")]))
    assert (outcome.state, outcome.text, outcome.perfdata) == ("UNKNOWN", "reading it: nonsense", {})


def test_flags_that_cln_names_as_it_likes() -> None:
    """A flag with any name has a valid line and metric."""
    outcome = judged({"a=b|c 'd'\n🚀": BAD, "": GOOD})
    assert outcome.state == "WARNING"
    assert "bad: a=b¦c 'd' 🚀 is false" in outcome.text
    assert len(outcome.perfdata) == 2


def test_five_thousand_flags() -> None:
    """5000 flags fit into the size that Nagios reads, and all of them count."""
    outcome = judged({f"flag{number}": (BAD if number == 4999 else GOOD) for number in range(5000)})
    assert outcome.state == "WARNING"
    assert outcome.text.endswith("1 of 5000 flags of CLN at cln.example.net bad: flag4999 is false")
    assert len(outcome.perfdata) > 400


def test_a_cln_that_goes_bad(cln: Cln) -> None:
    """A bad flag is reported, and /status.plain is used if the JSON is invalid."""
    cln.simulator.flags["rhn_overloaded"] = True
    cln.simulator.faults.add(Fault("html", "/status.json"))
    outcome = run_in_process(NAME, "--api-url", cln.url)
    cln.simulator.flags["rhn_overloaded"] = False
    assert outcome.state == "WARNING"
    assert "bad: rhn_overloaded is true" in outcome.text
    assert run_in_process(NAME, "--api-url", cln.url).state == "OK"
