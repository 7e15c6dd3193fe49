"""The simulator: accounts, flags, time and faults of one CLN."""

import time
from collections.abc import Callable, Mapping
from random import Random
from threading import RLock
from typing import Self

from . import answers, calls, demo, fleet, rollout
from .answers import SimulatedAnswer
from .calls import SimulatedCall
from .dates import Dates
from .faults import Faults
from .model import (
    ELS_CODES,
    NEWER,
    REVISIONS,
    Account,
    SimulatedEportal,
    SimulatedPatchServer,
    SimulationState,
    names,
)
from .request_log import Request, RequestLog

LOGIN = "acme_login"
EPORTAL = calls.eportal.ROOT
PATCHES = calls.patches.ROOT
LARGEST_FLEET = 1_000_000
A_CENTURY = 36525 * 24 * 3600  # seconds


class Simulator:
    """A CLN in memory, without accounts at first.

    It follows the `revision` of the API document, one of `REVISIONS`, by default the newest.

    `clock` returns Unix seconds; `speed` is the number of simulated seconds per second of the clock; `seed` determines
    all generated values. The public attributes can be changed at any time, even while the simulator is served:

    - `accounts`: the accounts by login.
    - `eportal`: an ePortal, without servers at first.
    - `patches`: the kernels and patches of the patch server.
    - `flags`: the flags of `/status.json`.
    - `faults`: the faults to inject.
    - `failure_status`: the HTTP status of `success: false` (200; the API document does not specify it).
    - `dates`: the format of dates.
    - `token_clock`: the clock for the validity of tokens and for the `Date` header. It is `now`; use `time.time` if
      clients use the real time while the simulated time is advanced.
    - `lock`: the lock to hold while several related things are changed.
    """

    def __init__(
        self, clock: Callable[[], float] = time.time, *, speed: float = 1.0, seed: int = 0, revision: str = NEWER
    ) -> None:
        if revision not in REVISIONS:
            raise ValueError(f"invalid revision {revision}: use {' or '.join(REVISIONS)}")
        self.revision = revision
        if not 0 <= speed < float("inf"):
            raise ValueError(f"invalid speed {speed}: use a number of 0 or more; 1 is real time")
        self._clock = clock
        self._speed = speed
        self._start = clock()
        self._advanced = 0.0
        self._state = SimulationState(self.now, seed)
        self._requests = RequestLog()
        self.lock: RLock = self._state.lock
        self.accounts: dict[str, Account] = {}
        self.eportal = SimulatedEportal(self._state)
        self.patches = SimulatedPatchServer()
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
        revision: str = NEWER,
    ) -> Self:
        """Return a simulator with an account `acme_login`, its KernelCare servers, 100 per key, and other products.

        A quarter as many servers are behind its ePortal.

        The same seed at the same time gives the same fleet. Raises ValueError for less than 0 or more than a million
        servers.
        """
        if not 0 <= servers <= LARGEST_FLEET:
            raise ValueError(f"invalid number of servers {servers}: use a number from 0 to {LARGEST_FLEET}")
        simulator = cls(clock, speed=speed, seed=seed, revision=revision)
        account = simulator.add_account()
        fleet.populate(account, servers, _random(seed), simulator.now())
        fleet.add_ip_licenses(account, servers, _random(f"{seed}, IP licences"), simulator.now())
        fleet.add_els_keys(account, servers, ELS_CODES[revision], _random(f"{seed}, ELS"), simulator.now())
        fleet.add_groups(account, _random(f"{seed}, groups"))
        fleet.add_awp_entities(account, servers // 4, _random(f"{seed}, AccelerateWP"), simulator.now())
        if revision == NEWER:  # the older one has no calls for them
            fleet.add_cloudlinux_keys(account, servers, _random(f"{seed}, CloudLinux OS"))
        simulator._add_rollout(servers // 4, seed)
        return simulator

    @classmethod
    def demo(
        cls,
        seed: int = 7,
        *,
        clock: Callable[[], float] = time.time,
        speed: float = 1.0,
        revision: str = NEWER,
    ) -> Self:
        """Return a simulator with the demo account, `acme_login`: about 130 servers and 20 IP licenses."""
        simulator = cls(clock, speed=speed, seed=seed, revision=revision)
        account = simulator.add_account(registration_token="demo-registration-token")  # noqa: S106 -- not a real token
        demo.populate_demo(account, _random(seed), simulator.now())
        demo.add_ip_licenses(account, _random(f"{seed}, IP licences"), simulator.now())
        demo.add_els_keys(account, ELS_CODES[revision], _random(f"{seed}, ELS"), simulator.now())
        demo.add_groups(account)
        fleet.add_awp_entities(account, demo.AWP_WEBSITES, _random(f"{seed}, AccelerateWP"), simulator.now())
        if revision == NEWER:  # the older one has no calls for them
            demo.add_cloudlinux_keys(account)
        simulator._add_rollout(demo.EPORTAL_SERVERS, seed)
        return simulator

    def _add_rollout(self, servers: int, seed: int) -> None:
        random = _random(f"{seed}, rollout")
        rollout.populate_rollout(self.eportal, self.patches, servers, random, self.now())

    def add_account(
        self, login: str = LOGIN, secret_key: str | None = None, registration_token: str | None = None
    ) -> Account:
        """Add an account; its secret key is generated if None.

        `registration_token` is the static token that `/kcare/nagios-res` accepts in addition to authentication tokens.
        Raises ValueError if the login is empty, exists already, or contains a `|`, which ends the login in a token.
        """
        with self.lock:
            if not login or "|" in login or login in self.accounts:
                raise ValueError(f"cannot add the account {login!r}: the login must be new, not empty, and without '|'")
            if secret_key is None:
                secret_key = names.imunify_server_id(self._state.random)
            account = Account(self._state, login, secret_key, registration_token)
            self.accounts[login] = account
            return account

    def now(self) -> float:
        """Return the simulated time in Unix seconds."""
        return self._start + (self._clock() - self._start) * self._speed + self._advanced

    def advance(self, seconds: float) -> None:
        """Advance the simulated time by `seconds`. Raises ValueError for less than 0 or more than a century."""
        if not 0 <= seconds <= A_CENTURY:
            raise ValueError(f"cannot advance by {seconds} seconds: use a number from 0 to {A_CENTURY} (a century)")
        with self.lock:
            self._advanced += seconds

    @property
    def requests(self) -> list[Request]:
        """The newest 10 000 requests, oldest first, without those to `/-/`."""
        return self._requests.all()

    def clear_requests(self) -> None:
        """Remove all requests from `requests`."""
        self._requests.clear()

    def note(self, request: Request) -> None:
        """Add a request to `requests`."""
        self._requests.add(request)

    def answer(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        client_ip: str = "127.0.0.1",
        skew: float = 0.0,
    ) -> SimulatedAnswer:
        """Return the response to one call, without faults.

        `path` starts after `/api` and is percent-encoded, `query` is decoded. `skew` seconds are added to the clock for
        the validity of tokens.
        """

        def call(parts: Mapping[str, str]) -> SimulatedCall:
            return SimulatedCall(
                accounts=self.accounts,
                flags=self.flags,
                dates=self.dates,
                query=query,
                parts=parts,
                client_ip=client_ip,
                revision=self.revision,
                now=self.now(),
                token_time=self.token_clock() + skew,
            )

        with self.lock:
            return calls.answer(method, path, self.failure_status, self.revision, call)

    def answer_elsewhere(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> SimulatedAnswer:
        """Return the response to a request that is not for CLN: for the ePortal, or for the patch server.

        `path` is the whole path, and the names of `headers` are lowercase.
        """
        with self.lock:
            if path.startswith(f"{EPORTAL}/"):
                return calls.eportal.answer(
                    self.eportal, method, path.removeprefix(EPORTAL), query=query, headers=headers, now=self.now()
                )
            if path.startswith(f"{PATCHES}/"):
                return calls.patches.answer(self.patches, method, path.removeprefix(PATCHES), self.now())
            return answers.page(404)


def _random(seed: int | str) -> Random:
    return Random(seed)  # noqa: S311 -- must be reproducible, nothing here is secret
