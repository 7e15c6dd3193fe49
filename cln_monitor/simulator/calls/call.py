"""A call of the API, as it is passed to a handler, and a row of the route table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cln_monitor.simulator.answers import SimulatedAnswer
from cln_monitor.simulator.dates import Dates
from cln_monitor.simulator.model import REVISIONS, Account


class CallRefusedError(Exception):
    """CLN refuses the call: `success: false` with this text as its message."""


@dataclass(frozen=True, slots=True)
class SimulatedCall:
    """One call.

    `revision` is the revision of the API document to follow. `parts` has the parts of the path by the `{name}` in the
    route, `query` the arguments (see `arguments`). `now` is the simulated time, `token_time` the time for the validity
    of tokens, both in Unix seconds.
    """

    accounts: Mapping[str, Account]
    flags: Mapping[str, object]
    dates: Dates
    query: Mapping[str, str]
    parts: Mapping[str, str]
    client_ip: str
    revision: str
    now: float
    token_time: float


@dataclass(frozen=True, slots=True)
class Route:
    """A method, a path below `/api`, where `{name}` is a placeholder for one part, and the handler.

    `revisions` are those of the API document that have the call.
    """

    method: str
    path: str
    handler: Callable[[SimulatedCall], SimulatedAnswer]
    revisions: tuple[str, ...] = REVISIONS
