"""The arguments of calls, and the refusal of invalid ones."""

import pytest

from cln_monitor.simulator import Account, Simulator
from tests.simulator.asking import data, refusal, snapshot
from tests.simulator.writes import WRITES, populate_account

CREATE = {
    "/els/key/create.json": {"productType": "CELS"},
    "/im/key/create.json": {"code": "360_1"},
    "/kcare/key/create.json": {},
}
UPDATE = {"/els/key/update.json": "CELS-1", "/im/key/update.json": "IM1"}
OPTIONAL = {"note", "description", "els_allowed", ("GET", "/ipl/remove.json", "type")}
CREATE_AND_UPDATE = [*CREATE.items(), *((path, {"key": key}) for path, key in UPDATE.items())]


@pytest.mark.parametrize(
    ("method", "path", "missing"),
    [
        (method, path, name)
        for (method, path), query in WRITES.items()
        for name in query
        if name not in OPTIONAL
        and (method, path, name) not in OPTIONAL
        and not (path in UPDATE and name == "limit")  # what an update leaves out stays
    ],
)
def test_a_missing_argument_is_refused_by_name(
    simulator: Simulator, account: Account, method: str, path: str, missing: str
) -> None:
    """A missing or empty argument is refused by name, and nothing changes."""
    populate_account(account)
    before = snapshot(account)
    query = dict(WRITES[method, path])
    del query[missing]
    for sent in (query, {**query, missing: ""}):
        expected = f"Required parameter '{missing}' is not present"
        assert refusal(simulator, account, path, method, **sent) == expected
    assert snapshot(account) == before


@pytest.mark.parametrize(("path", "query"), CREATE_AND_UPDATE)
@pytest.mark.parametrize("limit", ["-1", "1.5", "two", " 2", "+2", "٣", "9" * 10, "9" * 5000, "1\n"])
def test_a_limit_is_a_whole_number_of_nothing_or_more(
    simulator: Simulator, account: Account, path: str, query: dict[str, str], limit: str
) -> None:
    """Any other limit is refused, and nothing changes."""
    populate_account(account)
    before = snapshot(account)
    assert refusal(simulator, account, path, limit=limit, note="new", **query) == f"Invalid limit: {limit}"
    assert snapshot(account) == before


@pytest.mark.parametrize(("path", "query"), CREATE_AND_UPDATE)
def test_a_note_has_a_hundred_characters_at_most(
    simulator: Simulator, account: Account, path: str, query: dict[str, str]
) -> None:
    """A note has at most 100 characters; a longer one changes nothing."""
    populate_account(account)
    before = snapshot(account)
    expected = "Invalid note: 101 characters, at most 100 are allowed"
    assert refusal(simulator, account, path, limit="9", note="ö" * 101, **query) == expected
    assert snapshot(account) == before
    data(simulator, account, path, limit="9", note="ö" * 100, **query)
    assert snapshot(account) != before


@pytest.mark.parametrize(
    "path",
    [f"/ipl/{name}.json" for name in ("availability", "check", "register", "convert", "remove", "server", "update")],
)
@pytest.mark.parametrize("ip", ["300.1.1.1", "web1.example.net", "192.0.2.0/24", "192.0.2.01", "fe80::1%eth0", "1"])
def test_a_malformed_address_is_refused_by_all_that_take_one(
    simulator: Simulator, account: Account, path: str, ip: str
) -> None:
    """A malformed address is refused by name in all calls."""
    assert refusal(simulator, account, path, ip=ip, type="41", type_to="43") == f"Invalid IP address: {ip}"


@pytest.mark.parametrize("type_", ["x", "-1", "1.0", "²"])
@pytest.mark.parametrize("name", ["register", "convert", "remove", "update"])
def test_a_type_is_a_whole_number(simulator: Simulator, account: Account, name: str, type_: str) -> None:
    """A type that is not a whole number is refused in all calls."""
    path = f"/ipl/{name}.json"
    assert refusal(simulator, account, path, ip="192.0.2.1", type=type_, type_to="43") == f"Invalid type: {type_}"


@pytest.mark.parametrize(
    ("sent", "taken"), [("true", True), ("TRUE", True), ("1", True), ("false", False), ("0", False), ("", False)]
)
def test_a_flag_is_true_or_false_or_a_digit(simulator: Simulator, account: Account, sent: str, taken: bool) -> None:
    """A flag is true, false, 1 or 0; an empty one is not set."""
    data(simulator, account, "/ipl/register.json", ip="192.0.2.1", type="1", els_allowed=sent)
    assert account.ip_licenses["192.0.2.1", 1].els_allowed is taken


def test_any_other_flag_is_refused(simulator: Simulator, account: Account) -> None:
    """Any other flag is refused, and nothing is registered."""
    message = refusal(simulator, account, "/ipl/register.json", ip="192.0.2.1", type="1", els_allowed="yes")
    assert message == "Invalid els_allowed: yes"
    assert not account.ip_licenses
