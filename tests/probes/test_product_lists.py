"""Probes whose parts are products."""

from __future__ import annotations

import pytest

from cln_monitor.probes import BY_PRODUCT, PROBES

from .conftest import Cln


@pytest.mark.parametrize("name", sorted(BY_PRODUCT))
def test_parts_are_products_with_keys_and_servers(cln: Cln, name: str) -> None:
    """The value of each part of such a probe has its product, its keys, and their servers."""
    cln.account.add_els_key("CELS-KEY00000001", code="CELS").add_server("11")
    cln.account.add_cloudlinux_key("CLN7aaKEY0000000001", "CL").add_server("12")
    run = cln.run(PROBES[name])
    assert run.failure is None
    [found] = [part for part in run.observation.parts if part.value.keys]
    assert found.value.product == found.name
    assert [server.key for server in found.value.servers] == [key.key for key in found.value.keys]


@pytest.mark.parametrize("name", sorted(BY_PRODUCT))
def test_a_product_that_is_listed_twice(cln: Cln, name: str) -> None:
    """A product that the configuration names twice is read once."""
    product = "CELS" if name == "els" else "CL"
    assert len(cln.run(PROBES[name], products=[product, product]).observation.parts) == 1
    assert len(cln.asked()) == 2
