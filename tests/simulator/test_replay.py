"""Answers out of the document."""

import json

import pytest

from cln_monitor.simulator import CALLS, Account, Fault, Replay, Served, Simulator
from cln_monitor.simulator.samples import SAMPLES, Sample

from .asking import ask, data, fetch, snapshot
from .writes import furnish


def test_it_is_off_at_first_and_can_be_switched_at_any_time(simulator: Simulator, account: Account) -> None:
    """The state is as it was."""
    furnish(account)
    before = snapshot(account)
    assert len(data(simulator, account, "/im/key/list.json")) == 2
    simulator.replay = Replay()
    replayed = data(simulator, account, "/im/key/list.json")
    assert [row["key"] for row in replayed] == ["IM1SOMENONSENCETEXT", "IMUNOTHERKEY"]
    assert data(simulator, account, "/im/key/remove.json", key="IM1") == [
        {"id": "SSERVER_ID_1", "key": "IMKEYVALUE"},
        {"id": "SSERVER_ID_2", "key": "IMKEYVALUE"},
    ]
    simulator.replay = None
    assert snapshot(account) == before


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize("number", range(3))
def test_every_call_gives_its_samples(simulator: Simulator, method: str, path: str, number: int) -> None:
    """In both styles, without a token; one that has fewer gives its last."""
    samples = SAMPLES[method, path]
    sample = samples[min(number, len(samples) - 1)]
    for style in ("enveloped", "bare"):
        simulator.replay = Replay(style, number)
        reply = ask(simulator, path, method=method)
        assert reply.status == 200
        if not isinstance(sample, Sample):
            assert (reply.text, reply.headers["content-type"]) == (sample, "text/plain;charset=UTF-8")
        elif style == "bare" or path == "/cl/awp":
            assert reply.json == sample.data
        else:
            assert reply.json == {
                "message": sample.message,
                "type": None,
                "success": sample.success,
                "data": sample.data,
            }


def test_envelopes_that_the_document_prints_keep_their_words(simulator: Simulator) -> None:
    """The second and the third of `/kcare/srv/remove.json`."""
    simulator.replay = Replay(sample=1)
    assert ask(simulator, "/kcare/srv/remove.json").text == (
        '{"message": "Server not found", "type": null, "success": true, "data": null}'
    )
    simulator.replay = Replay(sample=2)
    assert ask(simulator, "/kcare/srv/remove.json").text == (
        '{"message": "Authorization failed", "type": null, "success": false, "data": null}'
    )


def test_what_is_no_call_is_none_in_a_replay(simulator: Simulator) -> None:
    """404 and 405 stay."""
    simulator.replay = Replay()
    assert ask(simulator, "/nothing.json").status == 404
    assert ask(simulator, "/group/create.json").status == 405


def test_faults_strike_replays_too(simulator: Simulator, served: Served) -> None:
    """Half of a sample is half of an answer."""
    simulator.replay = Replay("bare")
    whole = fetch(served, "/ipl/list.json").body
    assert json.loads(whole)[0]["type"] == 16
    simulator.faults.add(Fault("cut"))
    assert fetch(served, "/ipl/list.json").body == whole[: len(whole) // 2]


@pytest.mark.parametrize(
    ("style", "sample", "error"),
    [
        ("naked", 0, "replay style 'naked': must be one of enveloped, bare"),
        ("bare", -1, "replay sample -1: must be a place in a list, from 0"),
        ("bare", True, "replay sample True: must be a place in a list, from 0"),
    ],
)
def test_a_replay_that_cannot_be_is_an_error(style: str, sample: int, error: str) -> None:
    """Which says what can."""
    with pytest.raises(ValueError, match=f"^{error}$"):
        Replay(style, sample)
