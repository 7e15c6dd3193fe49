"""Icinga 2: ``POST /v1/actions/process-check-result``, one request per result over a persistent connection."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import msgspec

from cln_monitor.cln import Redactor
from cln_monitor.config import SecretFile
from cln_monitor.feed.result import FeedResult
from cln_monitor.probes import Duration
from cln_monitor.text_cleaning import is_clean
from cln_monitor.urls import is_http_url

from .connection import Connection, Request
from .icinga2_answers import ACTION, services, submitted, user
from .perfdata import split_perfdata
from .receiver import Receiver, ReceiverError, TlsFiles
from .sink import DELIVERED, Delivery, Outcome, SinkSettings, object_name, problem_of_file, problem_of_timeout

_PATH = f"/v1/{ACTION}"
_MOST_IN_A_ROW = 3  # requests that fail before the rest of the results is not sent
_AT_A_TIME = 2000  # services in one query: a body has 1 MiB at most


class Settings(SinkSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of an Icinga 2: ``url`` is one endpoint or several, and the user has a password or a certificate.

    ``tls_server_name`` is the name in Icinga's certificate if it is not the host of the URL.
    """

    files: ClassVar[tuple[str, ...]] = ("password_file", "cert_file", "key_file", "ca_file")
    secrets: ClassVar[tuple[str, ...]] = ("password_file", "key_file")

    url: str | list[str]
    username: str | None = None
    password_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    ca_file: str | None = None
    tls_server_name: str | None = None
    timeout: Duration = Duration(30.0)

    @property
    def urls(self) -> list[str]:
        """The URLs of all endpoints, without the version of the API."""
        urls = [self.url] if isinstance(self.url, str) else self.url
        return [url.rstrip("/").removesuffix("/v1") for url in urls]

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield the field and the problem of each invalid value."""
        if not self.urls:
            yield "url", "expected at least one URL"
        for url in self.urls:
            if not is_http_url(url) or not url.startswith("https://") or set("?#@") & set(url):
                yield "url", "expected the URL of an Icinga 2 API, for example https://icinga.example.com:5665"
        yield from self._problems_of_user()
        for field in ("cert_file", "ca_file"):
            if (name := getattr(self, field)) is not None and (problem := problem_of_file(Path(name))):
                yield field, problem
        if problem := problem_of_timeout(self.timeout):
            yield "timeout", problem
        yield from super().problems()

    def _problems_of_user(self) -> Iterator[tuple[str, str]]:
        if self.username is not None and (not self.username or ":" in self.username or not is_clean(self.username)):
            yield "username", "expected a name without a colon or control characters"
        ways = (("username", "password_file"), ("cert_file", "key_file"))
        used = [way for way in ways if any(getattr(self, field) is not None for field in way)]
        if not used:
            yield "username", "is required, with password_file; or set cert_file and key_file"
        if len(used) > 1:
            yield "cert_file", "username is also set; set only one of username and cert_file"
        for way in used:
            for field, other in (way, way[::-1]):
                if getattr(self, field) is None:
                    yield field, f"is required with {other}"


_encode = msgspec.json.Encoder().encode


class Icinga2Sink:
    """Submits results to Icinga 2."""

    name = "icinga2"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._password = SecretFile(settings.password_file, Path()) if settings.password_file else None
        self._redactor = Redactor()
        tls = TlsFiles(settings.ca_file, settings.cert_file, settings.key_file)
        connections = [Connection(url, tls, settings.tls_server_name) for url in settings.urls]
        self._receiver = Receiver(connections, self._redactor)

    def send(self, results: Sequence[FeedResult], *, now: float, ttl: float) -> list[Outcome]:
        """Submit ``results``, and return an outcome for each."""
        ends_at = time.monotonic() + self._settings.timeout
        try:
            headers = self._headers()
        except (OSError, ValueError) as error:
            return [Outcome(Delivery.FAILED, self._unreadable(error))] * len(results)
        outcomes: list[Outcome] = []
        in_a_row = 0
        for result in results:
            if in_a_row >= _MOST_IN_A_ROW:
                outcomes.append(outcomes[-1])
                continue
            request = Request("POST", _PATH, headers, _body(result, now, ttl))
            try:
                where, answer = self._receiver.ask(request, submitted, ends_at)
            except ReceiverError as error:
                outcomes.append(Outcome(Delivery.FAILED, f"Icinga 2: {error}"))
                in_a_row = in_a_row + 1 if error.answered else _MOST_IN_A_ROW
                continue
            in_a_row = 0
            if answer.code == 200:
                outcomes.append(DELIVERED)
                continue
            text = self._receiver.scrub(answer.reason)
            outcomes.append(Outcome(Delivery.REFUSED, f"{object_name(result)}: {where}: {text}"))
            if answer.code == 401:  # the same for each object, and each attempt is a line in Icinga's log
                rest = results[len(outcomes) :]
                outcomes += [Outcome(Delivery.REFUSED, f"{object_name(other)}: {where}: {text}") for other in rest]
                break
        return outcomes

    def check(self, results: Sequence[FeedResult]) -> list[str]:
        """Return which services are missing or take no passive results, and which permission the user lacks."""
        ends_at = time.monotonic() + self._settings.timeout
        try:
            headers = self._headers()
            where, asking = self._receiver.ask(Request("GET", "/v1", headers), user, ends_at)
            problems = [
                f"{where}: the API user {asking.user} lacks the permission {permission}"
                for permission in (ACTION, "objects/query/Service")
                if not any(_matches(granted.partition(" ")[0], permission) for granted in asking.permissions)
            ]
            if problems:
                return problems
            names = sorted(map(object_name, results))
            for start in range(0, len(names), _AT_A_TIME):
                problems += self._problems_of_services(names[start : start + _AT_A_TIME], headers, ends_at)
        except ReceiverError as error:
            return [f"Icinga 2: {error}"]
        except (OSError, ValueError) as error:
            return [self._unreadable(error)]
        return [self._receiver.scrub(problem) for problem in problems]

    def close(self) -> None:
        """Close the connections."""
        self._receiver.close()

    def _problems_of_services(self, names: Sequence[str], headers: str, ends_at: float) -> list[str]:
        query = {
            "filter": "wanted.contains(service.__name)",
            "filter_vars": {"wanted": dict.fromkeys(names, True)},
            "attrs": ["enable_passive_checks"],
        }
        # The filter is in a body, for which a query is a POST that says it is a GET.
        more = f"{headers}X-HTTP-Method-Override: GET\r\n"
        request = Request("POST", "/v1/objects/services", more, _encode(query))
        where, found = self._receiver.ask(request, services, ends_at)
        passive = {service.name: service.attrs.enable_passive_checks for service in found}
        problems = [f"{where}: no service {name!r}" for name in names if name not in passive]
        disabled = [name for name in names if passive.get(name) is False]
        return problems + [f"{where}: passive checks are disabled for the service {name!r}" for name in disabled]

    def _headers(self) -> str:
        """Return the header lines of a request. Raises OSError or ValueError if the password cannot be read."""
        lines = "Accept: application/json\r\nContent-Type: application/json\r\n"
        if self._password is None:
            return lines
        password = self._password().reveal()
        credentials = base64.b64encode(f"{self._settings.username}:{password}".encode()).decode()
        self._redactor.hide(password)
        self._redactor.hide(credentials)
        return f"{lines}Authorization: Basic {credentials}\r\n"

    def _unreadable(self, error: Exception) -> str:
        return f"Icinga 2: password_file: {getattr(error, 'strerror', None) or error}"


def _body(result: FeedResult, now: float, ttl: float) -> bytes:
    # "replace": the plugin prints a lone surrogate, which UTF-8 does not have, as a question mark as well.
    return _encode(
        {
            "type": "Service",
            "service": _utf8(object_name(result)),
            "exit_status": result.state,
            "plugin_output": _utf8(result.output),
            "performance_data": split_perfdata(_utf8(result.perfdata)),
            "check_source": "cln-feed",
            "execution_start": now,
            "execution_end": now,
            "ttl": ttl,
        }
    )


def _utf8(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _matches(granted: str, permission: str) -> bool:
    from fnmatch import fnmatchcase  # noqa: PLC0415 # for --check only

    return fnmatchcase(permission.lower(), granted.lower())
