"""A change as it would be sent: arguments are checked as ever, and nothing leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NoReturn

from cln_monitor.cln import Deadline, Endpoint, HttpAnswer, Transport


class DryRunError(Exception):  # the aim of it, not an error
    """The request that would have been sent, without its token."""

    def __init__(self, method: str, path: str, query: Mapping[str, str]) -> None:
        super().__init__(f"{method} {path}")
        self.method = method
        self.path = path
        self.query = dict(query)


class Rehearsal(Transport):
    """A transport on which no change leaves."""

    def write(
        self,
        endpoint: Endpoint,
        query: Callable[[], Mapping[str, str]],
        decode: Callable[[HttpAnswer], object],  # noqa: ARG002 # there is no answer
        deadline: Deadline,  # noqa: ARG002 # nor a wait
    ) -> NoReturn:
        """Raise DryRunError in place of sending."""
        arguments = {name: value for name, value in query().items() if name != "token"}
        raise DryRunError(endpoint.method, endpoint.path(), arguments)
