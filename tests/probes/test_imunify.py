"""The probe of Imunify keys and servers."""

from __future__ import annotations

import msgspec

from cln_monitor.cln import ImunifyServer, mask_key
from cln_monitor.probes import PROBES
from cln_monitor.probes.imunify import ImunifyKeyServers
from cln_monitor.simulator import Fault
from tests.helpers.clock import NOW

from .conftest import Cln

IMUNIFY = PROBES["imunify"]
MINUTE = NOW - NOW % 60


def test_keys_and_servers(cln: Cln) -> None:
    """Each key is a part with its product, limit, reported number of servers, and servers."""
    key = cln.account.add_imunify_key("IM250KEY00000001", code="360_250", limit=5)
    key.add_server("one", ip="192.0.2.1", last_checkin=MINUTE)
    key.add_server("two", ip="192.0.2.2", last_checkin=None)
    cln.account.add_imunify_key("IMAVPKEY00000001", code="AVP", limit=0)
    run = cln.run(IMUNIFY)
    assert run.failure is None
    assert [part.value for part in run.observation.parts] == [
        ImunifyKeyServers(
            key="IM250KEY00000001",
            product="360_250",
            limit=5,
            servers_reported=2,
            servers=[ImunifyServer("one", "192.0.2.1", MINUTE), ImunifyServer("two", "192.0.2.2", None)],
        ),
        ImunifyKeyServers("IMAVPKEY00000001", product="AVP", limit=0, servers_reported=0, servers=[]),
    ]
    assert cln.asked() == ["/im/key/list.json", "/im/srv/list.json", "/im/srv/list.json"]


def test_keys_go_by_their_labels(cln: Cln) -> None:
    """The observation has labels instead of license keys."""
    cln.key_label = mask_key
    cln.account.add_imunify_key("IMPL4NTEDKEY0001").add_server()
    observation = cln.run(IMUNIFY).observation
    assert [part.name for part in observation.parts] == [mask_key("IMPL4NTEDKEY0001")]
    assert "IMPL4NTEDKEY0001" not in repr(observation)


def test_an_account_without_keys(cln: Cln) -> None:
    """An account without keys is not an error."""
    run = cln.run(IMUNIFY)
    assert (run.failure, run.observation.parts, run.observation.list_known) == (None, (), True)


def test_one_key_that_fails(cln: Cln) -> None:
    """A failed key is missing with its reason, and the others are read."""
    for name in ("IMGOODKEY0000001", "IMBADKEY00000001"):
        cln.account.add_imunify_key(name).add_server()
    cln.simulator.faults.add(Fault("html", "/im/srv/list.json", match="IMBADKEY"))
    run = cln.run(IMUNIFY)
    assert [part.name for part in run.observation.parts] == ["IMGOODKEY0000001"]
    assert [missing.name for missing in run.observation.missing] == ["IMBADKEY00000001"]
    assert run.failure is not None
    assert run.failure.reason == "bad_answer"


def test_only_some_keys(cln: Cln) -> None:
    """With only_keys no calls are made for other keys."""
    for key in ("IMKEY00000000001", "IMKEY00000000002"):
        cln.account.add_imunify_key(key)
    source = msgspec.structs.replace(cln.source(IMUNIFY), only_keys=["IMKEY00000000002"])
    assert list(IMUNIFY.plan(source).readers) == ["IMKEY00000000002"]
