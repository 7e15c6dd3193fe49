"""Which Extended Lifecycle Support keys are there, and how full are they?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import msgspec

from cln_monitor.cln import ELS_CODES, Limit, RefusedError, check_product_code

from .caution import of_addresses, of_limits
from .probe import NotAvailableError, Plan, ProbeContext, Reading
from .redaction import redact_limit, redact_rows
from .settings import HOUR, DefaultList, Duration, ProbeSettings, problems_of_products


class ElsKeyState(msgspec.Struct, frozen=True):
    """An ELS key. ``key`` is the key's label."""

    key: str
    limit: Limit
    note: str = ""


class ElsServerState(msgspec.Struct, frozen=True):
    """A server of the ELS key whose label is ``key``; CLN tells no check-in of it."""

    key: str
    server_id: str
    ip: str
    hostname: str


class ElsProduct(msgspec.Struct, frozen=True):
    """The keys and servers of a ``product``, by its code such as ``CELS``."""

    product: str
    keys: list[ElsKeyState]
    servers: list[ElsServerState]


class ElsSettings(ProbeSettings, frozen=True, kw_only=True):
    """Of the probe of ELS. ``products``: the codes to ask about, as CLN lists the keys of one at a time."""

    enabled: bool = False
    interval: Duration = Duration(HOUR)
    max_age: Duration = Duration(4 * HOUR)
    products: list[str] = msgspec.field(default_factory=lambda: DefaultList(ELS_CODES))

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield what of the values cannot be meant."""
        yield from super().problems()
        yield from problems_of_products(self.products, check_product_code)


class ElsProbe:
    """Reads the keys of each product, and its servers: two calls a product."""

    name = "els"
    settings = ElsSettings
    of_account = True
    is_shared = True

    def plan(self, context: ProbeContext) -> Plan[ElsProduct]:
        """Return a part for each product."""
        return Plan(
            {
                product: partial(_read, context, product)
                for product in context.settings.products
                if context.reads(product)
            }
        )


def _read(context: ProbeContext, product: str) -> Reading[ElsProduct]:
    client, label = context.client, context.key_label
    try:
        told = client.els.keys(product)
    except RefusedError as error:
        if isinstance(context.settings.products, DefaultList):
            raise NotAvailableError(f"ELS product {product}", str(error)) from error
        raise
    limits = of_limits(client, told, label, product)
    keys = [ElsKeyState(label(key.key), redact_limit(client, key.limit), client.scrub(key.note)) for key in told]
    servers = [
        ElsServerState(label(server.key) if server.key else "", server.server_id, server.ip, server.hostname)
        for server in client.els.servers(product)
    ]
    value = ElsProduct(product, keys, redact_rows(client, servers, "server_id", "ip", "hostname"))
    of_keys = (caution for cautions in limits.of_key.values() for caution in cautions)
    return Reading(value, (*limits.of_all, *of_keys, *of_addresses(servers, f"of {product}")))
