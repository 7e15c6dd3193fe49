"""Round trips of any text and any response: the only errors are those of the client."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cln_monitor.cln import Client, ClnError, InvalidArgumentError, clean_text
from cln_monitor.simulator import REVISIONS, Fault
from cln_monitor.text_cleaning import is_clean
from tests.cli.account import ELS_KEY, IMUNIFY_KEY, KEY, LOGIN, SECRET_KEY, TOKEN, Cln, populate_account

from .document import CALLS, Call

pytestmark = pytest.mark.many_inputs

_ON_THE_WIRE = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
_LINES = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=100).filter(
    lambda text: is_clean(text) and text.strip() != ""
)
_LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([SECRET_KEY, KEY, TOKEN])
)
_NAMES = st.sampled_from(
    ["key", "id", "server_id", "ip", "type", "registered", "code", "name", "flag", "available", "owned", "product",
     "last_checkin", "created", "limit", "usageLimit", "data", "success", "message", SECRET_KEY]
)  # fmt: skip
_JSON = st.recursive(
    _LEAVES, lambda below: st.lists(below, max_size=4) | st.dictionaries(_NAMES | st.text(), below, max_size=5)
)


def test_each_call_in_normal_mode(cln: Cln, client: Client) -> None:
    """Each call of the revision with typical arguments succeeds."""
    for call in CALLS if cln.simulator.revision == REVISIONS[-1] else [call for call in CALLS if not call.is_of_v2]:
        populate_account(cln.simulator)
        call.make(client)


@_ON_THE_WIRE
@given(note=_LINES, limit=st.integers(0, 1_000_000))
def test_notes(note: str, limit: int, cln: Cln, client: Client) -> None:
    """A note in any script is sent unchanged, and is returned without control characters."""
    populate_account(cln.simulator)
    key = client.kernelcare.create_key(limit, note)
    assert cln.account.kernelcare_keys[key].note == note
    shown = next(key_ for key_ in client.kernelcare.keys() if key_.key == key)
    assert (shown.limit, shown.note) == (limit, clean_text(note))
    client.imunify.update_key(IMUNIFY_KEY, limit, note)
    assert (cln.account.imunify_keys[IMUNIFY_KEY].note, cln.account.imunify_keys[IMUNIFY_KEY].limit) == (note, limit)
    assert client.els.update_key(ELS_KEY, note=note).note == clean_text(note)


@_ON_THE_WIRE
@given(name=_LINES, description=_LINES)
def test_groups(name: str, description: str, cln: Cln, client: Client) -> None:
    """A group name in any script is sent unchanged, and can be sent again as returned."""
    populate_account(cln.simulator)
    if name == "web":
        return
    client.groups.create(name, description)
    assert cln.account.groups[name].description == description
    assert [server.server_id for server in client.groups.add_servers(name, ["fresh"])] == ["fresh"]
    assert [server.server_id for server in client.groups.servers(name)] == ["fresh"]
    assert [server.server_id for server in client.groups.remove_servers(name, ["fresh"])] == ["fresh"]


_ODD: Any = (
    st.text(max_size=40) | st.none() | st.integers() | st.booleans() | st.binary(max_size=4) | st.lists(st.text())
)


@_ON_THE_WIRE
@given(first=_ODD, second=_ODD)
def test_odd_arguments(first: Any, second: Any, cln: Cln, client: Client) -> None:
    """Odd arguments are refused by the client before a request, or by CLN."""
    populate_account(cln.simulator)
    for make in (
        lambda: client.kernelcare.create_key(first, second),
        lambda: client.kernelcare.delete_key(first),
        lambda: client.kernelcare.set_cidrs(first, second),
        lambda: client.kernelcare.set_cidrs(KEY, [first]),
        lambda: client.kernelcare.remove_server(first),
        lambda: client.kernelcare.servers(first),
        lambda: client.monitoring_keys.register(first),
        lambda: client.patch_status.for_key(first),
        lambda: client.imunify.create_key(first, second),
        lambda: client.imunify.update_key(IMUNIFY_KEY, first, second),
        lambda: client.imunify.convert_server(first, second),
        lambda: client.els.keys(first),
        lambda: client.els.create_key(first, 1, second),
        lambda: client.ip_licenses.servers([first]),
        lambda: client.ip_licenses.register(first, second),
        lambda: client.ip_licenses.convert("192.0.2.1", first, second),
        lambda: client.ip_licenses.update("192.0.2.1", first, second),
        lambda: client.groups.create(first, second),
        lambda: client.groups.add_servers("web", [first, second]),
        lambda: client.groups.servers(first),
        lambda: client.awp.usage(first, [second]),
    ):
        cln.simulator.clear_requests()
        try:
            make()
        except InvalidArgumentError:
            assert cln.simulator.requests == []
        except ClnError:
            pass


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.method} {call.path}")
@settings(_ON_THE_WIRE, max_examples=8)
@given(data=_JSON, wrapped=st.booleans())
def test_any_answer(call: Call, data: object, wrapped: bool, cln: Cln, client: Client) -> None:
    """Any JSON response is a result or an error of the client, which shows no secret."""
    populate_account(cln.simulator)
    body = json.dumps({"success": True, "data": data, "message": f"{SECRET_KEY} {TOKEN}"} if wrapped else data)
    cln.simulator.faults.add(Fault("answer", body=body.encode("utf-8", "surrogatepass")))
    try:
        call.make(client)
    except ClnError as error:
        shown = f"{error} {error!r} {error.args}"
        assert not [secret for secret in (SECRET_KEY, TOKEN, LOGIN, KEY) if secret in shown]
