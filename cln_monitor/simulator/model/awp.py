"""The billing of AccelerateWP, by month."""

import re
from dataclasses import dataclass
from time import gmtime

AWP_PREMIUM, AWP_CDN = AWP_PRODUCTS = ("AWP_PREMIUM", "AWP_CDN")
AWP_LIMIT_TYPE = "50 GB"
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class AwpEntity:
    """A website that is billed for a product in a month.

    `cdn_limit_type` is None except for `AWP_CDN`. Raises ValueError if it is not, or for another product.
    """

    product: str
    primary_domain: str
    username: str | None
    cdn_limit_type: str | None

    def __post_init__(self) -> None:
        if self.product not in AWP_PRODUCTS:
            raise ValueError(
                f"{self.primary_domain}: product must be one of {', '.join(AWP_PRODUCTS)}, not {self.product}"
            )
        if (self.cdn_limit_type is not None) != (self.product == AWP_CDN):
            raise ValueError(f"{self.primary_domain}: {AWP_CDN} requires a cdn_limit_type, other products have none")


def is_month(text: str) -> bool:
    """Return whether a text is a month in the format of the API, `2023-12`."""
    return _MONTH.fullmatch(text) is not None


def month_of(at: float, back: int = 0) -> str:
    """Return the month of a time (Unix seconds) in UTC, or of `back` months earlier."""
    time = gmtime(at)
    year, month = divmod(time.tm_year * 12 + time.tm_mon - 1 - back, 12)
    return f"{year:04}-{month + 1:02}"
