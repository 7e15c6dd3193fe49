"""The probe of Extended Lifecycle Support."""

from __future__ import annotations

import json

import pytest
from msgspec import UNSET

from cln_monitor import facts
from cln_monitor.cln import ELS_CODES, mask_key
from cln_monitor.policy import Severity
from cln_monitor.probes import PROBES, Caution
from cln_monitor.probes.els import ElsKeyState, ElsProduct, ElsServerState, ElsSettings
from cln_monitor.simulator import REVISIONS, Fault
from cln_monitor.simulator.model import ELS_CODES as MODEL_CODES

from .conftest import Cln

ELS = PROBES["els"]


def test_keys_and_servers(cln: Cln) -> None:
    """Each product is a part with its keys and servers, read by two calls."""
    key = cln.account.add_els_key("CELS-KEY00000001", code="CELS", limit=5)
    key.add_server("11", ip="192.0.2.1", hostname="one.example.net")
    cln.account.add_els_key("CELS-KEY00000002", code="CELS", limit=0)
    run = cln.run(ELS, products=["CELS", "PHP_ELS"])
    assert run.failure is None
    assert {part.name: part.value for part in run.observation.parts} == {
        "CELS": ElsProduct(
            "CELS",
            keys=[ElsKeyState("CELS-KEY00000001", 5), ElsKeyState("CELS-KEY00000002", 0)],
            servers=[ElsServerState("CELS-KEY00000001", "11", "192.0.2.1", "one.example.net", cln.clock.time())],
        ),
        "PHP_ELS": ElsProduct("PHP_ELS", keys=[], servers=[]),
    }
    assert cln.asked() == ["/els/key/list.json"] * 2 + ["/els/srv/list.json"] * 2


def test_keys_go_by_their_labels(cln: Cln) -> None:
    """The observation has labels instead of license keys."""
    cln.key_label = mask_key
    cln.account.add_els_key("CELS-PL4NTED001", code="CELS").add_server(hostname="CELS-PL4NTED001.example.net")
    observation = cln.run(ELS, products=["CELS"]).observation
    label = mask_key("CELS-PL4NTED001")
    [product] = [part.value for part in observation.parts]
    assert ([key.key for key in product.keys], [server.key for server in product.servers]) == ([label], [label])
    assert "CELS-PL4NTED001" not in repr(observation)


def test_one_product_that_fails(cln: Cln) -> None:
    """A failed product is missing, and the others are read."""
    cln.simulator.faults.add(Fault("html", "/els/srv/list.json", match="PHP_ELS"))
    run = cln.run(ELS, products=["CELS", "PHP_ELS"])
    assert [part.name for part in run.observation.parts] == ["CELS"]
    assert [(each.name, each.failure.reason) for each in run.observation.missing] == [("PHP_ELS", "bad_answer")]


def test_check_ins(cln: Cln) -> None:
    """A check-in is a time, never, or unknown if it is ahead of CLN's clock, which is a caution."""
    key = cln.account.add_els_key("CELS-KEY00000001", code="CELS", limit=5)
    now = cln.clock.time()
    for server_id, moment in (("fresh", now - 60), ("never", None), ("ahead", now + 7200)):
        key.add_server(server_id, last_checkin=moment)
    [part] = cln.run(ELS, products=["CELS"]).observation.parts
    found = {server.server_id: server.last_checkin for server in part.value.servers}
    assert found == {"fresh": now - 60, "never": None, "ahead": UNSET}
    assert [caution.fact for caution in part.cautions] == [facts.CHECKIN_AHEAD]


def test_a_cln_without_check_ins(cln: Cln) -> None:
    """A CLN of 2024-03 reports no check-ins: they are unknown, never missing, and a fact of severity info."""
    cln.simulator.revision = "2024-03"
    cln.account.add_els_key("CELS-KEY00000001", code="CELS").add_server(last_checkin=None)
    [part] = cln.run(ELS, products=["CELS"]).observation.parts
    assert [server.last_checkin for server in part.value.servers] == [UNSET]
    assert part.cautions == (Caution(facts.CHECKIN_NOT_TOLD, ("lastCheckin of 1 server of CELS",)),)
    assert facts.FACTS[facts.CHECKIN_NOT_TOLD].severity is Severity.INFO


def test_a_check_in_that_is_no_date(cln: Cln) -> None:
    """A check-in that is not a date is a bad answer for its product alone."""
    cln.account.add_els_key("PHPE-KEY00000001", code="PHP_ELS")
    body = '{"success": true, "data": [{"id": 1, "key": "k", "lastCheckin": "soon"}]}'
    cln.simulator.faults.add(Fault("answer", "/els/srv/list.json", match="code=CELS&", body=body))
    observation = cln.run(ELS, products=["CELS", "PHP_ELS"]).observation
    assert [(each.name, each.failure.reason) for each in observation.missing] == [("CELS", "bad_answer")]
    assert [part.name for part in observation.parts] == ["PHP_ELS"]


@pytest.mark.parametrize("revision", REVISIONS)
def test_every_default_product(cln: Cln, revision: str) -> None:
    """With the default products the keys of each product of a revision are read, and the probe succeeds."""
    cln.simulator.revision = revision
    for code in MODEL_CODES[revision]:
        cln.account.add_els_key(code=code).add_server(last_checkin=cln.clock.time())
    run = cln.run(ELS)
    assert run.failure is None
    assert {part.name for part in run.observation.parts if part.value.keys} == {*MODEL_CODES[revision]}
    assert {request.method for request in cln.simulator.requests} == {"GET"}


def test_the_products_of_the_document_are_the_default() -> None:
    """The default products are those of the API document, and the probe is disabled."""
    settings = ElsSettings()
    assert (settings.products, settings.enabled) == (list(ELS_CODES), False)


@pytest.mark.parametrize(
    ("products", "problem"),
    [
        ([], ("products", "expected at least one product; use enabled: false to disable the probe")),
        (
            ["CELS", ""],
            ("products[1]", "invalid format; expected 1 to 32 printable characters, except"),
        ),
        (["A/B"], ("products[0]", "invalid format")),
    ],
)
def test_products_that_cannot_be_meant(products: list[str], problem: tuple[str, str]) -> None:
    """An undocumented product code is valid, but a malformed one is not."""
    [(field, text)] = ElsSettings(products=products).problems()
    assert (field, text.startswith(problem[1])) == (problem[0], True)
    assert list(ElsSettings(products=["CELS9", "ELS CELS7+SLA", "…"]).problems()) == []


@pytest.mark.parametrize("key", [None, "CELS-KEY0000000X", ""])
def test_servers_of_no_listed_key(key: str | None, cln: Cln) -> None:
    """Where no server has a key that CLN lists, none counts for a key: that is a caution, unlike one such server."""
    listed = cln.account.add_els_key("CELS-KEY00000001", code="CELS", limit=5)
    row = {"id": "1", "key": key, "ip": "192.0.2.1", "hostname": "h", "lastCheckin": None}
    fault = Fault("answer", "/els/srv/list.json", body=json.dumps({"success": True, "data": [row, row | {"id": "2"}]}))
    cln.simulator.faults.add(fault)
    (part,) = cln.run(ELS, products=["CELS"]).observation.parts
    assert part.cautions == (Caution(facts.FIELD_MISSING, ("listed key of 2 servers of CELS",)),)
    known = row | {"id": "3", "key": listed.key}
    cln.simulator.faults.clear()
    cln.simulator.faults.add(
        Fault("answer", "/els/srv/list.json", body=json.dumps({"success": True, "data": [row, known]}))
    )
    (part,) = cln.run(ELS, products=["CELS"]).observation.parts
    assert part.cautions == ()


def test_a_cln_that_lists_all_products(cln: Cln) -> None:
    """A key in the list of a product that has the code of another one counts there, with its servers."""
    key = {"key": "CELS-KEY00000001", "productCode": "CELS", "usageLimit": "5", "description": "web"}
    old = {"key": "ELS7-KEY00000002", "productCode": "ELS CELS7", "usageLimit": "5", "description": "7"}
    new = {"key": "NEWP-KEY00000003", "productCode": "RHEL7", "usageLimit": "5", "description": "new"}
    servers = [
        {"id": str(number), "key": row["key"], "ip": f"192.0.2.{number}", "hostname": "h", "lastCheckin": None}
        for number, row in enumerate((key, old, new))
    ]
    for path, data in (("/els/key/list.json", [key, old, new]), ("/els/srv/list.json", servers)):
        cln.simulator.faults.add(Fault("answer", path, body=json.dumps({"success": True, "data": data})))
    observation = cln.run(ELS, products=["CELS", "PHP_ELS", "ELS_FOR_CENTOS7"]).observation
    assert {
        part.name: ([row.note for row in part.value.keys], [server.server_id for server in part.value.servers])
        for part in observation.parts
    } == {
        "CELS": (["web", "new"], ["0", "2"]),
        "PHP_ELS": (["new"], ["2"]),
        "ELS_FOR_CENTOS7": (["7", "new"], ["1", "2"]),  # the same product, by its code of 2024-03
    }


def test_default_products_that_cln_refuses(cln: Cln) -> None:
    """A refused default product is not available, and a configured one is missing."""
    refusal = '{"success": false, "message": "Unknown product", "data": null}'
    cln.account.add_els_key("CELS-KEY00000001", code="CELS")
    cln.simulator.faults.add(Fault("answer", "/els/key/list.json", match="PHP_ELS", body=refusal))
    run = cln.run(ELS)
    assert run.failure is None
    subjects = {each.subject for each in run.observation.unavailable}
    assert {"ELS PHP_ELS", "ELS CELS7", "ELS_FOR_CENTOS6_PLUS_SLA"} < subjects
    refused = {each.name for each in run.observation.unavailable}
    assert refused == {"PHP_ELS", "ELS CELS7", "ELS CELS7+SLA", *[*ELS_CODES][-5:]}  # CLN is of 2024-10
    assert {part.name for part in run.observation.parts} == set(ELS_CODES) - refused
    strict = cln.run(ELS, products=["CELS", "PHP_ELS"]).observation
    assert ([each.name for each in strict.missing], strict.unavailable) == (["PHP_ELS"], ())
