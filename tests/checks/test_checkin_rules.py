"""The evaluation of servers that check in and of their keys: states, texts, metrics, and filters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from cln_monitor.checks.checkin_rules import judge
from cln_monitor.checks.plugin_exit import CheckError
from cln_monitor.checks.states import State
from cln_monitor.masking import mask_key
from tests.helpers.clock import NOW
from tests.helpers.small_cln import KEY, UNLIMITED_KEY

from .inside import InProcessExit, options_of, result_of
from .running import Outcome
from .views import DAY, HOUR, KEY_LABEL, caution, key, missing, server, view

FULL = mask_key(KEY)


def judged(seen: Any, *arguments: str) -> Outcome:
    """Return the output of a check for a view."""
    verdict = judge(seen, "KernelCare", options_of("check_cln_kernelcare", *arguments), NOW)
    state, perfdata = verdict.evaluate()
    exit_ = InProcessExit()
    return result_of(lambda: exit_.finish(state, verdict.text, verdict.lines, perfdata), ())


RANGES = ("-w", "1d", "-c", "3d")
LIMIT_RANGES = ("--limit-warning", "80", "--limit-critical", "95")


def of_ages(*ages: float | None) -> Any:
    """Return a view of one key with servers of these ages."""
    return view([key(KEY_LABEL, [server(f"192.0.2.{number}", age) for number, age in enumerate(ages, 1)])])


def metrics(outcome: Outcome) -> dict[str, float]:
    """Return the values of the perfdata."""
    return {label: item.value for label, item in outcome.perfdata.items()}


def test_all_is_well() -> None:
    """The first line has the counts, the longest silent server, and the fullest key; -v lists all servers."""
    seen = view([key(KEY_LABEL, [server("192.0.2.1", 2 * HOUR), server("192.0.2.2", 5 * HOUR)], limit=10)])
    assert judged(seen).output == (
        "OK - 2 KernelCare servers, longest silent: 192.0.2.2 (5h); fullest key: WsTs-8c7994d7 at 20% "
        "(2/10) | limit_usage=20%;90;100;0 never_checked_in=0;;;0 oldest_checkin=18000s;86400;;0 servers=2;;;0 "
        "stale=0;;;0 superseded=0;;;0 unknown_checkin=0;;;0\nkey WsTs-8c7994d7 at 20% (2/10)\n"
    )
    assert judged(seen, "-v").lines[:2] == ["OK: 192.0.2.2 (5h)", "OK: 192.0.2.1 (2h)"]


def test_what_is_stale() -> None:
    """The first line has the counts, the worst servers with ages, and the thresholds, CRITICAL first."""
    outcome = judged(of_ages(HOUR, 30 * HOUR, 4.5 * DAY, 9.5 * DAY), *RANGES)
    assert outcome.state == "CRITICAL"
    assert outcome.text == (
        "2 of 4 KernelCare servers not checked in for over 3d: 192.0.2.4 (9d), 192.0.2.3 (4d); "
        "1 of 4 KernelCare servers not checked in for over 1d: 192.0.2.2 (30h)"
    )
    assert outcome.lines == ["CRITICAL: 192.0.2.4 (9d)", "CRITICAL: 192.0.2.3 (4d)", "WARNING: 192.0.2.2 (30h)"]
    assert metrics(outcome) == {
        "servers": 4,
        "stale": 3,
        "never_checked_in": 0,
        "unknown_checkin": 0,
        "oldest_checkin": 9.5 * DAY,
        "superseded": 0,
    }


@pytest.mark.parametrize(
    ("age", "state"),
    [(0, "OK"), (DAY, "OK"), (DAY + 1, "WARNING"), (3 * DAY, "WARNING"), (3 * DAY + 1, "CRITICAL"), (-9 * DAY, "OK")],
)
def test_the_edges_of_the_thresholds(age: float, state: str) -> None:
    """An age equal to a threshold is good; a check-in ahead of the local clock has an age of 0."""
    outcome = judged(of_ages(age), *RANGES)
    assert outcome.state == state
    assert outcome.perfdata["oldest_checkin"].value == max(0, age)


def test_a_clock_that_is_ahead() -> None:
    """A check-in in the future is shown with an age of 0."""
    outcome = judged(of_ages(-HOUR))
    assert outcome.text == "1 KernelCare server, longest silent: 192.0.2.1 (0s)"


@pytest.mark.parametrize(
    ("arguments", "state", "words"),
    [
        (("-w", "5:", "-c", "1:"), "WARNING", "with the age of the last check-in outside 5:: "),
        (("-c", "@1s:1h"), "CRITICAL", "with the age of the last check-in inside 1s:1h: "),
        (("-c", "1m:2h"), "CRITICAL", "with the age of the last check-in outside 1m:2h: "),
        (("-w", "2", "-c", "1d"), "WARNING", "not checked in for over 2s: "),
    ],
)
def test_ranges_in_words(arguments: tuple[str, ...], state: str, words: str) -> None:
    """An inverted range or one with a minimum is described as such."""
    outcome = judged(of_ages(3.9), *arguments)
    assert outcome.state == state
    assert outcome.text == f"1 of 1 KernelCare servers {words}192.0.2.1 (3s)"


def test_metrics_and_words_agree_on_fractions() -> None:
    """Ages are compared in whole seconds, as they are shown."""
    assert judged(of_ages(4.7), "-c", "4.5:").state == "CRITICAL"
    assert judged(of_ages(4.7), "-c", "4:").state == "OK"
    assert judged(of_ages(DAY + 0.5), "-c", "1d").state == "OK"


@pytest.mark.parametrize(
    ("created", "state", "named"),
    [
        (HOUR, "OK", "1 KernelCare server, 1 not checked in yet"),
        (2 * DAY, "WARNING", "never checked in, registered over 1d ago: 192.0.2.1 (registered 2d ago)"),
        (9 * DAY, "CRITICAL", "never checked in, registered over 3d ago: 192.0.2.1 (registered 9d ago)"),
        (None, "OK", "1 KernelCare server; 1 of 1 KernelCare servers never checked in: 192.0.2.1"),
        (-DAY, "OK", "1 KernelCare server, 1 not checked in yet"),
    ],
)
def test_a_server_that_never_checked_in(created: float | None, state: str, named: str) -> None:
    """A server without check-ins is judged by its registration; without a date it is a note."""
    outcome = judged(view([key(KEY_LABEL, [server("192.0.2.1", None, created)])]), *RANGES)
    assert outcome.state == state
    assert named in outcome.text
    assert outcome.perfdata["never_checked_in"].value == 1
    assert "oldest_checkin" not in outcome.perfdata


def test_never_without_a_threshold_for_warning() -> None:
    """The text names no threshold that is not set."""
    seen = view([key(KEY_LABEL, [server("192.0.2.1", None, None)])])
    told = "1 KernelCare server; 1 of 1 KernelCare servers never checked in: 192.0.2.1"
    assert judged(seen, "-c", "12h").text == told


def test_imunify_does_not_tell_when_a_server_was_registered() -> None:
    """A row without a registration date is like one with an unknown date."""
    row = server("192.0.2.1", None)
    del row["created"]
    outcome = judged(view([key(KEY_LABEL, [row])]))
    assert (outcome.state, outcome.text) == (
        "OK",
        "1 KernelCare server; 1 of 1 KernelCare servers never checked in: 192.0.2.1",
    )


@pytest.mark.parametrize(
    ("used", "limit", "state"),
    [(8, 10, "OK"), (81, 100, "WARNING"), (95, 100, "WARNING"), (96, 100, "CRITICAL"), (12, 10, "CRITICAL")],
)
def test_keys_that_fill_up(used: int, limit: int, state: str) -> None:
    """A key is judged by the usage of its limit, which may exceed 100%."""
    seen = view([key(KEY_LABEL, [server(f"192.0.2.{number}", HOUR) for number in range(used)], limit)])
    outcome = judged(seen, *LIMIT_RANGES)
    assert outcome.state == state
    assert outcome.perfdata["limit_usage"].value == 100 * used / limit
    assert f"WsTs-8c7994d7 at {100 * used / limit:.0f}% ({used}/{limit})" in outcome.text


def test_several_keys_that_fill_up() -> None:
    """Each key is judged, and the metric is that of the fullest key."""
    keys = [key(label, [server(f"{label}{n}", HOUR) for n in range(used)], 100) for label, used in FILLED]
    outcome = judged(view(keys), *LIMIT_RANGES)
    assert outcome.text == (
        "1 key over 95% full: Full-00000000 at 100% (100/100); 2 keys over 80% full: "
        "Midd-00000000 at 90% (90/100), Some-00000000 at 85% (85/100)"
    )
    assert outcome.perfdata["limit_usage"].value == 100
    assert judged(view(keys), "--limit-warning", "90:", "--limit-critical", "50:").text.startswith(
        "1 key with limit usage outside 50: (in %): Free-00000000 at 10% (10/100); "
        "1 key with limit usage outside 90: (in %): Some-00000000 at"
    )


FILLED = (("Full-00000000", 100), ("Some-00000000", 85), ("Free-00000000", 10), ("Midd-00000000", 90))


@pytest.mark.parametrize("limit", [0, None])
def test_keys_without_a_limit(limit: int | None) -> None:
    """A key with an unlimited or unknown limit has no usage."""
    outcome = judged(view([key(KEY_LABEL, [server("192.0.2.1", HOUR)], limit)]))
    assert (outcome.state, "limit_usage" in outcome.perfdata) == ("OK", False)
    assert outcome.text == "1 KernelCare server, longest silent: 192.0.2.1 (1h)"


TWO_KEYS = (
    key(FULL, [server("192.0.2.1", HOUR), server("192.0.2.2", 9 * DAY)], 2),
    key(mask_key(UNLIMITED_KEY), [server("192.0.2.3", 2 * DAY), server("2001:db8::1", HOUR)]),
)


@pytest.mark.parametrize(
    ("arguments", "state", "servers"),
    [
        ((), "CRITICAL", 4),
        (("--key", KEY), "CRITICAL", 2),
        (("--key", FULL), "CRITICAL", 2),
        (("--key", UNLIMITED_KEY), "WARNING", 2),
        (("--key", UNLIMITED_KEY, "--key", FULL), "CRITICAL", 4),
        (("--ip", "192.0.2.1"), "OK", 1),
        (("--ip", "192.0.2.1", "--ip", "192.0.2.3"), "WARNING", 2),
        (("--server-id", "id-of-192.0.2.2"), "CRITICAL", 1),
        (("--server-id", "id-of-192.0.2.1", "--ip", "192.0.2.1"), "OK", 1),
        (("--key", UNLIMITED_KEY, "--ip", "2001:db8::1"), "OK", 1),
        (("--ip", "2001:DB8:0::1"), "OK", 1),
    ],
)
def test_filters(arguments: tuple[str, ...], state: str, servers: int) -> None:
    """Filtered servers count neither for the state nor for the metrics."""
    outcome = judged(view(TWO_KEYS), *arguments, *RANGES)
    assert (outcome.state, outcome.perfdata["servers"].value) == (state, servers)
    assert KEY not in outcome.output


@pytest.mark.parametrize("given", ["2001:db8::3", "2001:DB8::3", "2001:0db8:0:0::0003"])
@pytest.mark.parametrize("told", ["2001:db8::3", "2001:DB8::3", "2001:db8:0:0:0:0:0:3"])
def test_addresses_in_any_spelling(given: str, told: str) -> None:
    """--ip matches an address in any notation, and other text unchanged."""
    seen = view([key(FULL, [server(told, HOUR), server("", HOUR), server("no address", 9 * DAY)])])
    outcome = judged(seen, "--ip", given)
    assert (outcome.state, outcome.text) == ("OK", f"1 KernelCare server, longest silent: {told} (1h)")
    gone = judged(seen, "--ip", given, "--ip", "2001:DB8::4")
    assert gone.text == "no KernelCare server of this account matches --ip 2001:db8::4"


@pytest.mark.parametrize("name", ["check_cln_kernelcare", "check_cln_imunify", "check_cln_ip_licenses"])
@pytest.mark.parametrize("text", ["192.0.2", "192.0.2.1/32", "web1.example.net", "192.0.2.1,192.0.2.2", " ", "1"])
def test_an_ip_that_is_none(name: str, text: str) -> None:
    """An invalid --ip is reported as such."""
    with pytest.raises(CheckError) as raised:
        options_of(name, "--ip", text)
    assert str(raised.value) == "argument --ip: expected an IP address, such as 192.0.2.1; see --help"


@pytest.mark.parametrize("arguments", [("--ip", "192.0.2.1"), ("--server-id", "id-of-192.0.2.1")])
def test_a_check_of_one_server_does_not_judge_its_key(arguments: tuple[str, ...]) -> None:
    """A check of one server does not alert on its full key."""
    outcome = judged(view(TWO_KEYS), *arguments)
    assert outcome.text == "1 KernelCare server, longest silent: 192.0.2.1 (1h)"
    assert "limit_usage" not in outcome.perfdata


@pytest.mark.parametrize(
    ("parts", "arguments", "text"),
    [
        ((), (), "no KernelCare server is registered"),
        ((key(FULL, []),), (), "no KernelCare server is registered"),
        (TWO_KEYS, ("--ip", "192.0.2.77"), "no KernelCare server of this account matches --ip 192.0.2.77"),
        (
            TWO_KEYS,
            ("--key", "NoSuchKey1234567"),
            f"no KernelCare server of this account matches --key {mask_key('NoSuchKey1234567')}",
        ),
        (
            TWO_KEYS,
            ("--server-id", "id-of-192.0.2.2", "--ip", "192.0.2.1"),
            "no KernelCare server of this account matches --ip 192.0.2.1, --server-id id-of-192.0.2.2",
        ),
        (
            TWO_KEYS,
            ("--ip", "192.0.2.77", "--ip", "192.0.2.1"),
            "no KernelCare server of this account matches --ip 192.0.2.77",
        ),
        (
            TWO_KEYS,
            ("--key", "NoSuchKey1234567", "--key", UNLIMITED_KEY, "-w", "9d", "-c", "9d"),
            f"no KernelCare server of this account matches --key {mask_key('NoSuchKey1234567')}",
        ),
        (
            TWO_KEYS,
            ("--server-id", "gone", "--server-id", "id-of-192.0.2.1", "--server-id", "too"),
            "no KernelCare server of this account matches --server-id gone, --server-id too",
        ),
    ],
)
def test_nothing_where_something_must_be(parts: Iterable[Any], arguments: tuple[str, ...], text: str) -> None:
    """An option without a match is UNKNOWN, or the state of --no-match-state."""
    outcome = judged(view(parts), *arguments)
    assert (outcome.state, outcome.text) == ("UNKNOWN", text)
    for state in ("ok", "warning", "critical"):
        other = judged(view(parts), *arguments, "--no-match-state", state)
        assert (other.state, other.text) == (state.upper(), text)


def test_a_key_that_is_empty_is_not_one_that_is_gone() -> None:
    """A key without servers matches --key."""
    seen = view([*TWO_KEYS, key(mask_key("EmptyKey12345678"), [])])
    assert judged(seen, "--key", "EmptyKey12345678", "--key", UNLIMITED_KEY).state == "WARNING"


def test_what_could_not_be_read_is_not_gone() -> None:
    """A key that could not be read is not reported as having no match."""
    seen = view(TWO_KEYS, [missing(mask_key("FailedKey1234567"))])
    outcome = judged(seen, "--key", "FailedKey1234567", "--key", UNLIMITED_KEY)
    assert outcome.text == "reading it: nonsense; 1 of 2 KernelCare servers not checked in for over 1d: 192.0.2.3 (2d)"
    assert outcome.perfdata == {}
    outcome = judged(view([], [missing("")], list_known=False), "--ip", "192.0.2.1")
    assert (outcome.state, outcome.text, outcome.perfdata) == ("UNKNOWN", "reading it: nonsense", {})


@pytest.mark.parametrize(
    ("ages", "lacks", "state"),
    [
        ((9 * DAY,), [missing("x")], "CRITICAL"),
        ((2 * DAY,), [missing("x")], "UNKNOWN"),
        ((HOUR,), [missing("x")], "UNKNOWN"),
        ((2 * DAY,), [], "WARNING"),
    ],
)
def test_a_mixed_state_does_not_hide_the_worse(ages: tuple[float, ...], lacks: list[Any], state: str) -> None:
    """CRITICAL takes precedence over UNKNOWN, and UNKNOWN over WARNING."""
    servers = [server(f"192.0.2.{number}", age) for number, age in enumerate(ages)]
    assert judged(view([key(KEY_LABEL, servers)], lacks), *RANGES).state == state


def test_keys_are_shown_masked_also_where_they_are_labelled_in_full() -> None:
    """Keys are masked in the output even with key_labels: full."""
    seen = view([key(KEY, [server("192.0.2.1", HOUR)], 1)])
    for arguments in ((), ("--key", KEY), ("--key", FULL)):
        outcome = judged(seen, *arguments, *LIMIT_RANGES)
        assert outcome.state == "CRITICAL"
        assert f"1 key over 95% full: {FULL} at 100% (1/1)" in outcome.text
        assert KEY not in outcome.output


def test_a_fleet_of_five_thousand_stale_servers() -> None:
    """5000 silent servers are counted, and the worst hundred are named, so that the keys after them fit as well."""
    fleet = [server(f"10.0.{number // 256}.{number % 256}", 9 * DAY + number * 60) for number in range(5000)]
    outcome = judged(view([key(KEY_LABEL, fleet, 5000)]), *RANGES, *LIMIT_RANGES)
    assert outcome.state == "CRITICAL"
    assert outcome.text.startswith("5000 of 5000 KernelCare servers not checked in for over 3d: 10.0.19.135 (12d), ")
    assert " and 4995 more; 1 key over 95% full: WsTs-8c7994d7 at 100% (5000/5000)" in outcome.text
    assert metrics(outcome)["stale"] == 5000
    named, more, last = outcome.lines[:100], *outcome.lines[100:]
    assert named[0] == "CRITICAL: 10.0.19.135 (12d)"
    assert all(line.startswith("CRITICAL: ") for line in named)
    assert more == "… and 4900 more servers"
    assert last == "key WsTs-8c7994d7 at 100% (5000/5000)"


def test_a_fleet_of_five_thousand_full_keys() -> None:
    """5000 keys are judged in linear time."""
    keys = [key(f"K{number:03d}-{number:08x}", [server(f"s{number}", HOUR)], 1) for number in range(5000)]
    outcome = judged(view(keys), *LIMIT_RANGES)
    assert outcome.text.startswith("5000 keys over 95% full: K000-00000000 at 100% (1/1), ")


@pytest.mark.parametrize(("name", "shown"), [("web|1\n=a'b\"🚀", "web¦1 =a'b\"🚀"), ("", "id-of-")])
def test_names_that_hold_anything(name: str, shown: str) -> None:
    """Any server name is printable, and a server without an address is named by its id."""
    outcome = judged(view([key(KEY_LABEL, [server(name, 9 * DAY)])]), *RANGES)
    assert outcome.text == f"1 of 1 KernelCare servers not checked in for over 3d: {shown} (9d)"


def test_thresholds_that_contradict_each_other() -> None:
    """A warning range looser than the critical range is an error for ages and limits."""
    for warning, critical, flag in (("3d", "1d", ""), ("95", "80", "limit-")):
        short = (f"--{flag}warning", warning, f"--{flag}critical", critical)
        verdict = result_of(lambda short=short: _refused(*short), ())  # type: ignore[misc] # bound now
        assert verdict.text == f"the warning range {warning} is looser than the critical range {critical}"


def _refused(*arguments: str) -> None:
    exit_ = InProcessExit()
    try:
        judge(view(TWO_KEYS), "KernelCare", options_of("check_cln_kernelcare", *arguments), NOW)
    except Exception as error:  # noqa: BLE001 # whatever it is, it is shown
        exit_.unknown(str(error))


def test_states_are_states() -> None:
    """--no-match-state accepts each state."""
    assert options_of("check_cln_kernelcare", "--no-match-state", "OK").no_match_state is State.OK


def test_the_number_in_use_that_cln_tells_counts() -> None:
    """An Imunify key is full by CLN's count even if its list has fewer servers."""
    full = key(KEY_LABEL, [server("192.0.2.1", HOUR)], limit=10)
    full["value"]["servers_reported"] = 10
    outcome = judged(view([full]))
    assert (outcome.state, outcome.perfdata["limit_usage"].value) == ("WARNING", 100)
    assert "key WsTs-8c7994d7 is full (10/10)" in outcome.text


def test_a_check_in_that_is_unknown() -> None:
    """An unknown check-in is a WARNING, has its own metric, and is named if its server is selected."""
    row = server("192.0.2.4", None)
    del row["last_checkin"]
    odd = caution("checkin_ahead", "192.0.2.4 (2099-01-01)")
    seen = view([key(KEY_LABEL, [row, server("192.0.2.1", HOUR)], cautions=[odd])])
    outcome = judged(seen)
    told = "1 server has a last check-in more than 1h ahead of CLN's clock: 192.0.2.4 (2099-01-01)"
    assert (outcome.state, outcome.text) == ("WARNING", told)
    assert outcome.lines == ["checkin_ahead: 192.0.2.4 (2099-01-01)", "WARNING: 192.0.2.4 (unknown)"]
    assert {name: metrics(outcome)[name] for name in ("stale", "unknown_checkin", "oldest_checkin")} == {
        "stale": 0,
        "unknown_checkin": 1,
        "oldest_checkin": HOUR,
    }
    chosen = judged(seen, "--ip", "192.0.2.4")
    assert (chosen.state, chosen.text) == (
        "WARNING",
        "1 of 1 KernelCare servers with an unknown last check-in: 192.0.2.4",
    )
    assert judged(seen, "--ip", "192.0.2.1").state == "OK"


def test_an_address_that_nobody_tells() -> None:
    """A list without addresses is a WARNING even with --ip and --no-match-state ok."""
    odd = caution("field_missing", f"ip of 1 server of key {KEY_LABEL}")
    row = server("", HOUR) | {"ip": ""}
    outcome = judged(view([key(KEY_LABEL, [row], cautions=[odd])]), "--ip", "192.0.2.1", "--no-match-state", "ok")
    assert (outcome.state, outcome.text.partition(";")[0]) == (
        "WARNING",
        f"CLN reports no ip of 1 server of key {KEY_LABEL}",
    )


@pytest.mark.parametrize(
    ("limit", "fact", "state"),
    [("1,000", "limit_unreadable", "WARNING"), (None, "limit_not_told", "OK"), (0, "", "OK"), (10, "", "OK")],
)
def test_limits_of_four_kinds(limit: int | str | None, fact: str, state: str) -> None:
    """Only a numeric limit has a usage; unlimited, unreadable, and unknown limits have none."""
    cautions = [caution(fact, KEY_LABEL)] if fact else []
    outcome = judged(view([key(KEY_LABEL, [server("192.0.2.1", HOUR)], limit, cautions)]))
    assert (outcome.state, "limit_usage" in outcome.perfdata) == (state, limit == 10)
    assert ("limit" in outcome.text) == bool(fact)


def test_the_worst_line_comes_first() -> None:
    """Long output has the worst state first, as cores may show only the first lines."""
    new = server("192.0.2.9", None, None)
    lines = judged(of_ages(30 * HOUR, 4 * DAY), "-w", "1d", "-c", "3d").lines
    assert [line.partition(":")[0] for line in lines] == ["CRITICAL", "WARNING"]
    seen = view([key(KEY_LABEL, [new, server("192.0.2.1", 2 * DAY)])])
    assert judged(seen, "-v").lines[:2] == ["WARNING: 192.0.2.1 (2d)", "OK: 192.0.2.9 (never)"]
