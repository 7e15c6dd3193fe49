"""Passwords: who is let in, what it costs, and what a flood of guesses cannot do."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable

import bcrypt
import pytest

from cln_monitor.exporter import passwords as module
from cln_monitor.exporter.passwords import Passwords, TooManyWait

from .web_configs import HASH, PASSWORD

USERS = {b"alice": HASH.encode(), b"bob": bcrypt.hashpw(b"other", bcrypt.gensalt(5))}
GOOD = PASSWORD.encode()


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The hashes that passwords were compared with."""
    seen = []
    real = module._fits

    def fits(password: bytes, hashed: bytes) -> bool:
        seen.append(hashed)
        return real(password, hashed)

    monkeypatch.setattr(module, "_fits", fits)
    return seen


def _ask(*questions: tuple[bytes, bytes]) -> list[bool]:
    async def asked() -> list[bool]:
        passwords = Passwords()
        return [await passwords.fit(USERS, user, password) for user, password in questions]

    return asyncio.run(asked())


@pytest.mark.parametrize(
    ("user", "password", "fits"),
    [
        (b"alice", GOOD, True),
        (b"bob", b"other", True),
        (b"alice", b"other", False),
        (b"alice", b"", False),
        (b"alice", GOOD + b"x", False),
        (b"alice", GOOD + b"\x00", False),
        (b"alice", b"\xff\xfe", False),
        (b"Alice", GOOD, False),
        (b"", GOOD, False),
        (b"carol", GOOD, False),
        (b"alice", HASH.encode(), False),
    ],
)
def test_who_is_let_in(user: bytes, password: bytes, fits: bool) -> None:
    """Who has the user's password, and nobody else."""
    assert _ask((user, password)) == [fits]


def test_bytes_after_the_72nd_do_not_count() -> None:
    """As with htpasswd and in Go."""
    users = {b"alice": bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4))}
    assert asyncio.run(Passwords().fit(users, b"alice", b"x" * 100))


@pytest.mark.parametrize("version", [b"2a", b"2b", b"2x", b"2y"])
def test_each_version_of_a_hash(version: bytes) -> None:
    """They differ in their history alone."""
    assert asyncio.run(Passwords().fit({b"alice": HASH.encode().replace(b"2b", version, 1)}, b"alice", GOOD))


def test_a_good_password_is_compared_once(compared: list[bytes]) -> None:
    """And a wrong one each time."""
    assert _ask((b"alice", GOOD), (b"alice", GOOD), (b"alice", b"no"), (b"alice", b"no")) == [True, True, False, False]
    assert len(compared) == 3


def test_a_password_that_was_changed_is_good_no_more() -> None:
    """What is remembered is bound to the hash."""

    async def asked() -> list[bool]:
        passwords = Passwords()
        before = await passwords.fit(USERS, b"alice", GOOD)
        return [before, await passwords.fit({b"alice": USERS[b"bob"]}, b"alice", GOOD)]

    assert asyncio.run(asked()) == [True, False]


def test_a_user_that_is_unknown_costs_as_much_as_the_dearest(compared: list[bytes]) -> None:
    """So the time of an answer tells nobody which users there are; the hash it is compared with is a true one."""
    assert _ask((b"carol", GOOD)) == [False]
    (decoy,) = compared
    assert decoy[:7] == USERS[b"bob"][:7]
    assert not bcrypt.checkpw(b"", decoy)


def test_unknown_users_take_as_long(compared: list[bytes]) -> None:
    """Measured in work, which a busy machine makes no longer: an unknown user costs what a wrong password costs."""
    users = {b"alice": bcrypt.hashpw(b"x", bcrypt.gensalt(8))}

    async def measured() -> dict[bytes, float]:
        passwords = Passwords()
        times: dict[bytes, list[float]] = {b"alice": [], b"carol": []}
        for _ in range(15):
            for user, taken in times.items():
                started = time.process_time()
                assert not await passwords.fit(users, user, b"wrong")
                taken.append(time.process_time() - started)
        return {user: min(taken) for user, taken in times.items()}

    times = asyncio.run(measured())
    assert 0.7 < times[b"carol"] / times[b"alice"] < 1.4
    assert len(compared) == 30


class Slow:
    """A comparison that waits until it may end; it counts how many go on at a time."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.calls = self.under_way = self.most = 0

    def __call__(self, password: bytes, _: bytes) -> bool:
        self.calls += 1
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        assert self.go_on.wait(10)
        self.under_way -= 1
        return password == GOOD


def _with_slow(monkeypatch: pytest.MonkeyPatch, test: Callable[[Passwords, Slow], Awaitable[None]]) -> Slow:
    slow = Slow()
    monkeypatch.setattr(module, "_fits", slow)

    async def run() -> None:
        await test(Passwords(), slow)

    asyncio.run(run())
    return slow


def test_one_at_a_time_and_the_loop_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood takes one core, and whoever asks the same as another is not compared again."""

    async def flood(passwords: Passwords, slow: Slow) -> None:
        asking = [asyncio.create_task(passwords.fit(USERS, b"alice", GOOD)) for _ in range(9)]
        asking += [asyncio.create_task(passwords.fit(USERS, b"alice", b"%d" % each)) for each in range(9)]
        for _ in range(3):
            await asyncio.sleep(0.01)  # which it could not, if the comparison were in its way
        slow.go_on.set()
        assert await asyncio.gather(*asking) == [True] * 9 + [False] * 9

    slow = _with_slow(monkeypatch, flood)
    assert (slow.most, slow.calls) == (1, 10)


def test_a_flood_is_turned_away_and_those_known_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than can be checked in decent time do not wait; who was let in before does not notice."""

    async def flood(passwords: Passwords, slow: Slow) -> None:
        slow.go_on.set()
        assert await passwords.fit(USERS, b"alice", GOOD)
        slow.go_on.clear()
        asking = [asyncio.create_task(passwords.fit(USERS, b"x", b"%d" % each)) for each in range(module._MOST_WAITING)]
        await asyncio.sleep(0)
        with pytest.raises(TooManyWait):
            await passwords.fit(USERS, b"bob", b"guess")
        assert await passwords.fit(USERS, b"alice", GOOD)
        slow.go_on.set()
        await asyncio.gather(*asking)
        assert not await passwords.fit(USERS, b"bob", b"guess")

    _with_slow(monkeypatch, flood)


def test_only_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest is forgotten first."""
    monkeypatch.setattr(module, "_MOST_KEPT", 1)

    async def asked() -> int:
        passwords = Passwords()
        for user, password in ((b"alice", GOOD), (b"bob", b"other")):
            assert await passwords.fit(USERS, user, password)
        return len(passwords._good)

    assert asyncio.run(asked()) == 1
