"""What AccelerateWP is billed for: `/cl/awp` (API document: AccelerateWP Billing Information)."""

import re
from dataclasses import dataclass
from time import gmtime

from . import answers, arguments
from .answers import Answer
from .calls import Call, Refused, Route
from .tokens import authorized

PREMIUM, CDN = PRODUCTS = ("AWP_PREMIUM", "AWP_CDN")
CDN_LIMIT_TYPE = "50 GB"
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class AwpEntity:
    """A website that is billed for a product in a month.

    `cdn_limit_type` is there for `AWP_CDN` alone. Raises ValueError where it is not, or for another product.
    """

    product: str
    primary_domain: str
    username: str | None
    cdn_limit_type: str | None

    def __post_init__(self) -> None:
        if self.product not in PRODUCTS:
            raise ValueError(f"{self.primary_domain}: product must be one of {', '.join(PRODUCTS)}, not {self.product}")
        if (self.cdn_limit_type is not None) != (self.product == CDN):
            raise ValueError(f"{self.primary_domain}: {CDN} has a cdn_limit_type, and nothing else has")


def is_month(text: str) -> bool:
    """Whether a text is a month as the API spells it: `2023-12`."""
    return _MONTH.fullmatch(text) is not None


def month_of(at: float, back: int = 0) -> str:
    """The month of a moment (Unix seconds, in UTC), or the one that many months `back`."""
    time = gmtime(at)
    year, month = divmod(time.tm_year * 12 + time.tm_mon - 1 - back, 12)
    return f"{year:04}-{month + 1:02}"


def _list(call: Call) -> Answer:
    """`/cl/awp`: a list without an envelope. A refusal has one, as all others have."""
    account = authorized(call)
    products = {arguments.one_of(product, PRODUCTS, "product") for product in arguments.listed(call, "products")}
    month = arguments.required(call, "yearMonth")
    if not is_month(month):
        raise Refused(f"Invalid yearMonth: {month}")
    entities = account.awp_entities.get(month, [])
    return answers.bare([_row(entity) for entity in entities if entity.product in products])


def _row(entity: AwpEntity) -> dict[str, str | None]:
    row = {"product": entity.product, "primary_domain": entity.primary_domain, "username": entity.username}
    return row if entity.cdn_limit_type is None else {**row, "cdn_limit_type": entity.cdn_limit_type}


ROUTES = (Route("GET", "/cl/awp", _list),)
