"""Passwords: who is let in, and that a flood of login attempts does no harm."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable

import bcrypt
import pytest

from cln_monitor.exporter.web import passwords as module
from cln_monitor.exporter.web.passwords import PasswordQueueFullError, Passwords

from .web_configs import HASH, PASSWORD

USERS = {b"alice": HASH.encode(), b"bob": bcrypt.hashpw(b"other", bcrypt.gensalt(5))}
GOOD = PASSWORD.encode()


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Return the hashes that passwords were compared with."""
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
    """Only a user with the correct password is let in."""
    assert _ask((user, password)) == [fits]


def test_bytes_after_the_72nd_do_not_count() -> None:
    """Bytes of a password after the 72nd are ignored, as by htpasswd and Go."""
    users = {b"alice": bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4))}
    assert asyncio.run(Passwords().fit(users, b"alice", b"x" * 100))


@pytest.mark.parametrize("version", [b"2a", b"2b", b"2x", b"2y"])
def test_each_version_of_a_hash(version: bytes) -> None:
    """All version prefixes of bcrypt hashes are equivalent."""
    assert asyncio.run(Passwords().fit({b"alice": HASH.encode().replace(b"2b", version, 1)}, b"alice", GOOD))


def test_a_good_password_is_compared_once(compared: list[bytes]) -> None:
    """A correct password is compared once, a wrong one every time."""
    assert _ask((b"alice", GOOD), (b"alice", GOOD), (b"alice", b"no"), (b"alice", b"no")) == [True, True, False, False]
    assert len(compared) == 3


def test_a_password_that_was_changed_is_good_no_more() -> None:
    """A changed hash invalidates the cached password."""

    async def asked() -> list[bool]:
        passwords = Passwords()
        before = await passwords.fit(USERS, b"alice", GOOD)
        return [before, await passwords.fit({b"alice": USERS[b"bob"]}, b"alice", GOOD)]

    assert asyncio.run(asked()) == [True, False]


@pytest.mark.parametrize("cost", [4, 12])
def test_a_user_that_is_unknown_costs_the_usual(cost: int, compared: list[bytes]) -> None:
    """An unknown user is compared with a valid hash of the usual cost, even if the file has expensive hashes."""
    users = {b"alice": b"$2b$%02d" % cost + HASH.encode()[6:]}
    assert not asyncio.run(Passwords().fit(users, b"carol", GOOD))
    (decoy,) = compared
    assert decoy[:7] == b"$2b$%02d$" % module.USUAL_COST
    assert not bcrypt.checkpw(b"", decoy)


def test_unknown_users_take_as_long(compared: list[bytes]) -> None:
    """An unknown user takes as much CPU time as a wrong password."""
    users = {b"alice": bcrypt.hashpw(b"x", bcrypt.gensalt(module.USUAL_COST))}

    async def measured() -> dict[bytes, float]:
        passwords = Passwords()
        times: dict[bytes, list[float]] = {b"alice": [], b"carol": []}
        for _ in range(7):
            for user, taken in times.items():
                started = time.process_time()
                assert not await passwords.fit(users, user, b"wrong")
                taken.append(time.process_time() - started)
        return {user: min(taken) for user, taken in times.items()}

    times = asyncio.run(measured())
    assert 0.7 < times[b"carol"] / times[b"alice"] < 1.4
    assert len(compared) == 14


class Slow:
    """A comparison that waits until it is released, and counts parallel ones."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.calls = self.under_way = self.most = 0
        self.order: list[bytes] = []

    def __call__(self, password: bytes, _: bytes) -> bool:
        self.calls += 1
        self.order.append(password)
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
    """Comparisons run one at a time, and the same password is not compared twice."""

    async def flood(passwords: Passwords, slow: Slow) -> None:
        asking = [asyncio.create_task(passwords.fit(USERS, b"alice", GOOD)) for _ in range(9)]
        asking += [asyncio.create_task(passwords.fit(USERS, b"alice", b"%d" % attempt)) for attempt in range(9)]
        for _ in range(3):
            await asyncio.sleep(0.01)  # which it could not, if the comparison were in its way
        slow.go_on.set()
        assert await asyncio.gather(*asking) == [True] * 9 + [False] * 9

    slow = _with_slow(monkeypatch, flood)
    assert (slow.most, slow.calls) == (1, 10)


async def _guesses(passwords: Passwords, number: int, clients: int = 1) -> list[asyncio.Task[bool]]:
    """Start ``number`` wrong logins from ``clients`` addresses, and wait until each of them waits for its turn."""
    asking = [
        asyncio.create_task(passwords.fit(USERS, b"x", b"%d" % attempt, f"203.0.113.{attempt % clients}"))
        for attempt in range(number)
    ]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return asking


@pytest.mark.parametrize("clients", [1, 40])
def test_a_first_login_does_not_wait_behind_guessers(clients: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client without failed logins is served before those with failed ones, which alone are rejected."""

    async def flood(passwords: Passwords, slow: Slow) -> None:
        slow.go_on.set()
        assert await asyncio.gather(*await _guesses(passwords, clients, clients)) == [False] * clients
        slow.go_on.clear()
        guesses = await _guesses(passwords, module._MAX_WAITING + 1, clients)
        login = asyncio.create_task(passwords.fit(USERS, b"alice", GOOD, "192.0.2.1"))
        await asyncio.sleep(0)
        slow.order.clear()
        slow.go_on.set()
        assert await login
        assert slow.order.index(GOOD) <= 1  # behind the one that was under way
        answers = await asyncio.gather(*guesses, return_exceptions=True)
        assert sum(isinstance(answer, PasswordQueueFullError) for answer in answers) == 1

    _with_slow(monkeypatch, flood)


def test_those_known_do_not_wait_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cached password does not wait, as long as its hash is unchanged."""

    async def flood(passwords: Passwords, slow: Slow) -> None:
        slow.go_on.set()
        assert await passwords.fit(USERS, b"alice", GOOD)
        slow.go_on.clear()
        guesses = await _guesses(passwords, 9)
        assert passwords.knows(USERS, b"alice", GOOD)
        assert not passwords.knows(USERS, b"alice", b"other")
        assert not passwords.knows(USERS, b"carol", GOOD)
        slow.go_on.set()
        await asyncio.gather(*guesses)

    _with_slow(monkeypatch, flood)


def test_clients_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several logins of one client are interleaved with those of other clients."""

    async def flood(passwords: Passwords, slow: Slow) -> None:
        asking = await _guesses(passwords, 1)
        for client, names in (("192.0.2.1", b"abcd"), ("192.0.2.2", b"xy")):
            for name in names:
                asking.append(asyncio.create_task(passwords.fit(USERS, b"q", bytes([name]), client)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        slow.go_on.set()
        await asyncio.gather(*asking)
        assert sorted(name in b"abcd" for name in slow.order[1:3]) == [False, True]

    _with_slow(monkeypatch, flood)


def test_who_has_left_frees_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cancelled login leaves the queue; a running comparison ends before the next one starts."""

    async def flood(passwords: Passwords, slow: Slow) -> None:
        guesses = await _guesses(passwords, 3)
        guesses[1].cancel()
        guesses[0].cancel()
        login = asyncio.create_task(passwords.fit(USERS, b"alice", GOOD, "192.0.2.1"))
        await asyncio.sleep(0)
        slow.go_on.set()
        assert await login
        assert slow.order.count(b"1") == 0
        await asyncio.gather(*guesses, return_exceptions=True)
        assert await passwords.fit(USERS, b"alice", GOOD, "192.0.2.9")
        assert not await passwords.fit(USERS, b"alice", b"no", "192.0.2.9")

    assert _with_slow(monkeypatch, flood).most == 1


def test_a_turn_that_ends_while_somebody_leaves() -> None:
    """A turn that ends while a waiting client disconnects passes to the next client."""

    async def run() -> list[str]:
        turns, had = module._Turns(time.monotonic), []

        async def ask(name: str) -> None:
            await turns.acquire(name, b"")
            had.append(name)
            await asyncio.sleep(0)
            turns.release()

        await turns.acquire("first", b"")
        asking = [asyncio.create_task(ask(name)) for name in ("leaves", "stays", "leaves too", "stays too")]
        await asyncio.sleep(0)
        asking[0].cancel()
        turns.release()  # to "leaves", who does not know yet
        asking[2].cancel()
        await asyncio.wait_for(asyncio.gather(*asking, return_exceptions=True), 10)
        await asyncio.wait_for(turns.acquire("last", b""), 10)
        return had

    assert sorted(asyncio.run(run())) == ["stays", "stays too"]


def test_a_place_given_to_who_leaves_goes_on() -> None:
    """A turn assigned to a client that disconnects passes to the next client."""

    async def run() -> None:
        turns = module._Turns(time.monotonic)
        await turns.acquire("first", b"")
        leaves, stays = (asyncio.create_task(turns.acquire(name, b"")) for name in ("leaves", "stays"))
        await asyncio.sleep(0)
        turns.release()
        leaves.cancel()
        await asyncio.wait_for(stays, 10)
        assert leaves.cancelled() or leaves.done()

    asyncio.run(run())


def test_new_ones_take_turns_from_both_ends() -> None:
    """The newest and the oldest of new clients alternate."""

    async def run() -> list[int]:
        turns, had = module._Turns(time.monotonic), []

        async def ask(number: int) -> None:
            await turns.acquire(f"192.0.2.{number}", b"")
            had.append(number)
            turns.release()

        await turns.acquire("first", b"")
        asking = [asyncio.create_task(ask(number)) for number in range(6)]
        await asyncio.sleep(0)
        turns.release()
        await asyncio.gather(*asking)
        return had

    assert asyncio.run(run()) == [5, 0, 4, 1, 3, 2]


@pytest.mark.parametrize("same_address", [False, True])
def test_who_is_turned_away(same_address: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new client is not rejected while there is room for new ones; among logins of one address any may be."""

    async def flood(passwords: Passwords, slow: Slow) -> None:
        users = [b"u%d" % number for number in range(module._MAX_WAITING + 40)]
        clients = ["192.0.2.1" if same_address else f"198.51.100.{number}" for number in range(len(users))]
        asking = [
            asyncio.create_task(passwords.fit(USERS, user, b"guess", client))
            for user, client in zip(users, clients, strict=True)
        ]
        await asyncio.sleep(0)
        login = asyncio.create_task(passwords.fit(USERS, b"alice", GOOD, "192.0.2.1"))
        await asyncio.sleep(0)
        slow.go_on.set()
        assert await login
        assert await asyncio.gather(*asking) == [False] * len(users)

    _with_slow(monkeypatch, flood)


def test_wrong_guesses_are_forgotten() -> None:
    """Failed logins are forgotten after a while, a success, or with too many clients; an IPv6 /64 is one client."""
    now = 0.0
    turns = module._Turns(lambda: now)
    turns.record_failure("2001:db8::1", b"a")
    turns.record_failure("2001:db8::ffff:1", b"b")
    turns.record_failure("192.0.2.1", b"a")
    assert [turns._failed(module._network(client)) for client in ("2001:db8::2", "192.0.2.1", "192.0.2.2")] == [2, 1, 0]
    turns.record_success("192.0.2.1", b"a")
    assert turns._failed("192.0.2.1") == 0
    now = module._FORGET_AFTER + 1
    assert turns._failed(module._network("2001:db8::2")) == 0
    for number in range(module._MAX_CLIENTS + 9):
        turns.record_failure(f"unix {number}", b"")
    assert len(turns._failures) == module._MAX_CLIENTS


def test_only_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest cached password is dropped first."""
    monkeypatch.setattr(module, "_MAX_CACHED", 1)

    async def asked() -> int:
        passwords = Passwords()
        for user, password in ((b"alice", GOOD), (b"bob", b"other")):
            assert await passwords.fit(USERS, user, password)
        return len(passwords._good)

    assert asyncio.run(asked()) == 1
