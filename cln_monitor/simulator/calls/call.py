"""A call of the API as a handler sees it, and the row a handler has in the route table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cln_monitor.simulator.answers import SimulatedAnswer
from cln_monitor.simulator.dates import Dates
from cln_monitor.simulator.model import Account


class CallRefusedError(Exception):
    """CLN says no: `success: false` with this text as its message."""


@dataclass(frozen=True, slots=True)
class SimulatedCall:
    """One call.

    `parts` holds what stands in the path in place of `{name}`, `query` the arguments (see `arguments`). `now` is the
    simulated time, `token_time` the time by which tokens are judged, both Unix seconds.
    """

    accounts: Mapping[str, Account]
    flags: Mapping[str, object]
    dates: Dates
    query: Mapping[str, str]
    parts: Mapping[str, str]
    client_ip: str
    now: float
    token_time: float


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path below `/api`, where `{name}` stands for one part of it, and what answers there."""

    method: str
    path: str
    handler: Callable[[SimulatedCall], SimulatedAnswer]
