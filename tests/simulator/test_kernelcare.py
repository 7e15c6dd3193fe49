"""KernelCare keys and servers."""

import pytest

from cln_monitor.simulator import Account, Simulator

from .asking import NOW, Reply, ask, token

DAY = 24 * 3600


def servers(simulator: Simulator, account: Account, key: str) -> Reply:
    """Ask for a key's servers."""
    return ask(simulator, "/kcare/key/servers.json", token=token(account), key=key)


def test_keys_are_listed_as_in_the_document(simulator: Simulator, account: Account) -> None:
    """All keys of the account and no other's; the limit is a number."""
    account.add_kernelcare_key("WsTs821nSAtiastD", limit=2, note="Some custom key note", enabled=False, created=NOW)
    account.add_kernelcare_key("K2", limit=0, created=NOW - DAY)
    simulator.add_account("other", "s").add_kernelcare_key("K3")
    assert ask(simulator, "/kcare/key/list.json", token=token(account)).json["data"] == [
        {
            "key": "WsTs821nSAtiastD",
            "enabled": False,
            "created": "2024-04-30T11:26-0400",
            "limit": 2,
            "note": "Some custom key note",
        },
        {"key": "K2", "enabled": True, "created": "2024-04-29T11:26-0400", "limit": 0, "note": ""},
    ]


def test_an_account_without_keys_has_an_empty_list(simulator: Simulator, account: Account) -> None:
    """As the document says."""
    assert ask(simulator, "/kcare/key/list.json", token=token(account)).json["data"] == []


def test_servers_are_listed_as_in_the_document(simulator: Simulator, account: Account) -> None:
    """With their last check-in, null for one that never checked in."""
    key = account.add_kernelcare_key("K")
    key.add_server("s096slnkaAtoiAsd", ip="192.0.2.1", created=NOW - DAY, last_checkin=NOW - 60)
    key.add_server("s2", ip="2001:db8::1", created=NOW - DAY, last_checkin=None)
    assert servers(simulator, account, "K").json["data"] == [
        {
            "server_id": "s096slnkaAtoiAsd",
            "ip": "192.0.2.1",
            "created": "2024-04-29T11:26-0400",
            "last_checkin": "2024-04-30T11:25-0400",
        },
        {"server_id": "s2", "ip": "2001:db8::1", "created": "2024-04-29T11:26-0400", "last_checkin": None},
    ]


def test_dates_are_spelled_as_set(simulator: Simulator, account: Account) -> None:
    """Style and missing dates reach the rows."""
    account.add_kernelcare_key("K").add_server("s", ip="192.0.2.1", created=NOW, last_checkin=None)
    simulator.dates.style = "zulu"
    simulator.dates.never = "missing"
    assert servers(simulator, account, "K").json["data"] == [
        {"server_id": "s", "ip": "192.0.2.1", "created": "2024-04-30T15:26Z"}
    ]


def test_a_key_without_servers_has_an_empty_list(simulator: Simulator, account: Account) -> None:
    """As the document says."""
    account.add_kernelcare_key("K")
    assert servers(simulator, account, "K").json == {
        "message": None,
        "type": None,
        "success": True,
        "data": [],
    }


def test_a_key_of_nobody_or_somebody_else_is_not_found(simulator: Simulator, account: Account) -> None:
    """Both are refused in the same words, which betray nothing."""
    simulator.add_account("other", "s").add_kernelcare_key("THEIRS")
    refused = {"message": "Key not found", "type": None, "success": False, "data": None}
    assert servers(simulator, account, "NOBODYS").json == refused
    assert servers(simulator, account, "THEIRS").json == refused


def test_a_missing_argument_is_refused(simulator: Simulator, account: Account) -> None:
    """The message names it."""
    reply = ask(simulator, "/kcare/key/servers.json", token=token(account))
    assert reply.json["success"] is False
    assert reply.json["message"] == "Required parameter 'key' is not present"


def test_check_ins_come_in_as_time_goes_on(simulator: Simulator, account: Account) -> None:
    """Five hours later a healthy server has checked in again."""
    account.add_kernelcare_key("K").add_server()
    assert servers(simulator, account, "K").json["data"][0]["last_checkin"] == "2024-04-30T11:26-0400"
    simulator.advance(5 * 3600)
    later = ask(simulator, "/kcare/key/servers.json", token=token(account, simulator.now()), key="K").json
    assert "2024-04-30T11:56-0400" < later["data"][0]["last_checkin"] <= "2024-04-30T16:26-0400"


@pytest.mark.parametrize(
    ("created", "last_checkin", "state"),
    [
        (NOW - 90 * DAY, NOW - 30 * DAY, "outofdate"),
        (NOW - 90 * DAY, NOW - 30 * DAY - 1, "inactive"),
        (NOW - 90 * DAY, None, "inactive"),
        (NOW - DAY, None, "outofdate"),
    ],
)
def test_a_server_is_inactive_after_thirty_days_of_silence(
    account: Account, created: float, last_checkin: float | None, state: str
) -> None:
    """Whatever its patch state; one never heard counts from its registration."""
    server = account.add_kernelcare_key().add_server(
        created=created, last_checkin=last_checkin, patch_state="outofdate"
    )
    assert server.state_at(NOW) == state


def test_an_unknown_patch_state_is_an_error_that_names_those_there_are(account: Account) -> None:
    """Given or set later; a server given one is not registered."""
    key = account.add_kernelcare_key()
    expected = r"^patch_state = 'old': must be one of uptodate, outofdate, unsupported, inactive$"
    with pytest.raises(ValueError, match=expected):
        key.add_server(patch_state="old")
    assert not key.servers
    assert key.add_server(patch_state="unsupported").patch_state == "unsupported"
    with pytest.raises(ValueError, match=expected):
        key.add_server().patch_state = "old"
