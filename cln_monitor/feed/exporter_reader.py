"""Read an exporter once per probe and round, however many services need its data."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from cln_monitor.checks.data.exporter import answer_of, get, place_of, request, with_form
from cln_monitor.checks.data.request import Form, with_fields
from cln_monitor.checks.plugin_exit import CheckError, NoResponseError

from .config import FeedConfig
from .report_index import ReportIndex, dict_of

_AGES = re.compile(rb',"ages":(\{[^{}]*\})\}$')
_LONGEST = 30.0  # seconds for a response, as for a plugin by default


class _Kept(NamedTuple):
    """A report of an earlier round: the checksum of its JSON without ages, the report, and its index."""

    checksum: bytes
    report: dict[str, Any]
    servers: ReportIndex


class ExporterReader:
    """An exporter as the source of many checks. Not thread-safe.

    Within a round, the first check that needs a report requests it. If all checks of the last round needed the same
    form of it, such as a summary, it is requested in that form, else whole. After a request without a response, the
    others of the round fail at once, with the same reason: results must reach the receiver before they expire. So do
    the others once the requests of the round have taken an interval. ``alive`` is called before each request;
    ``monotonic`` is the clock.
    """

    def __init__(
        self,
        config: FeedConfig,
        alive: Callable[[], object] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.url = config.exporter.url
        self.timeout = min(_LONGEST, config.interval / 2)
        self.requests = 0
        """The number of requests so far."""
        self._config = config
        self._alive = alive
        self._monotonic = monotonic
        self._taken = 0.0
        self._where = place_of(self.url)
        self._forms: dict[str, Form] = {}
        self._asked: dict[str, set[Form]] = {}
        self._answers: dict[str, dict[str, Any] | CheckError] = {}
        self._kept: dict[str, _Kept] = {}
        self._silence: NoResponseError | None = None

    @property
    def secrets(self) -> list[str]:
        """The secrets of the connection, which no output may contain."""
        try:
            user, password = self._credentials()
        except CheckError:  # reported by the check that needs them
            return []
        return [password, _basic(user, password)] if password else []

    @property
    def problems(self) -> list[str]:
        """The errors of this round, each once."""
        errors = [str(one) for one in self._answers.values() if isinstance(one, CheckError)]
        return list(dict.fromkeys([*([str(self._silence)] if self._silence else []), *errors]))

    def start_round(self) -> None:
        """Forget the answers of the last round."""
        self._forms = {path: next(iter(forms)) for path, forms in self._asked.items() if len(forms) == 1}
        self._kept = {path: kept for path, kept in self._kept.items() if path in self._asked}
        self._asked = {}
        self._answers = {}
        self._silence = None
        self._taken = 0.0

    def ask(self, path: str, form: Form, content: str) -> dict[str, Any]:
        """Return the JSON object at ``path``, with the servers that ``form`` selects or more.

        Raises CheckError or NoResponseError.
        """
        fixed = tuple(pair for pair in form if pair[0] != "at")
        self._asked.setdefault(path, set()).add(fixed)
        if fixed and self._forms.get(path) == fixed and path not in self._answers:
            return self._answer(path, form, content)
        report = self._answer(path, (), content)
        return self._kept[path].servers.select(report, form) if form else report

    def _answer(self, path: str, form: Form, content: str) -> dict[str, Any]:
        place = with_form(path, form)
        found = self._answers.get(place)
        if found is None:
            try:
                found = self._read(path, form, content)
            except CheckError as error:
                found = error
            self._answers[place] = found
        if isinstance(found, CheckError):
            raise CheckError(str(found))
        return found

    def _read(self, path: str, form: Form, content: str) -> dict[str, Any]:
        longest = self._config.interval
        if self._silence is None and self._taken >= longest:
            problem = f"its responses took longer than the interval ({longest:g} s)"
            self._silence = NoResponseError(f"the exporter at {self._where} is too slow: {problem}")
        if self._silence is not None:
            raise NoResponseError(str(self._silence))
        credentials = self._credentials()
        self.requests += 1
        self._alive()
        begun_at = self._monotonic()
        try:
            status, body = request(lambda: self._get(with_form(path, form), *credentials), self._where, self.timeout)
        except NoResponseError as error:
            self._silence = error
            raise
        finally:
            self._taken += self._monotonic() - begun_at
        ages = _AGES.search(body) if status == 200 else None
        checksum = hashlib.blake2b(body[: ages.start()] if ages else body, digest_size=16).digest()
        kept = self._kept.get(path)
        if ages and kept is not None and kept.checksum == checksum:
            return _with_ages(kept.report, ages[1])
        answer = answer_of(status, body, self._where, content)
        self._kept[path] = _Kept(checksum, answer, ReportIndex(answer))
        return answer

    def _get(self, path: str, user: str, password: str) -> tuple[int, bytes]:
        """Return status and body; a response that is still incomplete after ``timeout`` seconds is a TimeoutError."""
        parts = urlsplit(self.url)
        headers: Mapping[str, str] = {"Authorization": f"Basic {_basic(user, password)}"} if user else {}
        expired = threading.Event()
        connections: list[socket.socket] = []

        def expire() -> None:
            expired.set()
            for connection in connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(self.timeout, expire)
        timer.daemon = True
        timer.start()
        try:
            return get(
                parts,
                path,
                self.timeout,
                headers,
                context=self._config.exporter_tls,
                on_connection=connections.append,
            )
        except Exception:
            if expired.is_set():
                raise TimeoutError from None
            raise
        finally:
            timer.cancel()

    def _credentials(self) -> tuple[str, str]:
        parts = urlsplit(self.url)
        if self._config.exporter.username and self._config.exporter_password is not None:
            try:
                return self._config.exporter.username, self._config.exporter_password().reveal()
            except (OSError, ValueError) as error:
                raise CheckError(f"exporter.password_file: {error}") from None
        return unquote(parts.username or ""), unquote(parts.password or "")


def _with_ages(report: dict[str, Any], ages: bytes) -> dict[str, Any]:
    return dict_of(with_fields(report, ages=type(report)(json.loads(ages))))


def _basic(user: str, password: str) -> str:
    """Return the credentials of an Authorization header (RFC 7617)."""
    return base64.b64encode(f"{user}:{password}".encode()).decode()
