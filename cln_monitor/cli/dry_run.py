"""Dry runs of changes: the arguments are checked, and no request is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NoReturn

from cln_monitor.cln import Deadline, Endpoint, HttpAnswer, Transport


class DryRunError(Exception):  # the expected outcome of a dry run
    """A request was not sent. ``method``, ``path`` and ``query`` describe it, without its token."""

    def __init__(self, method: str, path: str, query: Mapping[str, str]) -> None:
        super().__init__(f"{method} {path}")
        self.method = method
        self.path = path
        self.query = dict(query)


class DryRunTransport(Transport):
    """A transport that sends no changes."""

    def write(
        self,
        endpoint: Endpoint,
        query: Callable[[], Mapping[str, str]],
        decode: Callable[[HttpAnswer], object],  # noqa: ARG002 # there is no response
        deadline: Deadline,  # noqa: ARG002 # and no wait
    ) -> NoReturn:
        """Raise DryRunError instead of sending the request."""
        arguments = {name: value for name, value in query().items() if name != "token"}
        raise DryRunError(endpoint.method, endpoint.path(), arguments)
