"""The probe of CloudLinux OS."""

from __future__ import annotations

import pytest

from cln_monitor import facts
from cln_monitor.cln import CLOUDLINUX_PRODUCTS, mask_key
from cln_monitor.probes import PROBES, Caution
from cln_monitor.probes.cloudlinux import (
    CloudLinuxKeyState,
    CloudLinuxProduct,
    CloudLinuxServerState,
    CloudLinuxSettings,
)
from cln_monitor.simulator import Fault

from .conftest import Cln

CLOUDLINUX = PROBES["cloudlinux"]
KEY, OTHER = "CLN7aaKEY0000000000001", "CLN7aaKEY0000000000002"


def test_keys_and_servers(cln: Cln) -> None:
    """Each product is a part with its keys and servers, read by two calls."""
    cln.account.add_cloudlinux_key(KEY, "CL", limit=12, note="web farm").add_server("40211", ip="198.51.100.9")
    cln.account.add_cloudlinux_key(OTHER, "CL", limit=0)
    run = cln.run(CLOUDLINUX, products=["CL", "CLP"])
    assert run.failure is None
    [server] = cln.account.cloudlinux_keys[KEY].servers.values()
    assert {part.name: part.value for part in run.observation.parts} == {
        "CL": CloudLinuxProduct(
            "CL",
            keys=[CloudLinuxKeyState(KEY, 12, "web farm"), CloudLinuxKeyState(OTHER, 0)],
            servers=[CloudLinuxServerState(KEY, "40211", "198.51.100.9", server.hostname)],
        ),
        "CLP": CloudLinuxProduct("CLP", keys=[], servers=[]),
    }
    assert [part.cautions for part in run.observation.parts] == [(), ()]
    assert cln.asked() == ["/v2/cl/keys"] * 2 + ["/v2/cl/servers"] * 2
    assert {request.method for request in cln.simulator.requests} == {"GET"}


def test_products_in_any_case(cln: Cln) -> None:
    """A product that the configuration has in small letters is read once, under its name in capitals."""
    observation = cln.run(CLOUDLINUX, products=["cl", "CL"]).observation
    assert [part.name for part in observation.parts] == ["CL"]
    assert len(cln.asked()) == 2


def test_keys_go_by_their_labels(cln: Cln) -> None:
    """The observation has labels instead of license keys, also in notes and host names."""
    cln.key_label = mask_key
    key = cln.account.add_cloudlinux_key("CLN7aaPL4NTED001", "CL", note="was CLN7aaPL4NTED001")
    key.add_server(hostname="cln7aapl4nted001.example.net")
    observation = cln.run(CLOUDLINUX, products=["CL"]).observation
    label = mask_key("CLN7aaPL4NTED001")
    [product] = [part.value for part in observation.parts]
    assert ([key.key for key in product.keys], [server.key for server in product.servers]) == ([label], [label])
    assert "pl4nted" not in repr(observation).lower()


@pytest.mark.parametrize(
    ("limit", "cautions"),
    [
        ("null", (Caution(facts.LIMIT_NOT_TOLD, ("k1",)),)),
        ("-1", (Caution(facts.LIMIT_UNREADABLE, ("k1 ('-1')",)),)),
        ('"many"', (Caution(facts.LIMIT_UNREADABLE, ("k1 ('many')",)),)),
        ("0", ()),
    ],
)
def test_limits(cln: Cln, limit: str, cautions: tuple[Caution, ...]) -> None:
    """A limit of null is not reported, one that is not a number is unreadable, and 0 is unlimited."""
    body = f'[{{"key": "k1", "usage_limit": {limit}}}, {{"key": "k2", "usage_limit": 5}}]'
    cln.simulator.faults.add(Fault("answer", "/v2/cl/keys", body=body))
    [part] = cln.run(CLOUDLINUX, products=["CL"]).observation.parts
    assert part.cautions == cautions


def test_lists_without_limits_and_addresses(cln: Cln) -> None:
    """A limit or an address that no row has is a field that CLN no longer reports."""
    cln.simulator.faults.add(Fault("answer", "/v2/cl/keys", body='[{"key": "k1"}, {"key": "k2"}]'))
    cln.simulator.faults.add(Fault("answer", "/v2/cl/servers", body='[{"id": 1, "key": "k1"}]'))
    [part] = cln.run(CLOUDLINUX, products=["CL"]).observation.parts
    assert [caution.names for caution in part.cautions] == [("limit of 2 CL keys",), ("ip of 1 server of CL",)]
    assert {caution.fact for caution in part.cautions} == {facts.FIELD_MISSING}


def test_a_list_that_is_an_object(cln: Cln) -> None:
    """A list of keys that is an object is a bad answer for its product alone."""
    cln.simulator.faults.add(Fault("answer", "/v2/cl/keys", match="productType=CL&", body='{"keys": []}'))
    observation = cln.run(CLOUDLINUX).observation
    assert [(each.name, each.failure.reason) for each in observation.missing] == [("CL", "bad_answer")]
    assert {part.name for part in observation.parts} == {"CLP", "CLS", "CLADMIN"}


def test_a_refused_product(cln: Cln) -> None:
    """A refused default product is not available, and a configured one is missing, both with the message of CLN."""
    body = '{"status": 404, "message": "No such product"}'
    cln.simulator.faults.add(Fault("answer", "/v2/cl/keys", match="productType=CLP&", body=body))
    run = cln.run(CLOUDLINUX)
    assert run.failure is None
    [refused] = run.observation.unavailable
    assert refused.subject == "CloudLinux OS product CLP"
    assert refused.text.endswith("No such product")
    strict = cln.run(CLOUDLINUX, products=["CL", "CLP"]).observation
    assert [(each.name, each.failure.reason) for each in strict.missing] == [("CLP", "refused")]
    assert strict.unavailable == ()


def test_a_cln_of_the_older_revision(cln: Cln) -> None:
    """A CLN of 2024-03 has no such calls: the products are not available, and the probe succeeds."""
    cln.simulator.revision = "2024-03"
    run = cln.run(CLOUDLINUX)
    assert (run.failure, run.observation.parts) == (None, ())
    assert [each.name for each in run.observation.unavailable] == list(CLOUDLINUX_PRODUCTS)


def test_a_cln_that_ignores_the_product(cln: Cln) -> None:
    """If CLN lists the keys of all products for each of them, each key is only in the part of its own."""
    rows = '[{"key": "k1", "product_type": "cl", "usage_limit": 2}, {"key": "k2", "product_type": "clp"}]'
    cln.simulator.faults.add(Fault("answer", "/v2/cl/keys", body=rows))
    parts = cln.run(CLOUDLINUX, products=["CL", "CLP", "CLS"]).observation.parts
    assert {part.name: [key.key for key in part.value.keys] for part in parts} == {
        "CL": ["k1"],
        "CLP": ["k2"],
        "CLS": [],
    }


def test_ids_above_the_exact_floats(cln: Cln) -> None:
    """An id of 2**53 + 1 is exact."""
    cln.simulator.faults.add(Fault("answer", "/v2/cl/servers", body='[{"id": 9007199254740993, "ip": "192.0.2.1"}]'))
    [part] = cln.run(CLOUDLINUX, products=["CL"]).observation.parts
    assert [server.server_id for server in part.value.servers] == ["9007199254740993"]


def test_the_products_of_the_document_are_the_default() -> None:
    """The default products are those of the API document, and the probe is disabled."""
    settings = CloudLinuxSettings()
    assert (settings.products, settings.enabled) == (["CL", "CLP", "CLS", "CLADMIN"], False)


@pytest.mark.parametrize(
    ("products", "field", "text"),
    [
        ([], "products", "expected at least one product"),
        (["CL", ""], "products[1]", "expected a product such as CL"),
        (["C/L"], "products[0]", "expected a product such as CL"),
    ],
)
def test_products_that_cannot_be_meant(products: list[str], field: str, text: str) -> None:
    """An undocumented product is valid, but a malformed one is not."""
    [(place, problem)] = CloudLinuxSettings(products=products).problems()
    assert (place, text in problem) == (field, True)
    assert list(CloudLinuxSettings(products=["CL", "cl_new"]).problems()) == []
