"""The log of requests: it is bounded and thread-safe."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

KEPT = 10_000


@dataclass(slots=True)
class Request:
    """One request.

    `path` is decoded and starts after `/api` (or is the whole path, if it is not below `/api`); `query` has the decoded
    arguments; `target` is the request target as sent. `status` is the status of the response, None if no status line
    has been sent. The names of `headers` are lowercase. `client_port` distinguishes the client's connections.
    """

    method: str
    path: str
    query: Mapping[str, str]
    target: str
    status: int | None
    headers: Mapping[str, str]
    client_port: int


class RequestLog:
    """The newest 10 000 requests."""

    def __init__(self) -> None:
        self._requests: deque[Request] = deque(maxlen=KEPT)
        self._lock = Lock()

    def add(self, request: Request) -> None:
        """Log a request, before it is answered."""
        with self._lock:
            self._requests.append(request)

    def all(self) -> list[Request]:
        """Return all logged requests, oldest first."""
        with self._lock:
            return list(self._requests)

    def clear(self) -> None:
        """Remove all requests."""
        with self._lock:
            self._requests.clear()
