"""Lists that are given again while CLN answers the same bytes."""

from __future__ import annotations

import gc
import weakref

import pytest

from cln_monitor.cln import BadAnswer, ImunifyServer, Memory, ReadOnlyClient
from cln_monitor.cln.transport import Answer
from cln_monitor.simulator import Account, Fault, Served, Simulator

from .asking import KEY, Clients, credentials, enveloped


@pytest.fixture
def client(clients: Clients, account: Account, served: Served) -> ReadOnlyClient:
    """A client with a memory, of an account with a key and two servers."""
    key = account.add_kernelcare_key(KEY)
    key.add_server("one", last_checkin=1.0)
    key.add_server("two", last_checkin=1.0)
    return ReadOnlyClient.over(clients.transport(served.url), credentials(), memory=Memory())


def test_the_same_answer_is_the_same_list(client: ReadOnlyClient, account: Account) -> None:
    """The very list, until one byte of the answer differs."""
    first = client.kernelcare.servers(KEY)
    assert client.kernelcare.servers(KEY) is first
    assert client.within(client._caller.deadline).kernelcare.servers(KEY) is first
    account.kernelcare_keys[KEY].add_server("three")
    changed = client.kernelcare.servers(KEY)
    assert (changed is first, len(first), len(changed)) == (False, 2, 3)


def test_without_a_memory_lists_are_the_callers_own(clients: Clients, account: Account, served: Served) -> None:
    """Who uses the client as a library may change what it got."""
    account.add_kernelcare_key(KEY).add_server("one")
    client = clients.client(served.url)
    client.kernelcare.servers(KEY).clear()
    assert len(client.kernelcare.servers(KEY)) == 1


def test_calls_are_not_mistaken_for_each_other(client: ReadOnlyClient, account: Account, simulator: Simulator) -> None:
    """Two keys, and two products, whose answers are alike."""
    account.add_kernelcare_key("OTHERKEY00000001")
    account.add_imunify_key("IMUNIFY000000001")
    simulator.faults.add(Fault("answer", "/*/servers.json", body=enveloped([{"server_id": "x", "id": "x"}])))
    simulator.faults.add(Fault("answer", "/im/srv/list.json", body=enveloped([{"server_id": "x", "id": "x"}])))
    one, other = client.kernelcare.servers(KEY), client.kernelcare.servers("OTHERKEY00000001")
    assert one == other
    assert one is not other
    assert isinstance(client.imunify.servers("IMUNIFY000000001")[0], ImunifyServer)


def test_what_nobody_holds_is_forgotten(client: ReadOnlyClient) -> None:
    """Keys come and go over years; a memory does not grow by that."""
    rows = client.kernelcare.servers(KEY)
    seen = weakref.ref(rows)
    del rows
    gc.collect()
    assert seen() is None


def test_another_status_is_another_answer() -> None:
    """What was an answer with 200 may be none with 404."""
    memory = Memory()

    def make(answer: Answer) -> list[int]:
        if answer.status != 200:
            raise BadAnswer("no answer")
        return [1]

    held = memory.rows("call", Answer(200, b"1"), make)
    with pytest.raises(BadAnswer):
        memory.rows("call", Answer(404, b"1"), make)
    assert memory.rows("call", Answer(200, b"1"), make) is held
