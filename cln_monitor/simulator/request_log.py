"""What clients asked: a bounded log that any thread may write and read."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

KEPT = 10_000


@dataclass(slots=True)
class Request:
    """One request.

    `path` is decoded and starts after `/api` (the whole path, when it lies elsewhere); `query` holds the
    decoded arguments; `target` is what the client sent, as it sent it. `status` is what it is answered, None
    while, or when, no status line goes out. `headers` has its names in small letters. `client_port` tells the
    client's connections apart.
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
        """Note a request, before it is answered."""
        with self._lock:
            self._requests.append(request)

    def all(self) -> list[Request]:
        """All requests kept, oldest first."""
        with self._lock:
            return list(self._requests)

    def clear(self) -> None:
        """Forget them."""
        with self._lock:
            self._requests.clear()
