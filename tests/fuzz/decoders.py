"""The decoders of CLN's responses, as functions of bytes that raise if a promise is broken."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from cln_monitor.cln import (
    ClnError,
    Credentials,
    Deadline,
    RateLimiter,
    ReadOnlyClient,
    Redactor,
    Secret,
    Transport,
    TransportSettings,
)
from cln_monitor.cln.dates import parse_date
from cln_monitor.cln.http.answer import HttpAnswer, Reply
from cln_monitor.cln.monitoring_key import _registered
from cln_monitor.text_cleaning import is_clean
from tests.helpers.clock import FakeClock

CORPUS = Path(__file__).parent / "corpus"
LOGIN, SECRET_KEY, TOKEN = "pl4nted_login", "pl4nted-secret-key", "pl4nted-token"
_STATUSES = (200, 200, 200, 200, 302, 401, 404, 500)
_DAYS = 3_700_000.0 * 86400  # farther from 1970 is no date that Python has


class _Canned(Transport):
    """A transport that gives each call the same response, and sends nothing."""

    def __init__(self, answer: HttpAnswer) -> None:
        clock, redactor = FakeClock(), Redactor()
        for secret in (LOGIN, SECRET_KEY, TOKEN):
            redactor.hide(secret)
        super().__init__(TransportSettings("http://cln.example.net/api"), RateLimiter(1, 0, clock), clock, redactor)
        self._answer = answer

    def _send(self, *_: object, **__: object) -> Reply:
        return Reply(self._answer, None)


def answer_of(data: bytes) -> HttpAnswer:
    """Return a response: the first byte selects the status, the others are the body."""
    return HttpAnswer(_STATUSES[data[0] % len(_STATUSES)] if data else 200, data[1:])


def _call(ask: Callable[[ReadOnlyClient], object]) -> Callable[[bytes], None]:
    def decode(data: bytes) -> None:
        credentials = Credentials(LOGIN, lambda: Secret(SECRET_KEY), lambda: Secret(TOKEN))
        with contextlib.closing(_Canned(answer_of(data))) as transport:
            client = ReadOnlyClient.over(transport, credentials, Deadline.never(transport.clock))
            try:
                read = ask(client)
            except ClnError as error:
                _check_error(error)
            else:
                _check_values(msgspec.to_builtins(read))

    return decode


def _check_error(error: ClnError) -> None:
    text = str(error)
    assert is_clean(text), repr(text)
    assert len(text) < 1000
    assert not [secret for secret in (LOGIN, SECRET_KEY, TOKEN) if secret in text]
    text.encode()  # a lone surrogate would end whoever writes it


def _check_values(value: Any) -> None:
    for leaf in _leaves(value):
        if isinstance(leaf, str):
            assert is_clean(leaf), repr(leaf)
            leaf.encode()
        elif isinstance(leaf, float):
            assert abs(leaf) < _DAYS
        elif isinstance(leaf, int):
            assert leaf >= 0


def _leaves(value: Any) -> Iterator[object]:
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    else:
        yield value


def _date(data: bytes) -> None:
    with contextlib.suppress(ValueError, OverflowError):
        assert math.isfinite(parse_date(data.decode("utf-8", "replace")))


def _registration(data: bytes) -> None:
    with contextlib.suppress(ClnError):
        _registered(answer_of(data))


DECODERS: Mapping[str, Callable[[bytes], None]] = {
    "status": _call(lambda client: client.status.flags()),
    "kernelcare_keys": _call(lambda client: client.kernelcare.keys()),
    "kernelcare_servers": _call(lambda client: client.kernelcare.servers("WsTs821nSAtiastD")),
    "imunify_keys": _call(lambda client: client.imunify.keys()),
    "imunify_servers": _call(lambda client: client.imunify.servers("IM1SOMENONSENCETEXT")),
    "els_keys": _call(lambda client: client.els.keys("CELS")),
    "els_servers": _call(lambda client: client.els.servers("CELS")),
    "ip_licenses": _call(lambda client: client.ip_licenses.licenses()),
    "ip_license_servers": _call(lambda client: client.ip_licenses.servers(["192.0.2.1"])),
    "ip_license_availability": _call(lambda client: client.ip_licenses.availability("192.0.2.1")),
    "ip_license_check": _call(lambda client: client.ip_licenses.check("192.0.2.1")),
    "groups": _call(lambda client: client.groups.groups()),
    "group_servers": _call(lambda client: client.groups.servers("web")),
    "awp": _call(lambda client: client.awp.usage("2023-12")),
    "cloudlinux_keys": _call(lambda client: client.cloudlinux.keys("CL")),
    "cloudlinux_servers": _call(lambda client: client.cloudlinux.servers("CL")),
    "sub_account_servers": _call(lambda client: client.cloudlinux.sub_account_servers()),
    "patch_status_of_key": _call(lambda client: client.patch_status.for_key("WsTs821nSAtiastD")),
    "patch_status_of_reseller": _call(lambda client: client.patch_status.for_reseller()),
    "registration": _registration,
    "date": _date,
}
"""All there are by name; each takes bytes, and raises where a promise is broken."""


def kept(name: str) -> list[bytes]:
    """Return the corpus of the decoder ``name``."""
    return [file.read_bytes() for file in sorted((CORPUS / name).iterdir())]
