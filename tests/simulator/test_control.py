"""Steering over HTTP."""

import json
from typing import Any

import pytest

from cln_monitor.simulator import Account, Fault, Served, Simulator

from .asking import NOW, fetch


def test_faults_can_be_added_listed_and_removed(simulator: Simulator, served: Served) -> None:
    """All of it takes effect at once, and each says what is there now."""
    added = fetch(served, "/-/faults", method="POST", body={"kind": "status", "status": 503, "times": 1, "path": "/s*"})
    row: dict[str, Any] = {
        "id": 1,
        "kind": "status",
        "path": "/s*",
        "match": None,
        "times": 1,
        "after": 0,
        "probability": 1.0,
        "struck": 0,
        "status": 503,
        "retry_after": None,
        "html": False,
    }
    assert (added.status, added.json) == (200, {"faults": [row]})
    assert fetch(served, "/status.json").status == 503
    fetch(served, "/-/faults", method="POST", body={"kind": "hang"})
    listed = fetch(served, "/-/faults").json["faults"]
    assert listed[0] == {**row, "struck": 1}
    assert [fault["id"] for fault in listed] == [1, 2]
    left = fetch(served, "/-/faults?id=1", method="DELETE").json["faults"]
    assert [fault["kind"] for fault in left] == ["hang"]
    assert fetch(served, "/-/faults", method="DELETE").json == {"faults": []}
    assert len(simulator.faults) == 0


def test_bytes_of_a_fault_are_shown_as_text(simulator: Simulator, served: Served) -> None:
    """Those that are no text are replaced, the fault keeps them."""
    fault = simulator.faults.add(Fault("answer", body=b"\xffab"))
    assert fetch(served, "/-/faults").json["faults"][0]["body"] == "\ufffdab"
    assert fault.fields["body"] == b"\xffab"


@pytest.mark.parametrize(
    ("method", "path", "body", "error"),
    [
        ("POST", "/-/faults", {"kind": "hang", "seconds": 1}, "POST /-/faults: fault 'hang' takes no 'seconds'; "),
        (
            "POST",
            "/-/faults",
            {"seconds": 1},
            'POST /-/faults: a fault needs a kind, as in {"kind": "latency", "seconds": 2}',
        ),
        ("POST", "/-/faults", [], "POST /-/faults: the body must be a JSON object"),
        ("POST", "/-/faults", None, "POST /-/faults: the body must be a JSON object: Expecting value"),
        ("DELETE", "/-/faults?id=9", None, "DELETE /-/faults: there is no fault 9; there are: none"),
        ("POST", "/-/advance", {}, 'POST /-/advance: it takes {"seconds": n}, n a number'),
        ("POST", "/-/advance", {"seconds": True}, 'POST /-/advance: it takes {"seconds": n}, n a number'),
        (
            "POST",
            "/-/advance",
            {"seconds": -1},
            "POST /-/advance: advancing by -1 seconds: must be from 0 to a century",
        ),
        ("POST", "/-/advance", {"seconds": float("nan")}, "POST /-/advance: advancing by nan seconds"),
    ],
)
def test_a_request_that_makes_no_sense_is_400_and_says_what_would(
    served: Served, method: str, path: str, body: object, error: str
) -> None:
    """In the key `error`."""
    answer = fetch(served, path, method=method, body=body)
    assert answer.status == 400
    assert answer.json["error"].startswith(error)


def test_advancing_moves_time(simulator: Simulator, served: Served) -> None:
    """And says what time it is then."""
    assert fetch(served, "/-/advance", method="POST", body={"seconds": 90}).json == {"now": NOW + 90}
    assert simulator.now() == NOW + 90


def test_requests_can_be_read_and_cleared(served: Served) -> None:
    """With all that the log has."""
    fetch(served, "/status.json", a="1")
    [request] = fetch(served, "/-/requests").json["requests"]
    assert (request["method"], request["path"], request["query"], request["status"]) == (
        "GET",
        "/status.json",
        {"a": "1"},
        200,
    )
    assert fetch(served, "/-/requests", method="DELETE").json == {"requests": []}
    assert fetch(served, "/-/requests").json == {"requests": []}


def test_the_state_has_counts_and_time_and_no_secret(served: Served, account: Account) -> None:
    """Neither secret key, token nor licence key."""
    account.registration_token = "statictoken"
    account.add_kernelcare_key("LICENCEKEY").add_server()
    account.add_ip_license("192.0.2.1")
    answer = fetch(served, "/-/state")
    assert (answer.json["now"], answer.json["date"]) == (NOW, "2024-04-30T11:26-0400")
    assert answer.json["accounts"]["acme_login"]["kernelcare_servers"] == 1
    assert answer.json["accounts"]["acme_login"]["ip_licenses"] == 1
    assert answer.json["flags"]["xmlrpc"] is True
    for secret in ("s3cret", "statictoken", "LICENCEKEY"):
        assert secret not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://127.0.0.1"},
        {"Origin": "null"},
        {"Host": "attacker.example.com"},
        {"Host": "127.0.0.1.attacker.example.com:80"},
        {"Host": ""},
        {"Host": "192.0.2.1"},
        {"Host": "[::1"},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/-/faults", "/-/nothing"])
def test_web_pages_and_rebound_names_are_refused(served: Served, headers: dict[str, str], path: str) -> None:
    """403, whatever the path."""
    answer = fetch(served, path, headers=headers)
    assert (answer.status, answer.json) == (
        403,
        {"error": "control requests come from this machine, and not from a web page"},
    )


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "127.0.0.9:1", "[::1]:80", "LOCALHOST"])
def test_all_names_of_this_machine_are_good(served: Served, host: str) -> None:
    """With and without a port."""
    assert fetch(served, "/-/state", headers={"Host": host}).status == 200


def test_unknown_paths_and_methods_say_what_there_is(served: Served) -> None:
    """404 and 405, in JSON."""
    unknown = fetch(served, "/-/nothing")
    assert (unknown.status, unknown.json["error"]) == (
        404,
        "/-/nothing: there are /-/faults, /-/advance, /-/requests, /-/state",
    )
    wrong = fetch(served, "/-/faults", method="PUT", body={})
    assert (wrong.status, wrong.json["error"]) == (405, "/-/faults takes GET, POST, DELETE, not PUT")
    assert json.loads(wrong.body)
