"""Tests that unchanged responses are not compressed again, and that everything that depends on time is updated."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cln_monitor.exporter.metrics import exposition
from tests.helpers.small_cln import IMUNIFY_KEY, KEY

from .conftest import Exporting

OTHER_KEY = "OTHERKEY00000001"
HOUR = 3600.0
CHECKIN = "cln_kernelcare_server_last_checkin"


@pytest.fixture
def fleet(exporting: Exporting) -> Exporting:
    """An exporter that has polled two KernelCare keys and an Imunify key, whose servers have just checked in."""
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
    """The texts that are compressed from now on."""
    texts: list[bytes] = []
    deflate: Callable[[bytes], bytes] = exposition._deflate

    def recorded(text: bytes) -> bytes:
        texts.append(text)
        return deflate(text)

    monkeypatch.setattr(exposition, "_deflate", recorded)
    return texts


def test_unchanged_responses(fleet: Exporting, compressed: list[bytes]) -> None:
    """Unchanged per-server series are not compressed again; the times of the probe are updated."""
    before = fleet.samples(CHECKIN)
    fleet.clock.sleep(60)
    fleet.run("kernelcare")
    assert fleet.samples(CHECKIN) == before
    assert not [text for text in compressed if b"server_id" in text]
    assert f" {fleet.clock.time():.0f}" in str(fleet.samples("cln_probe_last_run"))
    observation = fleet.target("kernelcare").observation
    assert observation is not None
    assert {part.observed_at for part in observation.parts} == {fleet.clock.time()}


def test_a_server_becomes_stale_in_an_unchanged_response(fleet: Exporting) -> None:
    """A server becomes stale with time even if the response is unchanged."""

    def fresh() -> list[str]:
        return [line[-1] for line in fleet.samples("cln_kernelcare_key_servers{") if 'checkin="fresh"' in line]

    assert fresh() == ["1", "1"]
    fleet.clock.sleep(2 * HOUR)
    fleet.run("kernelcare")
    assert fresh() == ["0", "0"]


def test_unchanged_data_do_not_expire(fleet: Exporting) -> None:
    """Unchanged data expire only if polls fail."""
    for _ in range(4):
        fleet.clock.sleep(HOUR)
        fleet.run("kernelcare")
        assert len(fleet.samples(CHECKIN)) == 2
    fleet.clock.sleep(2 * HOUR + 1)
    assert fleet.samples(CHECKIN) == []


def test_removed_and_restored_servers(fleet: Exporting) -> None:
    """A server and a key disappear with the poll that does not list them, and reappear with the one that does."""
    original = fleet.samples(CHECKIN)
    server = fleet.account.kernelcare_keys[KEY].servers.pop("one")
    fleet.run("kernelcare")
    assert fleet.samples(CHECKIN) == [line for line in original if '"one"' not in line]
    fleet.account.kernelcare_keys[KEY].servers["one"] = server
    fleet.run("kernelcare")
    assert fleet.samples(CHECKIN) == original
    key = fleet.account.kernelcare_keys.pop(OTHER_KEY)
    fleet.run("kernelcare")
    assert fleet.samples(CHECKIN) == [line for line in original if '"two"' not in line]
    fleet.account.kernelcare_keys[OTHER_KEY] = key
    fleet.run("kernelcare")
    assert sorted(fleet.samples(CHECKIN)) == sorted(original)


def test_changed_settings_apply_at_once(fleet: Exporting) -> None:
    """Text rendered with the previous configuration is not reused after a reload."""
    fleet.configure(top="probes: {kernelcare: {server_series: false}}")
    assert fleet.service.reload() is None
    assert fleet.samples(CHECKIN) == []
    fleet.configure(top="key_labels: full")
    assert fleet.service.reload() is None
    fleet.run("kernelcare")
    assert [KEY in line or OTHER_KEY in line for line in fleet.samples(CHECKIN)] == [True, True]


def test_a_secret_that_is_learned_later(fleet: Exporting) -> None:
    """An unchanged response is redacted again, as a text in it may have become a secret."""
    assert '"three"' in fleet.metrics()
    fleet.service._redactor.hide("three", "<hidden>")
    fleet.run("imunify")
    assert '"three"' not in fleet.metrics()
    assert '"<hidden>"' in fleet.metrics()
