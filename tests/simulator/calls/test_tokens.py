"""Authentication tokens."""

import pytest

from cln_monitor.simulator import CALLS, Account, Simulator
from cln_monitor.simulator.calls import tokens
from tests.simulator.asking import NOW, ask, data, snapshot, token
from tests.simulator.writes import WRITES, populate_account

LIST = "/kcare/key/list.json"
REFUSED = {"message": "Authorization failed", "type": None, "success": False, "data": None}


def test_a_token_is_login_timestamp_and_digest() -> None:
    """The digest is that of `printf 's3cret1714490800' | sha1sum`."""
    assert (
        tokens.make_token("acme_login", "s3cret", 1714490800.9)
        == "acme_login|1714490800|23181b2d6d4d6ed1711e605c906cde1160311824"
    )


@pytest.mark.parametrize(("off", "accepted"), [(0, True), (-1800, True), (1800, True), (-1801, False), (1801, False)])
def test_a_token_is_valid_for_half_an_hour_either_side(
    simulator: Simulator, account: Account, off: int, accepted: bool
) -> None:
    """A token is valid at 1800 seconds before or after, and not a second more."""
    assert ask(simulator, LIST, token=token(account, NOW + off)).json["success"] is accepted


def test_a_token_expires_by_the_simulated_time(simulator: Simulator, account: Account) -> None:
    """A token expires by the simulated clock, unless another clock is set."""
    simulator.advance(1801)
    assert ask(simulator, LIST, token=token(account)).json == REFUSED
    simulator.token_clock = lambda: NOW
    assert ask(simulator, LIST, token=token(account)).json["success"] is True


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "acme_login",
        "acme_login|1714490800",
        "acme_login|1714490800|",
        "acme_login|1714490800|23181b2d6d4d6ed1711e605c906cde1160311824|",
        "other|1714490800|23181b2d6d4d6ed1711e605c906cde1160311824",
        "acme_login|1714490801|23181b2d6d4d6ed1711e605c906cde1160311824",
        "acme_login|01714490800|23181b2d6d4d6ed1711e605c906cde1160311824",
        "acme_login|²|23181b2d6d4d6ed1711e605c906cde1160311824",
        "acme_login|1714490800.0|23181b2d6d4d6ed1711e605c906cde1160311824",
        f"acme_login|{'9' * 5000}|23181b2d6d4d6ed1711e605c906cde1160311824",
        "acme_login|1714490800|23181b2d6d4d6ed1711e605c906cde1160311824".upper(),
    ],
)
def test_a_wrong_token_is_refused(simulator: Simulator, account: Account, wrong: str) -> None:
    """Any invalid token is refused with the same message."""
    assert account.login == "acme_login"
    assert ask(simulator, LIST, token=wrong).json == REFUSED


@pytest.mark.parametrize(
    ("method", "path"),
    [call for call in CALLS if not call[1].startswith(("/status.", "/kcare/nagios"))],
)
def test_each_call_requires_a_token(simulator: Simulator, account: Account, method: str, path: str) -> None:
    """A missing, forged or expired token is refused, and nothing changes."""
    populate_account(account)
    before = snapshot(account)
    stranger = simulator.add_account("other", "s")
    forged = f"acme_login|{token(stranger).partition('|')[2]}"
    query = WRITES.get((method, path), {})
    refused = {"status": 401, "message": "Authorization failed"} if path.startswith("/v2/") else REFUSED
    for wrong in ({}, {"token": forged}, {"token": token(account, NOW - 1801)}):
        assert ask(simulator, path, method=method, **query, **wrong).json == refused
        assert ask(simulator, path, method=method, **wrong).json == refused
    assert snapshot(account) == before


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_with_its_token_every_call_that_changes_something_does(
    simulator: Simulator, account: Account, method: str, path: str
) -> None:
    """With a valid token, each writing call changes the account."""
    populate_account(account)
    before = snapshot(account)
    data(simulator, account, path, method, **WRITES[method, path])
    assert snapshot(account) != before


def test_the_status_of_failures_can_be_set(simulator: Simulator, account: Account) -> None:
    """The HTTP status of refusals is 200 by default and can be set."""
    assert ask(simulator, LIST).status == 200
    simulator.failure_status = 401
    assert ask(simulator, LIST).status == 401
    assert ask(simulator, LIST, token=token(account)).status == 200
