"""The states of silent servers: each row of the policy, and cases just outside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from cln_monitor.checks.checkin_rules import judge
from cln_monitor.checks.plugins import ip_licenses
from cln_monitor.checks.result import CheckResult
from cln_monitor.checks.staleness import superseded_rows
from tests.helpers.clock import NOW

from .inside import options_of
from .views import DAY, HOUR, caution, key, part, server, view

A, B = "WsTs-8c7994d7", "Zq7T-2a8ef7d1"


def off(each: dict[str, Any]) -> dict[str, Any]:
    """Return a key as a disabled key."""
    return each | {"value": each["value"] | {"enabled": False}}


def noted(each: dict[str, Any], note: str) -> dict[str, Any]:
    """Return a key with a note."""
    return each | {"value": each["value"] | {"note": note}}


def of_ages(*ages: float | None, of: int = 0) -> list[dict[str, Any]]:
    """Return servers with these ages and different addresses."""
    return [server(f"10.{of}.{place // 256}.{place % 256}", age) for place, age in enumerate(ages)]


def result(keys: Sequence[dict[str, Any]], *arguments: str, stale_after: float = DAY) -> CheckResult:
    """Return the result of the check for keys."""
    seen = view(keys) | {"stale_after": stale_after}
    return judge(seen, "KernelCare", options_of("check_cln_kernelcare", *arguments), NOW)


def judged(keys: Sequence[dict[str, Any]], *arguments: str, stale_after: float = DAY) -> tuple[str, str]:
    """Return the state and the first line of the check for keys."""
    found = result(keys, *arguments, stale_after=stale_after)
    return found.evaluate()[0].name, found.text


def metrics(keys: Sequence[dict[str, Any]], *arguments: str) -> dict[str, float]:
    """Return the metrics of the check for keys."""
    return {metric.label: metric.value for metric in result(keys, *arguments).metrics}


@pytest.mark.parametrize(
    ("newly", "total", "state"),
    [
        (25, 400, "WARNING"),
        (26, 400, "CRITICAL"),
        (4, 10, "WARNING"),
        (5, 50, "WARNING"),  # 10 %, and not more
        (5, 49, "CRITICAL"),
        (6, 50, "CRITICAL"),
        (25, 250, "WARNING"),
        (25, 249, "CRITICAL"),
    ],
)
def test_many_newly_silent(newly: int, total: int, state: str) -> None:
    """More than 25 newly silent servers, or at least 5 and over 10%, are one CRITICAL problem."""
    servers = of_ages(*[2 * DAY] * newly, *[HOUR] * (total - newly))
    found, text = judged([key(A, servers[::2]), key(B, servers[1::2])])
    told = f"{newly} of {total} KernelCare servers fell silent in the last 4d"
    assert (found, text.startswith(f"{told}; "), text.count("fell silent")) == (
        state,
        state == "CRITICAL",
        int(state == "CRITICAL"),
    )
    assert f"{newly} of {total} KernelCare servers not checked in for over 1d: " in text


@pytest.mark.parametrize(
    ("age", "state"), [(4 * DAY, "CRITICAL"), (4 * DAY + 1, "WARNING"), (DAY + 1, "CRITICAL"), (DAY, "OK")]
)
def test_how_long_silence_is_new(age: float, state: str) -> None:
    """Servers are newly silent for three days after stale_after."""
    assert judged([key(A, of_ages(*[age] * 26, *[HOUR] * 4))])[0] == state


def test_those_that_never_checked_in_are_not_newly_silent() -> None:
    """Servers without check-ins are not newly silent but count in the total."""
    servers = [*of_ages(*[2 * DAY] * 5, *[HOUR] * 44), server("192.0.2.1", None, HOUR)]
    assert judged([key(A, servers)])[0] == "WARNING"
    assert judged([key(A, servers[:-1])])[0] == "CRITICAL"


@pytest.mark.parametrize(
    ("ages", "state"),
    [
        ((2 * DAY, 9 * DAY), "CRITICAL"),
        ((4 * DAY, 9 * DAY), "CRITICAL"),  # the newest is just within 3 days of `stale_after`
        ((4 * DAY + 1, 9 * DAY), "WARNING"),
        ((DAY, 9 * DAY), "WARNING"),  # one is fresh
        ((2 * DAY,), "WARNING"),  # a key of one
        ((2 * DAY, None), "WARNING"),  # one of two ever checked in
        ((2 * DAY, 3 * DAY, None), "CRITICAL"),
        ((2 * DAY, 40 * DAY), "CRITICAL"),  # one of them is gone
        ((31 * DAY, 40 * DAY), "OK"),
    ],
)
def test_a_whole_key(ages: tuple[float | None, ...], state: str) -> None:
    """A key of 2 or more servers that are all silent, one of them newly, is CRITICAL."""
    found, text = judged([noted(key(A, of_ages(*ages)), "Web"), key(B, of_ages(HOUR, of=1))])
    told = f'all servers of key "Web" ({A}) are silent'
    assert (found, text.startswith(told), "are silent" in text) == (state, state == "CRITICAL", state == "CRITICAL")


def test_several_whole_keys() -> None:
    """Several silent keys are one problem with the number of servers of each."""
    _, text = judged([key(A, of_ages(2 * DAY, 3 * DAY)), key(B, of_ages(2 * DAY, 2 * DAY, 9 * DAY, of=1))])
    first, second, *others = text.split("; ")
    assert first == f"all servers of 2 keys are silent: {A} (2), {B} (3)"
    assert second.startswith("5 of 5 KernelCare servers not checked in for over 1d: 10.1.0.2 (9d), ")
    assert others == []


def test_many_and_a_whole_key() -> None:
    """Many silent servers and a silent key are two problems."""
    _, text = judged([key(A, of_ages(*[2 * DAY] * 5)), key(B, of_ages(HOUR, of=1))])
    assert text.startswith(f"all servers of key {A} are silent; 5 of 6 KernelCare servers fell silent in the last 4d; ")


@pytest.mark.parametrize("arguments", [("--ip", "10.0.0.0", "--ip", "10.0.0.1"), ("--server-id", "id-of-10.0.0.0")])
def test_a_check_of_some_servers_does_not_tell_of_their_key(arguments: tuple[str, ...]) -> None:
    """A check of single servers does not report their silent key."""
    assert judged([key(A, of_ages(2 * DAY, 2 * DAY))])[0] == "CRITICAL"
    state, text = judged([key(A, of_ages(2 * DAY, 2 * DAY))], *arguments)
    assert (state, "are silent" in text) == ("WARNING", False)


@pytest.mark.parametrize(
    ("age", "stale_after", "state", "told"),
    [
        (DAY, DAY, "OK", None),
        (DAY + 1, DAY, "WARNING", "1 of 2 KernelCare servers not checked in for over 1d: "),
        (30 * DAY, DAY, "WARNING", "1 of 2 KernelCare servers not checked in for over 1d: "),
        (30 * DAY + 1, DAY, "OK", "1 of 2 KernelCare servers silent for over 30d and still billed: "),
        (12 * HOUR, 12 * HOUR, "OK", None),
        (12 * HOUR + 1, 12 * HOUR, "WARNING", "1 of 2 KernelCare servers not checked in for over 12h: "),
        (30 * DAY + 1, 12 * HOUR, "OK", "1 of 2 KernelCare servers silent for over 30d and still billed: "),
        (31 * DAY, 40 * DAY, "OK", None),
        (40 * DAY, 40 * DAY, "OK", None),
        (40 * DAY + 1, 40 * DAY, "OK", "1 of 2 KernelCare servers silent for over 40d and still billed: "),
    ],
)
def test_from_when_to_when(age: float, stale_after: float, state: str, told: str | None) -> None:
    """A server is WARNING from stale_after to 30 days, or longer stale_after, and then a note."""
    found, text = judged([key(A, of_ages(age, HOUR))], stale_after=stale_after)
    assert found == state
    assert ("not checked in for" in text or "still billed" in text) == (told is not None)
    assert (told or ", longest silent: ") in text


@pytest.mark.parametrize(
    ("stale_after", "newest", "state"),
    [
        (12 * HOUR, 84 * HOUR, "CRITICAL"),
        (12 * HOUR, 84 * HOUR + 1, "WARNING"),
        (40 * DAY, 43 * DAY, "CRITICAL"),
        (40 * DAY, 43 * DAY + 1, "OK"),
    ],
)
def test_a_whole_key_by_another_stale_after(stale_after: float, newest: float, state: str) -> None:
    """The three days of a newly silent key follow the configured stale_after."""
    assert judged([key(A, of_ages(newest, newest + DAY))], stale_after=stale_after)[0] == state


def test_many_by_another_stale_after() -> None:
    """The text has the sum of stale_after and three days in whole days."""
    _, text = judged([key(A, of_ages(*[84 * HOUR] * 26, HOUR))], stale_after=12 * HOUR)
    assert text.startswith("26 of 27 KernelCare servers fell silent in the last 3d; ")


@pytest.mark.parametrize(("created", "state"), [(DAY, "OK"), (DAY + 1, "WARNING"), (90 * DAY, "WARNING"), (None, "OK")])
@pytest.mark.parametrize("stale_after", [12 * HOUR, DAY, 40 * DAY])
def test_a_server_that_never_checked_in(created: float | None, state: str, stale_after: float) -> None:
    """A server without check-ins is WARNING a day after its registration."""
    found, text = judged([key(A, [server("192.0.2.1", None, created)])], stale_after=stale_after)
    assert found == state
    assert ("never checked in, registered over 1d ago: 192.0.2.1 (" in text) == (state == "WARNING")
    assert ("1 of 1 KernelCare servers never checked in: 192.0.2.1" in text) == (created is None)


OLD = {**server("192.0.2.9", 5 * DAY), "server_id": "old"}


def anew(number: int, age: float = HOUR, created: float | None = 4 * DAY, ip: str = "192.0.2.9") -> dict[str, Any]:
    """Return a server that took over the address."""
    return {**server(ip, age, created), "server_id": f"new{number}"}


SUPERSEDED = "superseded by a newer registration: 192.0.2.9"


@pytest.mark.parametrize(
    ("others", "is_superseded"),
    [
        ([anew(1)], True),
        ([anew(1, DAY)], True),
        ([anew(1, DAY + 1)], False),  # the new one is silent as well
        ([anew(1, created=5 * DAY)], False),  # registered when the old one checked in last
        ([anew(1, created=5 * DAY - 1)], True),
        ([anew(1, created=6 * DAY)], False),
        ([anew(1, created=None)], False),
        ([anew(1, ip="192.0.2.8")], False),
        ([anew(1), anew(2, created=3 * DAY)], False),  # they share it, as by NAT
        ([anew(1), anew(2)], False),  # also those that came in the same minute
        ([anew(1), anew(2, created=6 * DAY)], False),
    ],
)
def test_superseded(others: list[dict[str, Any]], is_superseded: bool) -> None:
    """A server is superseded by one fresh server that was registered after its last check-in."""
    fresh = of_ages(HOUR)
    for keys in ([key(A, [OLD, *others, *fresh])], [key(A, [OLD, *fresh]), key(B, others)]):
        found = result(keys)
        assert found.evaluate()[0].name == ("OK" if is_superseded else "WARNING")
        assert (SUPERSEDED in found.text) is is_superseded
        assert metrics(keys)["superseded"] == int(is_superseded)
        line = "info: 192.0.2.9 (5d), superseded" if is_superseded else "WARNING: 192.0.2.9 (5d)"
        assert [each for each in found.lines if "192.0.2.9 (5d)" in each] == [line]


def test_superseded_twice_in_the_same_minute() -> None:
    """Equal registrations with different ids are counted separately."""
    twins = [OLD, {**OLD, "server_id": "twin"}]
    assert superseded_rows([key(A, [*twins, anew(1)])["value"]], {}, NOW, DAY) == {(A, "old"), (A, "twin")}
    state, text = judged([key(A, [*twins, anew(1)])])
    assert (state, f"2 of 3 KernelCare servers {SUPERSEDED} (5d), 192.0.2.9 (5d)" in text) == ("OK", True)


def test_without_an_address_or_a_check_in_none_is_superseded() -> None:
    """A server without an address or a check-in is not superseded."""
    nameless = [OLD | {"ip": ""}, anew(1, ip="")]
    assert judged([key(A, nameless)])[0] == "WARNING"
    never = OLD | {"last_checkin": None}
    state, text = judged([key(A, [never, anew(1)])])
    assert (state, "superseded" in text) == ("WARNING", False)


def test_what_is_superseded_counts_there_alone() -> None:
    """A superseded server counts in no other row."""
    old = of_ages(*[2 * DAY] * 30)
    new = [anew(place, HOUR, DAY, each["ip"]) for place, each in enumerate(old)]
    state, text = judged([key(A, old), key(B, new)])
    assert (state, "are silent" in text, "fell silent" in text) == ("OK", False, False)
    assert "30 of 60 KernelCare servers superseded by a newer registration: " in text
    gone = judged([key(A, [OLD | {"last_checkin": NOW - 31 * DAY}, anew(1)])])
    assert (gone[0], SUPERSEDED in gone[1], "billed" in gone[1]) == ("OK", True, False)
    # 5 of 49 are many, but not of 50: what is superseded is none of them.
    fleet = of_ages(*[2 * DAY] * 5, *[HOUR] * 43, of=1)
    assert judged([key(A, [*fleet, OLD, anew(1)])])[0] == "CRITICAL"
    assert judged([key(A, [*fleet, anew(1), anew(2)])])[0] == "WARNING"


def test_superseded_by_a_server_of_a_key_that_is_not_looked_at() -> None:
    """A server can be superseded by one of a key that is not selected."""
    keys = [key(A, [OLD]), key(B, [anew(1)])]
    state, text = judged(keys, "--key", A)
    assert (state, f"1 of 1 KernelCare servers {SUPERSEDED}" in text) == ("OK", True)
    assert metrics(keys, "--key", A)["superseded"] == 1
    state, text = judged(keys, "--server-id", "old")
    assert (state, f"1 of 1 KernelCare servers {SUPERSEDED}" in text) == ("OK", True)
    assert metrics(keys, "--key", B)["superseded"] == 0


def test_imunify_knows_no_superseded_servers() -> None:
    """Imunify servers are never superseded, as they have no registration date."""
    servers = [{name: each[name] for name in ("server_id", "ip", "last_checkin")} for each in (OLD, anew(1))]
    seen = view([key(A, servers)]) | {"probe": "imunify"}
    found = judge(seen, "Imunify", options_of("check_cln_imunify"), NOW)
    assert (found.evaluate()[0].name, "superseded" in found.text) == ("WARNING", False)
    assert "superseded" not in {metric.label for metric in found.metrics}


def test_a_disabled_key() -> None:
    """Silent servers of a disabled key are one note."""
    servers = [*of_ages(*[2 * DAY] * 26, 31 * DAY), server("192.0.2.1", None, 2 * DAY)]
    state, text = judged([off(key(A, servers))])
    assert (state, "are silent" in text, "fell silent" in text, "billed" in text) == ("OK", False, False, False)
    assert "; 28 of 28 KernelCare servers silent on disabled keys: " in text
    # 5 of 49 are many, but not of 50: those of a disabled key are none of them.
    fleet = of_ages(*[2 * DAY] * 5, *[HOUR] * 44, of=1)
    assert judged([key(B, fleet), off(key(A, servers))])[0] == "CRITICAL"
    assert judged([key(B, fleet), key(A, of_ages(HOUR))])[0] == "WARNING"


def test_a_disabled_key_that_is_asked_for() -> None:
    """A disabled key that is selected is judged as any other."""
    keys = [off(key(A, of_ages(2 * DAY, 2 * DAY))), key(B, of_ages(HOUR, of=1))]
    assert judged(keys)[0] == "OK"
    state, text = judged(keys, "--key", A)
    assert (state, text.startswith(f"all servers of key {A} are silent; ")) == ("CRITICAL", True)
    assert "disabled" not in text


@pytest.mark.parametrize("arguments", [("-w", "1d"), ("-c", "1d"), ("--ip", "192.0.2.9")])
def test_a_disabled_key_whatever_is_given(arguments: tuple[str, ...]) -> None:
    """Ranges and --ip do not select a disabled key."""
    state, text = judged([off(key(A, [OLD])), key(B, of_ages(HOUR))], *arguments)
    assert (state, "KernelCare servers silent on disabled keys: 192.0.2.9" in text) == ("OK", True)


def test_a_check_in_that_is_unknown_on_a_disabled_key() -> None:
    """An unknown check-in on a disabled key is no problem."""
    row = {name: OLD[name] for name in ("server_id", "ip", "created")}
    odd = [caution("checkin_ahead", "192.0.2.9 (2099-01-01)")]
    assert judged([key(A, [row], cautions=odd)], "--ip", "192.0.2.9")[0] == "WARNING"
    assert judged([off(key(A, [row], cautions=odd))], "--ip", "192.0.2.9")[0] == "OK"


def test_a_disabled_key_and_what_is_superseded() -> None:
    """A superseded server of a disabled key counts as one of a disabled key."""
    state, text = judged([key(A, [OLD]), off(key(B, [anew(1)]))])
    assert (state, SUPERSEDED in text, "disabled" in text) == ("OK", True, False)
    state, text = judged([off(key(A, [OLD])), key(B, [anew(1)])])
    assert (state, "superseded" in text, "silent on disabled keys: 192.0.2.9" in text) == ("OK", False, True)


@pytest.mark.parametrize(
    ("servers", "arguments", "state"),
    [
        (of_ages(2 * DAY, 2 * DAY), ("-w", "1d"), "WARNING"),  # no whole key
        (of_ages(2 * DAY, 2 * DAY), ("-w", "3d"), "OK"),
        (of_ages(*[2 * DAY] * 26), ("-w", "1d"), "WARNING"),  # not many
        (of_ages(31 * DAY, HOUR), ("-w", "1d"), "WARNING"),  # not gone
        (of_ages(31 * DAY, HOUR), ("-c", "30d"), "CRITICAL"),
        (of_ages(29 * DAY, HOUR), ("-c", "30d"), "WARNING"),  # `stale_after` stays the other range
        (of_ages(2 * DAY, HOUR), ("-c", "12h"), "CRITICAL"),
        (of_ages(9 * HOUR, HOUR), ("-c", "12h"), "OK"),
        ([OLD, anew(1)], ("-w", "1d"), "WARNING"),  # not superseded
        ([OLD, anew(1)], ("-w", "1d", "-c", "3d"), "CRITICAL"),
        ([server("192.0.2.1", None, 2 * DAY)], ("-w", "3d"), "OK"),
        ([server("192.0.2.1", None, 4 * DAY)], ("-c", "3d"), "CRITICAL"),
    ],
)
def test_ranges_replace_the_grades(servers: list[dict[str, Any]], arguments: tuple[str, ...], state: str) -> None:
    """Ranges replace the rows of the policy."""
    found, text = judged([key(A, servers)], *arguments)
    assert found == state
    for words in ("are silent", "fell silent", "billed", "superseded"):
        assert words not in text


def licensed(ages: Sequence[float], *arguments: str, kind: str = "KernelCare") -> tuple[str, str]:
    """Return the state and the first line for servers with IP licenses."""
    rows = [
        {"ip": f"10.0.0.{place}", "license": kind, "registered": True, "created": NOW - 90 * DAY}
        for place, _ in enumerate(ages)
    ]
    checkins = [
        {"ip": row["ip"], "license": kind, "last_checkin": NOW - age} for row, age in zip(rows, ages, strict=True)
    ]
    value = {"licenses": rows, "checkins": checkins}
    seen = view([part("licenses", value)])
    found = ip_licenses.judge(seen, options_of("check_cln_ip_licenses", *arguments), NOW)
    return found.evaluate()[0].name, found.text


def test_ip_licenses() -> None:
    """Many or long silent servers with IP licenses are judged as others, without keys."""
    assert licensed([2 * DAY] * 4)[0] == "WARNING"
    state, text = licensed([2 * DAY] * 5)
    told = "5 of 5 licensed servers fell silent in the last 4d; 5 of 5 licensed servers not checked in for over 1d: "
    assert (state, text.startswith(told), "key" in text) == ("CRITICAL", True, False)
    state, text = licensed([31 * DAY, HOUR])
    assert (state, "1 of 2 licensed servers silent for over 30d and still billed: 10.0.0.0 KernelCare" in text) == (
        "OK",
        True,
    )
    assert licensed([2 * DAY] * 5, "-w", "1d")[0] == "WARNING"


def test_some_ip_licenses() -> None:
    """A check of some addresses does not report many silent servers."""
    some = [word for place in range(5) for word in ("--ip", f"10.0.0.{place}")]
    assert licensed([*[2 * DAY] * 5, *[HOUR] * 45])[0] == "WARNING"
    assert licensed([*[2 * DAY] * 5, *[HOUR] * 45], *some)[0] == "WARNING"


@pytest.mark.parametrize(
    ("names", "is_superseded"),
    [
        ({}, True),
        ({"old": "web1"}, True),
        ({"old": "web1", "new1": "web1"}, True),
        ({"old": "web1", "new1": "web2"}, False),
    ],
)
def test_another_host_at_the_address_supersedes_nothing(names: dict[str, str], is_superseded: bool) -> None:
    """A server supersedes another only if their known host names agree."""
    newer = {**anew(1), "server_id": "new1"}
    found = superseded_rows([key(A, [OLD, newer])["value"]], names, NOW, DAY)
    assert (found == {(A, "old")}) is is_superseded


def test_servers_go_by_their_host_names() -> None:
    """Servers are named by host name and address."""
    seen = {**view([key(A, [server("192.0.2.9", 2 * DAY)])]), "host_names": {"id-of-192.0.2.9": "web9.example.net"}}
    found = judge(seen, "KernelCare", options_of("check_cln_kernelcare"), NOW)
    assert "web9.example.net 192.0.2.9 (2d)" in found.text
    assert "WARNING: web9.example.net 192.0.2.9 (2d)" in found.lines


def test_many_of_a_key_are_not_many_of_the_account() -> None:
    """A check of a key does not report many silent servers of the account."""
    keys = [key(A, [server(f"192.0.2.{number}", 2 * DAY if number < 5 else HOUR) for number in range(40)])]
    assert judged(keys)[0] == "CRITICAL"
    assert judged(keys, "--key", A)[0] == "WARNING"


def test_the_long_output_names_what_is_worth_a_word() -> None:
    """The long output names the first twenty servers of each note."""
    gone = key(A, [server(f"192.0.2.{number}", 31 * DAY) for number in range(25)] + [server("198.51.100.1", HOUR)])
    dead = off(key(B, [server(f"203.0.113.{number}", 5 * DAY) for number in range(3)]))
    lines = result([gone, dead]).lines
    assert sum(line.endswith(", still billed") for line in lines) == 20
    assert sum(line.endswith(", key disabled") for line in lines) == 3
