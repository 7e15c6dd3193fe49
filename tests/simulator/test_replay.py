"""Responses replayed from the API document, as the tests of the client receive them from a simulator."""

import json

import pytest

from cln_monitor.simulator import CALLS, Account, Fault, Served, Simulator
from tests.helpers.replay import Style, replaying
from tests.helpers.samples import SAMPLES, Sample

from .asking import ask, data, fetch, snapshot
from .writes import populate_account

pytestmark = pytest.mark.unmeasured


def test_it_is_in_place_of_the_state(simulator: Simulator, account: Account) -> None:
    """A replay does not change the state, which is served again afterwards."""
    populate_account(account)
    before = snapshot(account)
    live = data(simulator, account, "/im/key/list.json")
    assert len(live) == 2
    with replaying(simulator):
        replayed = data(simulator, account, "/im/key/list.json")
        assert [row["key"] for row in replayed] == ["IM1SOMENONSENCETEXT", "IMUNOTHERKEY"]
        assert data(simulator, account, "/im/key/remove.json", key="IM1") == [
            {"id": "SSERVER_ID_1", "key": "IMKEYVALUE"},
            {"id": "SSERVER_ID_2", "key": "IMKEYVALUE"},
        ]
    assert snapshot(account) == before
    assert data(simulator, account, "/im/key/list.json") == live


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("style", ["enveloped", "bare"])
def test_every_call_gives_its_samples(simulator: Simulator, method: str, path: str, number: int, style: Style) -> None:
    """Every call returns its samples without a token, and the last one if there are fewer."""
    samples = SAMPLES[method, path]
    sample = samples[min(number, len(samples) - 1)]
    with replaying(simulator, style, number):
        reply = ask(simulator, path.replace("{", "").replace("}", ""), method=method)
    assert reply.status == 200
    if not isinstance(sample, Sample):
        assert (reply.text, reply.headers["content-type"]) == (sample, "text/plain;charset=UTF-8")
    elif style == "bare" or path == "/cl/awp" or path.startswith("/v2/"):
        assert reply.json == sample.data
    else:
        assert reply.json == {
            "message": sample.message,
            "type": None,
            "success": sample.success,
            "data": sample.data,
        }


def test_envelopes_that_the_document_prints_keep_their_words(simulator: Simulator) -> None:
    """Envelopes in the API document keep their messages."""
    with replaying(simulator, place=1):
        assert ask(simulator, "/kcare/srv/remove.json").text == (
            '{"message": "Server not found", "type": null, "success": true, "data": null}'
        )
    with replaying(simulator, place=2):
        assert ask(simulator, "/kcare/srv/remove.json").text == (
            '{"message": "Authorization failed", "type": null, "success": false, "data": null}'
        )


def test_unknown_calls_in_a_replay(simulator: Simulator) -> None:
    """Unknown paths and methods have status 404 and 405 in a replay too."""
    with replaying(simulator):
        assert ask(simulator, "/nothing.json").status == 404
        assert ask(simulator, "/group/create.json").status == 405


def test_faults_apply_to_replays(simulator: Simulator, served: Served) -> None:
    """Faults apply to replayed responses too."""
    with replaying(simulator, "bare"):
        whole = fetch(served, "/ipl/list.json").body
        assert json.loads(whole)[0]["type"] == 16
        simulator.faults.add(Fault("cut"))
        assert fetch(served, "/ipl/list.json").body == whole[: len(whole) // 2]
