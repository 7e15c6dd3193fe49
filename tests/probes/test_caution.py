"""Cautions about anomalies in responses."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cln_monitor.cln import Limit
from cln_monitor.probes import PROBES, Caution, phrases_of
from cln_monitor.simulator import Simulator
from cln_monitor.simulator.answers import SimulatedAnswer
from tests.helpers.clock import NOW
from tests.helpers.small_cln import ELS_KEY, IMUNIFY_KEY, KEY, UNLIMITED_KEY

from .conftest import SECRET_KEY, Cln

DAY = 86400.0


def rewrite(simulator: Simulator, path: str, old: bytes, new: bytes) -> None:
    """Replace ``old`` with ``new`` in all further responses to ``path``."""
    answer: Callable[..., SimulatedAnswer] = simulator.answer

    def changed(method: str, at: str, *rest: object) -> SimulatedAnswer:
        told = answer(method, at, *rest)
        return SimulatedAnswer(told.status, told.content_type, told.body.replace(old, new)) if at == path else told

    simulator.answer = changed  # type: ignore[method-assign, assignment] # in place of the real one


def said(cln: Cln, probe: str, **settings: object) -> list[str]:
    """Return the phrases of the cautions about a probe's observation."""
    run = cln.run(PROBES[probe], **settings)
    assert run.failure is None
    return [phrase.text for phrase in phrases_of(run.observation.all_cautions)]


@pytest.mark.parametrize(
    ("limit", "text"),
    [
        (b"-5", "1 key has a limit that cannot be read: {key} ('-5')"),
        (b'"1,000"', "1 key has a limit that cannot be read: {key} ('1,000')"),
        (b'{"a": 1}', """1 key has a limit that cannot be read: {key} ('{{"a": 1}}')"""),
        (b"null", "CLN does not report the limit of 1 key: {key}"),
    ],
)
def test_the_limit_of_one_key(limit: bytes, text: str, cln: Cln) -> None:
    """An unreadable limit of one key is quoted, and other limits are used."""
    cln.account.add_kernelcare_key(KEY, limit=7)
    cln.account.add_kernelcare_key(UNLIMITED_KEY, limit=0)
    rewrite(cln.simulator, "/kcare/key/list.json", b'"limit": 7', b'"limit": ' + limit)
    assert said(cln, "kernelcare") == [text.format(key=KEY)]


def test_a_secret_in_a_limit(cln: Cln) -> None:
    """A secret in a limit is redacted in the phrase and in the observation."""
    cln.account.add_kernelcare_key(KEY, limit=7)
    cln.account.add_kernelcare_key(UNLIMITED_KEY, limit=0)
    rewrite(cln.simulator, "/kcare/key/list.json", b'"limit": 7', f'"limit": "x {SECRET_KEY}"'.encode())
    run = cln.run(PROBES["kernelcare"])
    assert SECRET_KEY not in repr(run)
    assert "1 key has a limit" in phrases_of(run.observation.all_cautions)[0].text


@pytest.mark.parametrize("new", [b'"limits"', b'"limit_"'])
def test_a_limit_by_another_name(new: bytes, cln: Cln) -> None:
    """A renamed field is reported once and not per key."""
    cln.account.add_kernelcare_key(KEY, limit=7)
    cln.account.add_kernelcare_key(UNLIMITED_KEY, limit=9)
    rewrite(cln.simulator, "/kcare/key/list.json", b'"limit"', new)
    assert said(cln, "kernelcare") == ["CLN reports no limit of 2 KernelCare keys"]


def test_each_product(cln: Cln) -> None:
    """Renamed fields are reported for each product."""
    account = cln.account
    account.add_imunify_key(IMUNIFY_KEY, limit=3).add_server("i", ip="192.0.2.1", last_checkin=NOW)
    account.add_els_key(ELS_KEY, code="CELS", limit=3).add_server("e", ip="192.0.2.1")
    account.add_ip_license("192.0.2.1", 16, last_checkin=NOW)
    for path, name in (
        ("/im/key/list.json", b'"limit"'),
        ("/im/srv/list.json", b'"last_checkin"'),
        ("/els/key/list.json", b'"usageLimit"'),
        ("/els/srv/list.json", b'"ip"'),
        ("/ipl/server.json", b'"last_checkin"'),
    ):
        rewrite(cln.simulator, path, name, b'"renamed"')
    assert said(cln, "imunify") == [
        f"CLN reports no last_checkin of 1 server of key {IMUNIFY_KEY}, limit of 1 Imunify key"
    ]
    assert said(cln, "els", products=["CELS"]) == ["CLN reports no ip of 1 server of CELS, limit of 1 CELS key"]
    assert said(cln, "ip_licenses") == ["CLN reports no last_checkin of 1 server of IP licenses"]


def test_fewer_than_reported(cln: Cln) -> None:
    """An Imunify key that lists fewer than half of its servers is reported."""
    key = cln.account.add_imunify_key(IMUNIFY_KEY, limit=9)
    for number in range(4):
        key.add_server(f"i{number}", ip="192.0.2.1", last_checkin=NOW)
    assert said(cln, "imunify") == []
    rewrite(cln.simulator, "/im/key/list.json", b'"servers": "4"', b'"servers": "8"')
    assert said(cln, "imunify") == []
    rewrite(cln.simulator, "/im/key/list.json", b'"servers": "8"', b'"servers": "9"')
    assert said(cln, "imunify") == [f"CLN lists fewer servers than it counts: key {IMUNIFY_KEY} (4 of 9)"]


def test_by_the_clock_of_cln(cln: Cln) -> None:
    """A check-in is ahead if it is ahead of CLN's clock, not of the local one."""
    key = cln.account.add_kernelcare_key(KEY, limit=0)
    key.add_server("s", ip="192.0.2.1", last_checkin=NOW + 4000)
    assert said(cln, "kernelcare") == [
        "1 server has a last check-in more than 1h ahead of CLN's clock: 192.0.2.1 (2024-04-30)"
    ]
    cln.clock.set(-9 * DAY)  # ours is set back; CLN's goes on
    assert said(cln, "kernelcare")
    cln.clock.set(9 * DAY)
    cln.simulator.token_clock = lambda: NOW + 1500  # and so its Date
    assert said(cln, "kernelcare") == []


def test_an_unused_license(cln: Cln) -> None:
    """The check-in of an unused license causes no caution."""
    cln.account.add_ip_license("192.0.2.1", 16, registered=False, last_checkin=NOW + 9 * DAY)
    assert said(cln, "ip_licenses") == []
    rewrite(cln.simulator, "/ipl/server.json", b'"last_checkin"', b'"renamed"')
    assert said(cln, "ip_licenses") == []
    cln.account.add_ip_license("192.0.2.2", 16, last_checkin=NOW)
    assert said(cln, "ip_licenses") == ["CLN reports no last_checkin of 1 server of IP licenses"]


@pytest.mark.parametrize("reported", [b"-1", b'"x"', b"[]", b"1.5"])
def test_a_count_that_cannot_be_read(reported: bytes, cln: Cln) -> None:
    """An unreadable number of servers is reported, and the list of servers is used."""
    cln.account.add_imunify_key(IMUNIFY_KEY, limit=9).add_server("i", ip="192.0.2.1", last_checkin=NOW)
    rewrite(cln.simulator, "/im/key/list.json", b'"servers": "1"', b'"servers": ' + reported)
    (text,) = said(cln, "imunify")
    assert text.startswith(f"1 key has a number of servers that cannot be read: {IMUNIFY_KEY} ('")


def test_a_date_beyond_all_years(cln: Cln) -> None:
    """A date beyond the year 9999 in UTC is a check-in ahead of CLN's clock."""
    cln.account.add_kernelcare_key(KEY, limit=0).add_server("s", ip="192.0.2.1", last_checkin=NOW)
    rewrite(
        cln.simulator,
        "/kcare/key/servers.json",
        b'"last_checkin": "',
        b'"last_checkin": "9999-12-31T23:59-1200", "x": "',
    )
    (text,) = said(cln, "kernelcare")
    assert text.endswith("ahead of CLN's clock: 192.0.2.1 (9999-12-31)")


def test_many_names() -> None:
    """The first twenty names are kept with the total count."""
    (caution,) = Caution.for_names("checkin_ahead", [str(number) for number in range(900)])
    assert (len(caution.names), caution.count) == (20, 900)
    assert Caution.for_names("checkin_ahead", []) == ()


def test_types() -> None:
    """A limit is a number, text, or None."""
    limits: list[Limit] = [3, "1,000", None]
    assert len(limits) == 3
