"""Tests of the billing of AccelerateWP."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cln_monitor.cln import AwpUsage, BadAnswerError, InvalidArgumentError, ReadOnlyClient

from .answering import AnsweringCln, Asked
from .asking import Clients, enveloped
from .samples import MEANT


@pytest.fixture
def client(clients: Clients, cln: AnsweringCln) -> ReadOnlyClient:
    """A client of the one account."""
    return clients.client(cln.url)


@pytest.mark.parametrize("enveloping", [True, False], ids=["in the envelope", "bare"])
def test_sample(client: ReadOnlyClient, cln: AnsweringCln, enveloping: bool) -> None:
    """The document's sample, which has no envelope, is decoded."""
    sample = MEANT["cl.awp.json"]
    cln.says(enveloped(json.loads(sample)) if enveloping else sample)
    assert client.awp.usage("2023-12") == [
        AwpUsage("AWP_PREMIUM", "example1.com", "test-user1", ""),
        AwpUsage("AWP_CDN", "example2.com", "test-user2", "50 GB"),
    ]


def test_what_goes_out(client: ReadOnlyClient, cln: AnsweringCln) -> None:
    """The request has the month and the products, by default the two in the document."""
    cln.gives([])
    assert client.awp.usage("2023-12") == []
    client.awp.usage("2099-01", ["AWP_NEWER_2"])
    assert cln.asked == [
        Asked("GET", "/cl/awp", {"products": "AWP_PREMIUM,AWP_CDN", "yearMonth": "2023-12"}, with_token=True),
        Asked("GET", "/cl/awp", {"products": "AWP_NEWER_2", "yearMonth": "2099-01"}, with_token=True),
    ]


MONTHS = ["", "2023-13", "2023-00", "2023-1", "1999-12", "2100-01", "2023-12\n", "23-12", "２０２３-12", None, 202312]
PRODUCTS: list[Any] = [[], (), "AWP_CDN", None, ["awp"], [""], ["AWP_CDN", "A,B"], [7], ["A" * 33]]


@pytest.mark.parametrize("month", MONTHS)
def test_month_that_is_none(client: ReadOnlyClient, cln: AnsweringCln, month: Any) -> None:
    """A month in another format is refused before anything is sent."""
    with pytest.raises(InvalidArgumentError) as raised:
        client.awp.usage(month)
    assert str(raised.value) == "month: invalid format; expected yyyy-MM, from 2000-01 to 2099-12"
    assert cln.asked == []


@pytest.mark.parametrize("products", PRODUCTS)
def test_products_that_are_none(client: ReadOnlyClient, cln: AnsweringCln, products: Any) -> None:
    """At least one product is required, each in the format of the document."""
    with pytest.raises(InvalidArgumentError) as raised:
        client.awp.usage("2023-12", products)
    assert raised.value.argument == "products"
    assert cln.asked == []


def test_values(client: ReadOnlyClient, cln: AnsweringCln) -> None:
    """A missing user name is None, equal rows are one, and odd fields do not spoil the list."""
    rows = [{"product": "A", "username": None}, {"product": "A"}, {"product": "A", "username": "", "newer": 1}]
    cln.gives([*rows, {"product": "A", "primary_domain": [], "username": 7, "cdn_limit_type": None}])
    assert client.awp.usage("2023-12") == [AwpUsage("A", "", None, ""), AwpUsage("A", "", "7", "")]


@pytest.mark.parametrize("row", [{}, {"product": None}, {"product": ""}, []])
def test_row_without_a_product(client: ReadOnlyClient, cln: AnsweringCln, row: object) -> None:
    """A row without a product is a bad answer."""
    cln.gives([row])
    with pytest.raises(BadAnswerError):
        client.awp.usage("2023-12")
