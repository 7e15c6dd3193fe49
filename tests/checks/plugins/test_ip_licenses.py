"""The check of IP licenses: unused licenses, and the check-ins of the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from cln_monitor.checks.plugins.ip_licenses import judge
from tests.checks.conftest import Cln
from tests.checks.inside import InProcessExit, options_of, result_of, run_in_process
from tests.checks.running import Outcome
from tests.checks.views import DAY, HOUR, caution, missing, part, view
from tests.helpers.clock import NOW

NAME = "check_cln_ip_licenses"
RANGES = ("-w", "1d", "-c", "3d")
UNUSED_RANGE = ("--unused-warning", "0")


def license_(
    ip: str, age: float | None = HOUR, kind: str = "CloudLinux OS", *, used: bool | None = True
) -> dict[str, Any]:
    """Return a license whose server checked in ``age`` seconds ago."""
    checkin = None if age is None else NOW - age
    return {"ip": ip, "license": kind, "registered": used, "created": NOW - 90 * DAY, "last_checkin": checkin}


def listed(licenses: Sequence[dict[str, Any]], age: float = 0) -> dict[str, Any]:
    """Return the part with the list of ``licenses``."""
    rows = [{name: row[name] for name in ("ip", "license", "registered", "created")} for row in licenses]
    return part("licenses", {"licenses": rows, "checkins": []}, age)


def checkins(name: str, licenses: Sequence[dict[str, Any]], age: float = 0) -> dict[str, Any]:
    """Return the part with the check-ins of ``licenses``."""
    rows = [{name: row[name] for name in ("ip", "license", "last_checkin")} for row in licenses]
    return part(name, {"licenses": [], "checkins": rows}, age)


def judged(licenses: Sequence[dict[str, Any]], *arguments: str) -> Outcome:
    """Return the output of the check for ``licenses``."""
    return shown(view([listed(licenses), checkins("check-ins 1", licenses)]), *arguments)


def shown(seen: Any, *arguments: str) -> Outcome:
    """Return the output of the check for a view."""
    verdict = judge(seen, options_of(NAME, *arguments), NOW)
    state, perfdata = verdict.evaluate()
    exit_ = InProcessExit()
    return result_of(lambda: exit_.finish(state, verdict.text, verdict.lines, perfdata), ())


def test_all_is_well() -> None:
    """The first line has the counts and the longest silent server; -v lists all servers."""
    licenses = [license_("192.0.2.1"), license_("192.0.2.2", 5 * HOUR)]
    outcome = judged(licenses)
    assert outcome.output == (
        "OK - 2 IP licenses, 0 unused, longest silent: 192.0.2.2 CloudLinux OS (5h) | licenses=2;;;0 "
        "oldest_checkin=18000s;86400;;0 stale=0;;;0 unregistered=0;;;0\n"
    )
    assert len(judged(licenses, "-v").lines) == 2


def test_use_that_cln_does_not_tell() -> None:
    """Unknown use is a note and a line; a server that checked in is judged by its age."""
    licenses = [license_("192.0.2.1"), license_("192.0.2.7", None, used=None), license_("192.0.2.8", used=None)]
    outcome = judged(licenses)
    told = "CLN does not report whether 2 of 3 licenses are used: 192.0.2.7 CloudLinux OS, 192.0.2.8 CloudLinux OS"
    assert outcome.state == "OK"
    assert outcome.text == f"3 IP licenses, 0 unused, longest silent: 192.0.2.1 CloudLinux OS (1h); {told}"
    assert outcome.lines == ["unknown: 192.0.2.7 CloudLinux OS", "unknown: 192.0.2.8 CloudLinux OS"]
    assert outcome.perfdata["unregistered"].value == 0
    silent = judged([license_("192.0.2.8", 5 * DAY, used=None)], *RANGES)
    assert silent.output.startswith("CRITICAL - ")


UNUSED = [license_("192.0.2.1"), *(license_(f"192.0.2.{number}", None, used=False) for number in (7, 8, 9))]


@pytest.mark.parametrize(
    ("arguments", "state"),
    [
        ((), "OK"),
        (("--unused-warning", "0"), "WARNING"),
        (("--unused-warning", "3"), "OK"),
        (("--unused-warning", "2"), "WARNING"),
        (("--unused-critical", "2"), "CRITICAL"),
        (("--unused-critical", "3"), "OK"),
        (("--unused-critical", "3", "--unused-warning", "0"), "WARNING"),
        (("--unused-warning", "5:"), "WARNING"),
        (("--unused-warning", "1:3"), "OK"),
        (("--unused-critical", "@3:3", "--unused-warning", "9"), "CRITICAL"),
        (("--unused-critical", "4:"), "CRITICAL"),
    ],
)
def test_what_is_paid_for_and_unused(arguments: tuple[str, ...], state: str) -> None:
    """Unused licenses are judged by their number, with any range."""
    outcome = judged(UNUSED, *arguments)
    assert outcome.state == state
    assert outcome.perfdata["unregistered"].value == 3
    assert outcome.perfdata["stale"].value == 0
    named = "3 of 4 licenses unused for 7d or longer: 192.0.2.7 CloudLinux OS, 192.0.2.8 CloudLinux OS, 192.0.2.9"
    assert named in outcome.text
    assert outcome.text.startswith(named) == (state != "OK")
    assert "unused: 192.0.2.7 CloudLinux OS" in outcome.lines


def test_none_unused_where_some_are_kept_in_stock() -> None:
    """A range with a minimum alerts if no unused license is left."""
    outcome = judged([license_("192.0.2.1")], "--unused-warning", "1:")
    assert (outcome.state, outcome.text) == ("WARNING", "0 of 1 licenses unused for 7d or longer")


@pytest.mark.parametrize(
    ("arguments", "state", "thresholds"),
    [
        ((), "WARNING", ("86400", "")),
        (RANGES, "CRITICAL", ("86400", "259200")),
        (("-w", "10d", "-c", "20d"), "OK", ("864000", "1728000")),
        (("-c", "12h"), "CRITICAL", ("", "43200")),
    ],
)
def test_servers_that_do_not_check_in(arguments: tuple[str, ...], state: str, thresholds: tuple[str, str]) -> None:
    """Silent servers are judged as for other products, and a contradicting default is dropped."""
    outcome = judged([license_("192.0.2.1", 9 * DAY), license_("192.0.2.2")], *arguments)
    assert outcome.state == state
    assert (outcome.perfdata["oldest_checkin"].warning, outcome.perfdata["oldest_checkin"].critical) == thresholds
    if state != "OK":
        assert "licensed servers not checked in for over" in outcome.text
        assert "192.0.2.1 CloudLinux OS (9d)" in outcome.text


MIXED = [
    license_("192.0.2.1"),
    license_("192.0.2.1", 9 * DAY, "KernelCare"),
    license_("192.0.2.2", None, "5010", used=False),
]


@pytest.mark.parametrize(
    ("arguments", "state", "licenses"),
    [
        (("--ip", "192.0.2.1"), "CRITICAL", 2),
        (("--ip", "192.0.2.2"), "WARNING", 1),
        (("--license", "CloudLinux OS"), "OK", 1),
        (("--license", "5010"), "WARNING", 1),
        (("--license", "KernelCare", "--license", "5010"), "CRITICAL", 2),
        (("--license", "KernelCare", "--ip", "192.0.2.1"), "CRITICAL", 1),
    ],
)
def test_filters(arguments: tuple[str, ...], state: str, licenses: int) -> None:
    """--ip and --license select licenses and are repeatable."""
    outcome = judged(MIXED, *arguments, *RANGES, *UNUSED_RANGE)
    assert (outcome.state, outcome.perfdata["licenses"].value) == (state, licenses)


@pytest.mark.parametrize(("given", "told"), [("2001:DB8::3", "2001:db8::3"), ("2001:db8::3", "2001:DB8:0::3")])
def test_addresses_in_any_spelling(given: str, told: str) -> None:
    """--ip matches an address in any notation."""
    outcome = judged([license_(told), license_("192.0.2.1", 9 * DAY)], "--ip", given)
    assert (outcome.state, outcome.perfdata["licenses"].value) == ("OK", 1)
    gone = judged([license_(told)], "--ip", given, "--ip", "2001:DB8::4")
    assert gone.text == "no IP license of this account matches --ip 2001:db8::4"


@pytest.mark.parametrize(
    ("licenses", "arguments", "text"),
    [
        ([], (), "no IP license belongs to the account"),
        (MIXED, ("--ip", "192.0.2.77"), "no IP license of this account matches --ip 192.0.2.77"),
        (
            [license_("192.0.2.1")],
            ("--ip", "192.0.2.77", "--ip", "192.0.2.1"),
            "no IP license of this account matches --ip 192.0.2.77",
        ),
        (
            [license_("192.0.2.1")],
            ("--license", "CloudLinux OS", "--license", "KernelCar"),
            "no IP license of this account matches --license KernelCar",
        ),
    ],
)
def test_nothing_where_something_must_be(licenses: list[dict[str, Any]], arguments: tuple[str, ...], text: str) -> None:
    """An option without a match is UNKNOWN, or the state of --no-match-state."""
    outcome = judged(licenses, *arguments)
    assert (outcome.state, outcome.text) == ("UNKNOWN", text)
    assert judged(licenses, *arguments, "--no-match-state", "ok").state == "OK"


def test_what_could_not_be_read() -> None:
    """A list that could not be read is UNKNOWN without metrics."""
    seen = view([], [missing("")], list_known=False)
    outcome = shown(seen, "--unused-critical", "1:", "--unused-warning", "2:")
    assert (outcome.state, outcome.text, outcome.perfdata) == ("UNKNOWN", "reading it: nonsense", {})


FIRST, SECOND = license_("192.0.2.1", 9 * DAY), license_("198.51.100.1", 9 * DAY)
FREE = license_("192.0.2.9", None, used=False)
HALF = view([listed([FIRST, SECOND, FREE]), checkins("check-ins 1", [FIRST, FREE])], [missing("check-ins 2")])


def test_checkins_that_could_not_be_read() -> None:
    """Missing check-ins leave unused licenses and other check-ins judged, without metrics."""
    outcome = shown(view([listed([FIRST, FREE])], [missing("check-ins 1")]))
    assert (outcome.state, outcome.perfdata) == ("UNKNOWN", {})
    named = "1 of 2 licenses unused for 7d or longer: 192.0.2.9 CloudLinux OS"
    assert outcome.text == f"reading it: nonsense; {named}"
    assert outcome.lines == ["unused: 192.0.2.9 CloudLinux OS"]
    critical = shown(view([listed([FIRST, FREE])], [missing("check-ins 1")]), "--unused-critical", "0")
    assert (critical.state, critical.text) == ("CRITICAL", f"{named}; reading it: nonsense")
    outcome = shown(HALF, "--unused-warning", "1", *RANGES)
    assert (outcome.state, outcome.perfdata) == ("CRITICAL", {})
    told = "1 of 1 licensed servers not checked in for over 3d: 192.0.2.1 CloudLinux OS (9d); reading it: nonsense"
    assert outcome.text == f"{told}; 1 of 3 licenses unused for 7d or longer: 192.0.2.9 CloudLinux OS"


@pytest.mark.parametrize(
    ("arguments", "state", "metrics"),
    [
        (("--ip", "192.0.2.1"), "CRITICAL", True),
        (("--ip", "192.0.2.9"), "WARNING", True),
        (("--ip", "198.51.100.1"), "UNKNOWN", False),
        (("--license", "CloudLinux OS"), "CRITICAL", False),
    ],
)
def test_only_checkins_that_are_looked_at_are_missed(arguments: tuple[str, ...], state: str, metrics: bool) -> None:
    """Missing check-ins of licenses that are not selected do not matter."""
    outcome = shown(HALF, *arguments, *RANGES, *UNUSED_RANGE)
    assert (outcome.state, bool(outcome.perfdata)) == (state, metrics)
    assert ("reading it: nonsense" in outcome.text) != metrics


def test_checkins_of_an_earlier_run() -> None:
    """Check-ins of an earlier run count; the newer one wins, and removed licenses are ignored."""
    kept = checkins("check-ins 2", [license_("192.0.2.1", 20 * DAY), SECOND, license_("192.0.2.66", 99 * DAY)], 1800)
    now = [listed([FIRST, SECOND]), checkins("check-ins 1", [FIRST])]
    outcome = shown(view([*now, kept], [missing("check-ins 2")]), "-v", *RANGES)  # the parts of the last run come first
    assert outcome.state == "CRITICAL"
    assert outcome.lines == [
        "missing: check-ins 2 (bad_answer): reading it: nonsense",
        "CRITICAL: 192.0.2.1 CloudLinux OS (9d)",
        "CRITICAL: 198.51.100.1 CloudLinux OS (9d)",
    ]
    assert outcome.perfdata["licenses"].value == 2


def test_what_is_kept_does_not_fit_together() -> None:
    """A license without a kept check-in, or an expired list, is UNKNOWN."""
    kept = checkins("check-ins 1", [license_("192.0.2.1")], 1800)
    new = license_("192.0.2.2")
    for seen in (
        view([listed([license_("192.0.2.1"), new]), kept], [missing("check-ins 1")]),
        view([kept], [missing("")], list_known=False),
    ):
        outcome = shown(seen)
        assert (outcome.state, outcome.perfdata) == ("UNKNOWN", {})
        assert outcome.text == "reading it: nonsense"


def test_thresholds_that_contradict_each_other() -> None:
    """A warning range looser than the critical range is an error."""
    with pytest.raises(Exception, match="the warning range 5 is looser than the critical range 2"):
        judged(UNUSED, "--unused-warning", "5", "--unused-critical", "2")


def test_through_the_client(cln: Cln) -> None:
    """An unknown license type is shown by its number."""
    outcome = run_in_process(NAME, *cln.login, *RANGES)
    assert outcome.state == "CRITICAL"
    assert (
        "1 of 1 licensed servers not checked in for over 3d: web1.example.net 192.0.2.1 CloudLinux OS (" in outcome.text
    )
    assert "1 of 2 licenses unused for 7d or longer: 192.0.2.9 5010" in outcome.text


def test_an_address_with_two_licenses_is_one_server() -> None:
    """An address with two licenses is one server, judged by the older check-in."""
    both = [license_("192.0.2.1", 9 * DAY), {**license_("192.0.2.1", HOUR), "license": "KernelCare"}]
    outcome = judged(both, *RANGES)
    assert outcome.text == (
        "1 of 1 licensed servers not checked in for over 3d: 192.0.2.1 CloudLinux OS, KernelCare (9d)"
    )
    assert (outcome.perfdata["licenses"].value, outcome.perfdata["stale"].value) == (2, 1)


def test_use_and_check_in_that_nobody_knows() -> None:
    """An unknown use with an unknown check-in is WARNING, also with --ip or --license."""
    unsure = {**license_("192.0.2.1", None), "registered": None}
    row = {"ip": "192.0.2.1", "license": unsure["license"]}
    odd = caution("checkin_ahead", "192.0.2.1 (2099-01-01)")
    seen = view([listed([unsure]), part("check-ins 1", {"licenses": [], "checkins": [row]}, cautions=[odd])])
    for arguments in ((), ("--ip", "192.0.2.1"), ("--license", unsure["license"])):
        assert shown(seen, *arguments).state == "WARNING", arguments
