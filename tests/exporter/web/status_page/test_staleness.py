"""The numbers of silent servers by row of the policy, including near misses."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from cln_monitor.cln import ImunifyServer, KernelCareServer
from cln_monitor.exporter.web.status_page.staleness import SilentServers, silence_of_keys, sum_of
from cln_monitor.exporter.web.status_page.summary import summarize
from cln_monitor.policy import are_many
from cln_monitor.probes import Observation
from cln_monitor.probes.imunify import ImunifyKeyServers
from tests.exporter.metrics.rendering import observed
from tests.helpers.clock import NOW

from .factories import DAY, HOUR, kernelcare, key, licensed, server


def silence(observation: Observation[Any], stale_after: float = DAY) -> SilentServers:
    """Return the silent servers of an observation."""
    return sum_of(silence_of_keys(summarize(observation), NOW, stale_after))


def numbers(observation: Observation[Any], stale_after: float = DAY) -> dict[str, int]:
    """Return the numbers that are not 0, except that of all servers."""
    counts = asdict(silence(observation, stale_after))
    return {name: count for name, count in counts.items() if count and name not in {"number", "whole_keys"}}


def of_ages(*ages: float | None) -> list[KernelCareServer]:
    """Return servers with different addresses."""
    return [server(f"s{place}", age, ip=f"10.0.{place // 256}.{place % 256}") for place, age in enumerate(ages)]


def whole(observation: Observation[Any], stale_after: float = DAY) -> list[str]:
    """Return the names of the keys without any check-in."""
    return [key.name for key, _ in silence(observation, stale_after).whole_keys]


@pytest.mark.parametrize(
    ("newly", "total", "is_critical"),
    [
        (25, 400, False),
        (26, 400, True),
        (4, 10, False),
        (5, 50, False),  # 10 %, and not more
        (5, 49, True),
        (6, 50, True),
        (25, 250, False),
        (25, 249, True),
    ],
)
def test_many_newly_silent(newly: int, total: int, is_critical: bool) -> None:
    """More than 25 servers, or more than 10% and at least 5, over all keys of the account are many."""
    servers = of_ages(*[2 * DAY] * newly, *[HOUR] * (total - newly))
    found = silence(kernelcare(key("a", *servers[::2]), key("b", *servers[1::2])))
    assert (found.newly, found.silent, found.number) == (newly, newly, total)
    assert are_many(found.newly, found.number) is is_critical


@pytest.mark.parametrize(
    ("age", "newly"), [(DAY, 0), (DAY + 1, 1), (4 * DAY, 1), (4 * DAY + 1, 0)], ids=["fresh", "just", "last", "old"]
)
def test_what_is_new(age: float, newly: int) -> None:
    """Silence is new for 3 days after `stale_after`."""
    found = silence(kernelcare(key("a", *of_ages(age, HOUR))))
    assert (found.newly, found.silent) == (newly, int(age > DAY))


def test_servers_that_are_silent_for_longer_are_not_many() -> None:
    """Servers that have been silent for longer do not count as many."""
    found = silence(kernelcare(key("a", *of_ages(*[5 * DAY] * 40, HOUR))))
    assert (found.newly, found.silent, whole(kernelcare(key("a", *of_ages(*[5 * DAY] * 40, HOUR))))) == (0, 40, [])


@pytest.mark.parametrize(
    ("ages", "is_whole"),
    [
        ((2 * DAY, 9 * DAY), True),
        ((4 * DAY, 9 * DAY), True),  # the newest just within 3 days of `stale_after`
        ((4 * DAY + 1, 9 * DAY), False),
        ((DAY, 9 * DAY), False),  # one is fresh
        ((2 * DAY,), False),  # a key of one
        ((2 * DAY, None), False),  # one of two ever checked in
        ((2 * DAY, 3 * DAY, None), True),
        ((2 * DAY, 40 * DAY), True),
    ],
)
def test_a_whole_key(ages: tuple[float | None, ...], is_whole: bool) -> None:
    """A key is silent if 2 or more servers ever checked in, none is fresh, and the newest check-in is recent."""
    assert whole(kernelcare(key("a", *of_ages(*ages), note="Web"))) == (['"Web" (a)'] if is_whole else [])


@pytest.mark.parametrize(
    ("age", "stale_after", "expected"),
    [
        (30 * DAY, DAY, {"silent": 1}),
        (30 * DAY + 1, DAY, {"long_silent": 1}),
        (12 * HOUR, 12.0 * HOUR, {}),
        (12 * HOUR + 1, 12.0 * HOUR, {"silent": 1, "newly": 1}),
        (30 * DAY + 1, 12.0 * HOUR, {"long_silent": 1}),
        (31 * DAY, 40.0 * DAY, {}),
        (40 * DAY, 40.0 * DAY, {}),
        (40 * DAY + 1, 40.0 * DAY, {"long_silent": 1, "newly": 1}),
    ],
)
def test_silent_and_gone(age: float, stale_after: float, expected: dict[str, int]) -> None:
    """A server is gone after 30 days, or after `stale_after` if that is longer."""
    assert numbers(kernelcare(key("a", *of_ages(age, 0))), stale_after) == expected


@pytest.mark.parametrize(
    ("stale_after", "age", "is_whole"),
    [
        (12.0 * HOUR, 84 * HOUR, True),
        (12.0 * HOUR, 84 * HOUR + 1, False),
        (40.0 * DAY, 43 * DAY, True),
        (40.0 * DAY, 43 * DAY + 1, False),
    ],
)
def test_a_whole_key_by_another_stale_after(stale_after: float, age: float, is_whole: bool) -> None:
    """The three days of a silent key start at `stale_after`, even if its servers are gone."""
    assert whole(kernelcare(key("a", *of_ages(age, age + DAY))), stale_after) == (["a"] if is_whole else [])


def test_never_checked_in() -> None:
    """A server that never checked in counts a day after registration; without its time it is informational."""
    registered = [server("1", None, NOW - DAY), server("2", None, NOW - DAY - 1), server("3", None)]
    assert numbers(kernelcare(key("a", *registered))) == {"never": 1, "undated": 1}
    imunify = ImunifyKeyServers("i", "AVP", 0, None, [ImunifyServer("9", "192.0.2.1", None)])
    assert numbers(observed({"i": imunify}, probe="imunify")) == {"undated": 1}


OLD = server("old", 5 * DAY, NOW - 90 * DAY, ip="192.0.2.9")


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([(HOUR, 4 * DAY, "192.0.2.9")], {"superseded": 1}),
        ([(DAY, 4 * DAY, "192.0.2.9")], {"superseded": 1}),
        ([(DAY + 1, 4 * DAY, "192.0.2.9")], {"silent": 2, "newly": 1}),  # the new one is silent as well
        ([(HOUR, 6 * DAY, "192.0.2.9")], {"silent": 1}),  # both checked in for a day
        ([(HOUR, None, "192.0.2.9")], {"silent": 1}),
        ([(HOUR, 4 * DAY, "192.0.2.8")], {"silent": 1}),
        ([(HOUR, 4 * DAY, "192.0.2.9"), (HOUR, 3 * DAY, "192.0.2.9")], {"silent": 1}),  # they share it by NAT
    ],
)
def test_superseded(others: list[tuple[float, float | None, str]], expected: dict[str, int]) -> None:
    """A server is superseded by one fresh server of the same address, registered after its last check-in."""
    servers = [
        server(f"new{place}", age, None if created is None else NOW - created, ip=ip)
        for place, (age, created, ip) in enumerate(others)
    ]
    assert numbers(kernelcare(key("a", OLD, *servers))) == expected
    assert numbers(kernelcare(key("a", OLD), key("b", *servers))) == expected


def test_without_an_address_none_is_superseded() -> None:
    """Servers without an address are not superseded."""
    old, new = server("old", 5 * DAY, ip=""), server("new", HOUR, NOW - 4 * DAY, ip="")
    assert numbers(kernelcare(key("a", old, new))) == {"silent": 1}


def test_what_is_superseded_counts_there_alone() -> None:
    """A superseded server counts neither as gone or newly silent, nor for its key or the total."""
    old = [server(f"o{place}", 2 * DAY, ip=f"192.0.2.{place}") for place in range(30)]
    new = [server(f"n{place}", HOUR, NOW - DAY, ip=f"192.0.2.{place}") for place in range(30)]
    observation = kernelcare(key("a", *old), key("b", *new))
    assert numbers(observation) == {"superseded": 30}
    found = silence(observation)
    assert (found.number, found.whole_keys, found.bad, found.all) == (30, [], 0, 30)
    gone = server("old", 31 * DAY, ip="192.0.2.9")
    assert numbers(kernelcare(key("a", gone, server("new", HOUR, NOW - DAY, ip="192.0.2.9")))) == {"superseded": 1}


def test_a_disabled_key() -> None:
    """Silent servers of a disabled key count only there; an unknown state counts as enabled."""
    servers = [*of_ages(*[2 * DAY] * 26, 31 * DAY), server("n", None, NOW - 2 * DAY), server("u", None)]
    off = key("off", *servers, enabled=False)
    assert numbers(kernelcare(off)) == {"disabled": 29}
    found = silence(kernelcare(off, key("a", *of_ages(HOUR))))
    assert (found.number, found.whole_keys) == (1, [])
    unknown = kernelcare(key("a", *servers, enabled=None))
    assert numbers(unknown) == {"newly": 26, "silent": 26, "long_silent": 1, "never": 1, "undated": 1}
    assert whole(unknown) == ["a"]


def test_a_disabled_key_and_what_is_superseded() -> None:
    """A registration on a disabled key supersedes; a superseded one on a disabled key counts for that key."""
    old, new = server("old", 5 * DAY, ip="192.0.2.9"), server("new", HOUR, NOW - 4 * DAY, ip="192.0.2.9")
    assert numbers(kernelcare(key("a", old), key("b", new, enabled=False))) == {"superseded": 1}
    assert numbers(kernelcare(key("a", new), key("b", old, enabled=False))) == {"disabled": 1}


def test_ip_licenses() -> None:
    """Servers with IP licenses have no key; unused licenses are not silent."""
    found = licensed(*[("KernelCare", True, 2 * DAY)] * 5, ("KernelCare", False, None), ("KernelCare", None, 9 * DAY))
    assert numbers(found) == {"silent": 6, "newly": 5}
    assert (silence(found).number, whole(found)) == (6, [])


def test_of_nothing() -> None:
    """Without servers all numbers are 0."""
    assert numbers(kernelcare()) == {}
    assert numbers(kernelcare(key("a"))) == {}
