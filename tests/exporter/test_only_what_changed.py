"""A poll whose answers are those of the last one compresses nothing again, and shows nothing that is no longer true."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cln_monitor.exporter.metrics.exposition import Fragment
from tests.helpers.small_cln import IMUNIFY_KEY, KEY

from .conftest import Exporting

OTHER_KEY = "OTHERKEY00000001"
HOUR = 3600.0
CHECKIN = "cln_kernelcare_server_last_checkin"


@pytest.fixture
def fleet(exporting: Exporting) -> Exporting:
    """An exporter that has polled two KernelCare keys, and an Imunify key, of servers that last checked in now."""
    now = exporting.clock.time() // 60 * 60
    for key, name in ((KEY, "one"), (OTHER_KEY, "two")):
        exporting.account.add_kernelcare_key(key, limit=4).add_server(name, ip="192.0.2.1", last_checkin=now)
    exporting.account.add_imunify_key(IMUNIFY_KEY).add_server("three", ip="192.0.2.3", last_checkin=now)
    exporting.configure(top="probes: {kernelcare: {stale_after: 1h, max_age: 2h}}")
    assert exporting.service.reload() is None
    exporting.run("kernelcare", "imunify")
    return exporting


@pytest.fixture
def compressed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What is compressed from now on."""
    texts: list[bytes] = []
    compress: Callable[[bytes], Fragment] = Fragment.compress

    def noted(text: bytes) -> Fragment:
        texts.append(text)
        return compress(text)

    monkeypatch.setattr(Fragment, "compress", noted)
    return texts


def test_the_same_answers(fleet: Exporting, compressed: list[bytes]) -> None:
    """No server is compressed; the probe's own times move on."""
    before = fleet.samples(CHECKIN)
    fleet.clock.sleep(60)
    fleet.run("kernelcare")
    assert fleet.samples(CHECKIN) == before
    assert not [text for text in compressed if b"server_id" in text]
    assert f" {fleet.clock.time():.0f}" in str(fleet.samples("cln_probe_last_run"))
    observation = fleet.target("kernelcare").observation
    assert observation is not None
    assert {part.observed_at for part in observation.parts} == {fleet.clock.time()}


def test_a_server_turns_stale_in_an_answer_that_stays(fleet: Exporting) -> None:
    """Whether it is stale is a matter of the time, not of the answer alone."""

    def fresh() -> list[str]:
        return [line[-1] for line in fleet.samples("cln_kernelcare_key_servers{") if 'checkin="fresh"' in line]

    assert fresh() == ["1", "1"]
    fleet.clock.sleep(2 * HOUR)
    fleet.run("kernelcare")
    assert fresh() == ["0", "0"]


def test_data_that_stay_do_not_age(fleet: Exporting) -> None:
    """An answer that stays is seen anew by each poll: it is the polls that fail which let it grow old."""
    for _ in range(4):
        fleet.clock.sleep(HOUR)
        fleet.run("kernelcare")
        assert len(fleet.samples(CHECKIN)) == 2
    fleet.clock.sleep(2 * HOUR + 1)
    assert fleet.samples(CHECKIN) == []


def test_what_went_and_came_back(fleet: Exporting) -> None:
    """A server and a key vanish with the poll that does not see them, and are there again with the one that does."""
    all_of_them = fleet.samples(CHECKIN)
    server = fleet.account.kernelcare_keys[KEY].servers.pop("one")
    fleet.run("kernelcare")
    assert fleet.samples(CHECKIN) == [line for line in all_of_them if '"one"' not in line]
    fleet.account.kernelcare_keys[KEY].servers["one"] = server
    fleet.run("kernelcare")
    assert fleet.samples(CHECKIN) == all_of_them
    key = fleet.account.kernelcare_keys.pop(OTHER_KEY)
    fleet.run("kernelcare")
    assert fleet.samples(CHECKIN) == [line for line in all_of_them if '"two"' not in line]
    fleet.account.kernelcare_keys[OTHER_KEY] = key
    fleet.run("kernelcare")
    assert sorted(fleet.samples(CHECKIN)) == sorted(all_of_them)


def test_another_setting_shows_at_once(fleet: Exporting) -> None:
    """What was written under the former configuration is not taken for what the new one asks for."""
    fleet.configure(top="probes: {kernelcare: {server_series: false}}")
    assert fleet.service.reload() is None
    assert fleet.samples(CHECKIN) == []
    fleet.configure(top="key_labels: full")
    assert fleet.service.reload() is None
    fleet.run("kernelcare")
    assert [KEY in line or OTHER_KEY in line for line in fleet.samples(CHECKIN)] == [True, True]


def test_a_secret_that_is_learned_later(fleet: Exporting) -> None:
    """An answer that stays is searched again: a text in it may have become a secret."""
    assert '"three"' in fleet.metrics()
    fleet.service._redactor.hide("three", "<hidden>")
    fleet.run("imunify")
    assert '"three"' not in fleet.metrics()
    assert '"<hidden>"' in fleet.metrics()
