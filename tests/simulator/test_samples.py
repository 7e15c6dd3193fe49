"""The samples of the API document."""

from typing import Any

import pytest

from cln_monitor.simulator import CALLS, REVISIONS, Simulator, calls_of
from cln_monitor.simulator.calls import routes
from cln_monitor.simulator.model import SubAccountServer
from tests.helpers.samples import SAMPLES, Sample

from .asking import NOW, ask, token
from .writes import WRITES, populate_account

READS = {
    "/els/key/list.json": {"code": "CELS", "productType": "CELS"},
    "/els/srv/list.json": {"code": "CELS", "productType": "CELS"},
    "/im/srv/list.json": {"key": "IM1"},
    "/ipl/availability.json": {"ip": "192.0.2.1"},
    "/ipl/check.json": {"ip": "192.0.2.1"},
    "/ipl/server.json": {"ip": "192.0.2.1"},
    "/kcare/key/servers.json": {"key": "K1"},
    "/group/servers/list.json": {"name": "G"},
    "/v2/cl/keys": {"productType": "CL"},
    "/v2/cl/servers": {"productType": "CL"},
    "/cl/awp": {"products": "AWP_PREMIUM,AWP_CDN", "yearMonth": "2024-04"},
}


def shape(value: Any) -> Any:
    """Return the structure of a value: the types of fields, and of the first row of a list."""
    if isinstance(value, dict):
        return {name: shape(field) for name, field in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def test_there_is_a_sample_of_every_call() -> None:
    """Every call has samples, in the order of the API document."""
    assert tuple(SAMPLES) == CALLS
    assert all(SAMPLES.values())


def test_calls_in_text_have_samples_in_text() -> None:
    """Calls with text responses have text samples, and all others have JSON."""
    for (_, path), samples in SAMPLES.items():
        in_json = path.endswith(".json") or path == "/cl/awp" or path.startswith("/v2/")
        assert {isinstance(sample, Sample) for sample in samples} == {in_json}, path


NEWER_METHODS = {path: method for method, path in CALLS if path.startswith("/els/")}
SINCE_2024_10 = {"/els/srv/list.json", "/els/srv/remove.json"}


def samples_of(revision: str, method: str, path: str) -> Any:
    """Return the samples of a call, the one of the revision first."""
    samples = SAMPLES[NEWER_METHODS.get(path, method), path]
    return samples[1:] if revision == REVISIONS[1] and path in SINCE_2024_10 else samples


@pytest.mark.parametrize(
    ("revision", "method", "path"),
    [
        (revision, *call)
        for revision in REVISIONS
        for call in calls_of(revision)
        if isinstance(samples_of(revision, *call)[0], Sample)
    ],
)
def test_answers_from_the_state_look_as_the_samples_do(revision: str, method: str, path: str) -> None:
    """Responses have the same fields and types as the samples of the revision."""
    simulator = Simulator(clock=lambda: NOW, revision=revision)
    account = simulator.add_account()
    populate_account(account)
    account.add_awp_entity("example.com", username="user")
    account.els_keys["CELS-1"].note = "note"
    account.sub_account_servers.append(SubAccountServer("r7", "x@example.org", 1, "CLN-1", 9, "192.0.2.1"))
    product = {"code": "CELS"} if revision == REVISIONS[0] and path == "/els/key/create.json" else {}
    query = {
        **product,
        **WRITES.get((NEWER_METHODS.get(path, method), path), READS.get(path, {})),
        "token": token(account),
    }
    answer = ask(simulator, path, method=method, **query).json
    live = answer if path == "/cl/awp" or path.startswith("/v2/") else answer["data"]
    sample = samples_of(revision, method, path)[0]
    assert isinstance(sample, Sample)
    if path == "/els/key/remove.json":  # the words say server objects, the sample shows their key alone
        live = [{"key": row["key"]} for row in live]
    if path == "/els/key/list.json":  # the sample has a number for a description, which is text elsewhere
        live = [{**live[0], "description": 123}]
    assert shape(live) == shape(sample.data)


def test_a_route_is_a_call() -> None:
    """Each route is a call of a revision, and each revision has a call once."""
    calls = {call for revision in REVISIONS for call in calls_of(revision)}
    assert calls == {(route.method, route.path) for family in routes.FAMILIES for route in family}
    assert all(len(set(calls_of(revision))) == len(calls_of(revision)) for revision in REVISIONS)
