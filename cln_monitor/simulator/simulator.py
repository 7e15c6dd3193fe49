"""The simulator: accounts, flags, time and faults of one CLN."""

import time
from collections.abc import Callable, Mapping
from random import Random
from threading import RLock
from typing import Self

from . import calls, demo, fleet
from .answers import SimulatedAnswer
from .calls import SimulatedCall
from .dates import Dates
from .faults import Faults
from .model import Account, Ledger, names
from .request_log import Request, RequestLog

LOGIN = "acme_login"
LARGEST_FLEET = 1_000_000
A_CENTURY = 36525 * 24 * 3600  # seconds


class Simulator:
    """A CLN in memory, empty of accounts.

    `clock` gives Unix seconds; `speed` is how many simulated seconds one of its seconds is; `seed` decides
    all that is made up. What is public here may be changed at any time, also while it serves:

    - `accounts` by login; `flags`, what `/status.json` reports; `faults`.
    - `failure_status`, the HTTP status of `success: false` (200; no document says which it is).
    - `dates`, how dates are spelled.
    - `token_clock`, the clock that tokens are judged by and that the `Date` header shows. It is `now`; give
      it `time.time` when clients stay in the present while the simulated time is moved on.
    - `lock`, for those who change several things that belong together.
    """

    def __init__(self, clock: Callable[[], float] = time.time, *, speed: float = 1.0, seed: int = 0) -> None:
        if not 0 <= speed < float("inf"):
            raise ValueError(f"a simulator with speed={speed}: must be a number of 0 or more, 1 is real time")
        self._clock = clock
        self._speed = speed
        self._start = clock()
        self._advanced = 0.0
        self._ledger = Ledger(self.now, seed)
        self._requests = RequestLog()
        self.lock: RLock = self._ledger.lock
        self.accounts: dict[str, Account] = {}
        self.flags = calls.good_flags()
        self.faults = Faults(_random(seed))
        self.failure_status = 200
        self.dates = Dates()
        self.token_clock: Callable[[], float] = self.now

    @classmethod
    def generate(
        cls,
        servers: int = 200,
        seed: int = 7,
        *,
        clock: Callable[[], float] = time.time,
        speed: float = 1.0,
    ) -> Self:
        """One account, `acme_login`, with that many KernelCare servers, 100 a key, and some of all else.

        The same seed at the same time gives the same fleet. Raises ValueError below 0 and over a million.
        """
        if not 0 <= servers <= LARGEST_FLEET:
            raise ValueError(f"generating {servers} servers: from 0 to {LARGEST_FLEET} can be simulated")
        simulator = cls(clock, speed=speed, seed=seed)
        account = simulator.add_account()
        fleet.populate(account, servers, _random(seed), simulator.now())
        fleet.license_addresses(account, servers, _random(f"{seed}, IP licences"), simulator.now())
        fleet.extend_support(account, servers, _random(f"{seed}, ELS"))
        fleet.group_servers(account, _random(f"{seed}, groups"))
        fleet.bill_awp(account, servers // 4, _random(f"{seed}, AccelerateWP"), simulator.now())
        return simulator

    @classmethod
    def demo(cls, seed: int = 7, *, clock: Callable[[], float] = time.time, speed: float = 1.0) -> Self:
        """One account, `acme_login`, of some 130 servers and 20 IP licences; each state worth showing occurs."""
        simulator = cls(clock, speed=speed, seed=seed)
        account = simulator.add_account(registration_token="demo-registration-token")  # noqa: S106 -- of nobody
        demo.furnish(account, _random(seed), simulator.now())
        demo.license_addresses(account, _random(f"{seed}, IP licences"), simulator.now())
        demo.extend_support(account)
        demo.group_servers(account)
        fleet.bill_awp(account, demo.AWP_WEBSITES, _random(f"{seed}, AccelerateWP"), simulator.now())
        return simulator

    def add_account(
        self, login: str = LOGIN, secret_key: str | None = None, registration_token: str | None = None
    ) -> Account:
        """Add an account; a secret key that is not given is made up.

        `registration_token` is the static token that `/kcare/nagios-res` takes beside fresh ones. Raises
        ValueError when the login is empty, taken, or holds a `|`, which ends a login in a token.
        """
        with self.lock:
            if not login or "|" in login or login in self.accounts:
                raise ValueError(f"adding the account {login!r}: a login must be new and without '|'")
            if secret_key is None:
                secret_key = names.imunify_server_id(self._ledger.random)
            account = Account(self._ledger, login, secret_key, registration_token)
            self.accounts[login] = account
            return account

    def now(self) -> float:
        """The simulated time, Unix seconds."""
        return self._start + (self._clock() - self._start) * self._speed + self._advanced

    def advance(self, seconds: float) -> None:
        """Let simulated time go on by `seconds`. Raises ValueError below 0 and over a hundred years."""
        if not 0 <= seconds <= A_CENTURY:
            raise ValueError(f"advancing by {seconds} seconds: must be from 0 to a century ({A_CENTURY})")
        with self.lock:
            self._advanced += seconds

    @property
    def requests(self) -> list[Request]:
        """What clients asked, oldest first: the newest 10 000 requests, without those to `/-/`."""
        return self._requests.all()

    def clear_requests(self) -> None:
        """Forget what clients asked."""
        self._requests.clear()

    def note(self, request: Request) -> None:
        """Put a request into `requests`."""
        self._requests.add(request)

    def answer(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        client_ip: str = "127.0.0.1",
        skew: float = 0.0,
    ) -> SimulatedAnswer:
        """The answer to one call, faults aside.

        `path` starts after `/api` and is percent-encoded, `query` is decoded. `skew` seconds are added to
        the clock that tokens are judged by.
        """

        def call(parts: Mapping[str, str]) -> SimulatedCall:
            return SimulatedCall(
                accounts=self.accounts,
                flags=self.flags,
                dates=self.dates,
                query=query,
                parts=parts,
                client_ip=client_ip,
                now=self.now(),
                token_time=self.token_clock() + skew,
            )

        with self.lock:
            return calls.answer(method, path, self.failure_status, call)


def _random(seed: int | str) -> Random:
    return Random(seed)  # noqa: S311 -- must come out the same again, nothing here is secret
