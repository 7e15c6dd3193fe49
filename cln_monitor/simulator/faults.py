"""Faults: their kinds, the requests they apply to, and how often."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from random import Random
from threading import Lock
from typing import Any, Final
from urllib.parse import unquote

_REQUIRED: Final = object()
_COMMON = ("path", "match", "times", "after", "probability")


@dataclass(frozen=True, slots=True)
class _Field:
    must_be: str
    fits: Callable[[Any], bool]
    default: object = _REQUIRED


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _seconds(default: float) -> _Field:
    return _Field("a number of seconds, 0 or more", lambda value: _is_number(value) and value >= 0, default)


def _status(default: int, least: int) -> _Field:
    return _Field(
        f"an HTTP status from {least} to 599", lambda value: _is_count(value) and least <= value <= 599, default
    )


KINDS: Mapping[str, Mapping[str, _Field]] = {
    "answer": {
        "status": _status(200, 200),
        "content_type": _Field("a content type", _is_text, "application/json;charset=UTF-8"),
        "body": _Field("text or bytes", lambda value: isinstance(value, str | bytes)),
    },
    "cut": {},
    "cut_body": {},
    "cut_gzip": {},
    "drip": {"seconds": _seconds(1.0)},
    "drip_headers": {"seconds": _seconds(1.0)},
    "empty": {},
    "garbage": {},
    "hang": {},
    "html": {},
    "huge": {
        "size": _Field("a number of bytes", _is_count, 200_000_000),
        "gzip": _Field("true or false", _is_flag, False),
    },
    "interim": {
        "status": _Field("an HTTP status from 100 to 199", lambda value: _is_count(value) and 100 <= value <= 199, 103)
    },
    "latency": {"seconds": _seconds(1.0)},
    "raw": {"body": _Field("text or bytes", lambda value: isinstance(value, str | bytes))},
    "redirect": {"location": _Field("a URL or a path", _is_text)},
    "reset": {},
    "skew": {"seconds": _Field("a number of seconds", _is_number)},
    "status": {
        "status": _status(500, 400),
        "retry_after": _Field(
            "seconds, an HTTP date or null",
            lambda value: value is None or _is_text(value) or (_is_number(value) and value >= 0),
            None,
        ),
        "html": _Field("true or false", _is_flag, False),
    },
}


class Fault:
    """A fault that is injected into requests.

    `path` is a shell pattern for the path after `/api`, where `*` also matches slashes; `match` is a text that the
    request target must contain, as sent or decoded. The first `after` matching requests are not affected. Then the
    fault is injected into each with `probability`, at most `times` times (None: no limit). `struck` is the count.

    Kinds and their fields:

    - `latency`: the response is delayed by `seconds`.
    - `skew`: the `Date` header and the clock for tokens are off by `seconds`.
    - `status`: an HTTP error `status`, with `retry_after`, as JSON or as `html`.
    - `answer`: a response with `status`, `content_type` and `body`.
    - `html`, `empty`: an HTML page, or an empty body, both with status 200.
    - `redirect`: a redirect to `location`.
    - `cut`: half of the real response, with a matching Content-Length. `cut_body`: half of the Content-Length.
    - `cut_gzip`: the real response in gzip without its trailer, with a matching Content-Length.
    - `interim`: an interim `status` such as 103, followed by the real response.
    - `hang`: no response. `drip`, `drip_headers`: the body, or all, at one byte per `seconds`.
    - `reset`: RST. `garbage`: bytes that are not HTTP. `raw`: the bytes of `body`; the connection stays open.
    - `huge`: `size` bytes of plausible JSON; with `gzip`, they are compressed.

    Raises ValueError for an unknown kind, an unknown field, a missing field, or an invalid value.
    """

    def __init__(
        self,
        /,
        kind: str,
        path: str = "*",
        *,
        match: str | None = None,
        times: int | None = None,
        after: int = 0,
        probability: float = 1.0,
        **fields: object,
    ) -> None:
        if kind not in KINDS:
            raise ValueError(f"unknown fault kind {kind!r}; expected one of {', '.join(KINDS)}")
        known = KINDS[kind]
        for name in fields:
            if name not in known:
                raise ValueError(
                    f"fault {kind!r}: unknown field {name!r}; expected one of {', '.join([*known, *_COMMON])}"
                )
        for name, field in known.items():
            if name not in fields and field.default is _REQUIRED:
                raise ValueError(f"fault {kind!r}: missing field {name!r}, {field.must_be}")
        for name, must_be, value, fits in (
            *((name, field.must_be, fields.get(name, field.default), field.fits) for name, field in known.items()),
            ("path", "a pattern such as /kcare/key/*", path, _is_text),
            ("match", "a text or null", match, lambda value: value is None or _is_text(value)),
            ("times", "a count or null", times, lambda value: value is None or _is_count(value)),
            ("after", "a count", after, _is_count),
            ("probability", "from 0 to 1", probability, lambda value: _is_number(value) and 0 <= value <= 1),
        ):
            if not fits(value):
                raise ValueError(f"fault {kind!r}: {name} must be {must_be}, not {value!r}")
        self.kind = kind
        self.path = path
        self.match = match
        self.times = times
        self.after = after
        self.probability = probability
        self.fields: dict[str, Any] = {name: fields.get(name, field.default) for name, field in known.items()}
        self.struck = 0
        self._passed = 0

    @property
    def continues(self) -> bool:
        """Whether the request is still answered, so that other faults can apply to it too."""
        return self.kind in {"latency", "skew"}

    def applies(self, path: str, target: str, draw: float) -> bool:
        """Return whether the fault applies to a request, and count the request; `draw` is a random number in [0, 1)."""
        if not fnmatchcase(path, self.path):
            return False
        if self.match is not None and self.match not in target and self.match not in unquote(target):
            return False
        if self._passed < self.after:
            self._passed += 1
            return False
        if (self.times is not None and self.struck >= self.times) or draw >= self.probability:
            return False
        self.struck += 1
        return True


class Faults:
    """The faults of a simulator, in the order in which they were added. It is thread-safe."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._faults: dict[int, Fault] = {}
        self._next = 1
        self._lock = Lock()

    def add(self, fault: Fault) -> Fault:
        """Add a fault, and return it."""
        with self._lock:
            self._faults[self._next] = fault
            self._next += 1
        return fault

    def remove(self, fault: Fault) -> None:
        """Remove a fault. Raises ValueError if it is not among the faults."""
        with self._lock:
            for number, present in self._faults.items():
                if present is fault:
                    del self._faults[number]
                    return
        raise ValueError(f"cannot remove the fault {fault.kind!r}: it was never added, or was removed already")

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._faults.clear()

    def numbered(self) -> dict[int, Fault]:
        """Return the faults by the number that each received when it was added."""
        with self._lock:
            return dict(self._faults)

    def __iter__(self) -> Iterator[Fault]:
        return iter(self.numbered().values())

    def __len__(self) -> int:
        return len(self._faults)

    def for_request(self, path: str, target: str) -> list[Fault]:
        """Return the faults that apply to a request: those that continue, and at most one that does not, as the last.

        Faults after that one do not count the request.
        """
        applicable = []
        with self._lock:
            for fault in self._faults.values():
                if fault.applies(path, target, self._random.random()):
                    applicable.append(fault)
                    if not fault.continues:
                        break
        return applicable
