"""The control API over HTTP."""

import json
from typing import Any

import pytest

from cln_monitor.simulator import Account, Fault, Served, Simulator

from .asking import NOW, fetch


def test_faults_can_be_added_listed_and_removed(simulator: Simulator, served: Served) -> None:
    """Changes of faults take effect at once, and responses list the current faults."""
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
    """Bytes that are not text are replaced in the list, and the fault keeps them."""
    fault = simulator.faults.add(Fault("answer", body=b"\xffab"))
    assert fetch(served, "/-/faults").json["faults"][0]["body"] == "\ufffdab"
    assert fault.fields["body"] == b"\xffab"


@pytest.mark.parametrize(
    ("method", "path", "body", "error"),
    [
        (
            "POST",
            "/-/faults",
            {"kind": "hang", "seconds": 1},
            "POST /-/faults: fault 'hang': unknown field 'seconds'; ",
        ),
        (
            "POST",
            "/-/faults",
            {"seconds": 1},
            'POST /-/faults: the fault has no kind; use for example {"kind": "latency", "seconds": 2}',
        ),
        ("POST", "/-/faults", [], "POST /-/faults: the body must be a JSON object"),
        ("POST", "/-/faults", None, "POST /-/faults: the body must be a JSON object: Expecting value"),
        ("DELETE", "/-/faults?id=9", None, "DELETE /-/faults: unknown fault 9; existing faults: none"),
        ("POST", "/-/advance", {}, 'POST /-/advance: expected {"seconds": n}, where n is a number'),
        ("POST", "/-/advance", {"seconds": True}, 'POST /-/advance: expected {"seconds": n}, where n is a number'),
        (
            "POST",
            "/-/advance",
            {"seconds": -1},
            "POST /-/advance: cannot advance by -1 seconds: use a number from 0 to",
        ),
        ("POST", "/-/advance", {"seconds": float("nan")}, "POST /-/advance: cannot advance by nan seconds"),
    ],
)
def test_invalid_requests_are_400(served: Served, method: str, path: str, body: object, error: str) -> None:
    """An invalid request has status 400 and an `error`."""
    answer = fetch(served, path, method=method, body=body)
    assert answer.status == 400
    assert answer.json["error"].startswith(error)


def test_advancing_moves_time(simulator: Simulator, served: Served) -> None:
    """/-/advance moves the simulated time and returns it."""
    assert fetch(served, "/-/advance", method="POST", body={"seconds": 90}).json == {"now": NOW + 90}
    assert simulator.now() == NOW + 90


def test_requests_can_be_read_and_cleared(served: Served) -> None:
    """/-/requests lists all fields of the log, and clears it."""
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
    """/-/state has no secret key, token or license key."""
    account.registration_token = "statictoken"
    account.add_kernelcare_key("LICENSEKEY").add_server()
    account.add_ip_license("192.0.2.1")
    answer = fetch(served, "/-/state")
    assert (answer.json["now"], answer.json["date"]) == (NOW, "2024-04-30T11:26-0400")
    assert answer.json["accounts"]["acme_login"]["kernelcare_servers"] == 1
    assert answer.json["accounts"]["acme_login"]["ip_licenses"] == 1
    assert answer.json["flags"]["xmlrpc"] is True
    for secret in ("s3cret", "statictoken", "LICENSEKEY"):
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
    """Requests of web pages and for other hosts have status 403 on any path."""
    answer = fetch(served, path, headers=headers)
    assert (answer.status, answer.json) == (
        403,
        {"error": "control requests must come from this machine, and not from a web page"},
    )


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "127.0.0.9:1", "[::1]:80", "LOCALHOST"])
def test_all_names_of_this_machine_are_good(served: Served, host: str) -> None:
    """All names of this machine are accepted, with and without a port."""
    assert fetch(served, "/-/state", headers={"Host": host}).status == 200


def test_unknown_paths_and_methods(served: Served) -> None:
    """Unknown paths and methods have status 404 and 405, in JSON."""
    unknown = fetch(served, "/-/nothing")
    assert (unknown.status, unknown.json["error"]) == (
        404,
        "unknown path /-/nothing; expected one of /-/faults, /-/advance, /-/requests, /-/state",
    )
    wrong = fetch(served, "/-/faults", method="PUT", body={})
    assert (wrong.status, wrong.json["error"]) == (405, "/-/faults supports GET, POST, DELETE, not PUT")
    assert json.loads(wrong.body)
