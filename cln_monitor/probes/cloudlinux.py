"""The probe of CloudLinux OS: keys, their limits, and their servers, of which CLN reports no check-ins."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from cln_monitor.cln import CLOUDLINUX_PRODUCTS, Limit, check_cloudlinux_product

from .caution import address_cautions
from .probe import Plan, ProbeContext, Reading
from .product_lists import plan_of_products, read_offered
from .redaction import redact_rows
from .settings import HOUR, DefaultList, Duration, ProbeSettings, problems_of_products


class CloudLinuxKeyState(msgspec.Struct, frozen=True):
    """A CloudLinux OS key; ``key`` is its label."""

    key: str
    limit: Limit
    note: str = ""


class CloudLinuxServerState(msgspec.Struct, frozen=True):
    """A server of the CloudLinux OS key with the label ``key``, which CLN may not list."""

    key: str
    server_id: str
    ip: str
    hostname: str


class CloudLinuxProduct(msgspec.Struct, frozen=True):
    """The keys and servers of a ``product``, one of ``cln.CLOUDLINUX_PRODUCTS`` in capitals."""

    product: str
    keys: list[CloudLinuxKeyState]
    servers: list[CloudLinuxServerState]


class CloudLinuxSettings(ProbeSettings, frozen=True, kw_only=True):
    """Settings of the probe ``cloudlinux``. ``products`` are requested one by one.

    ``server_series`` enables per-server series.
    """

    enabled: bool = False
    interval: Duration = Duration(HOUR)
    max_age: Duration = Duration(4 * HOUR)
    products: list[str] = msgspec.field(default_factory=lambda: DefaultList(CLOUDLINUX_PRODUCTS))
    server_series: bool = True

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield the field and the problem of each invalid value."""
        yield from super().problems()
        yield from problems_of_products(self.products, check_cloudlinux_product)


class CloudLinuxProbe:
    """Reads the keys and the servers of each product, with two calls per product."""

    name = "cloudlinux"
    settings = CloudLinuxSettings
    per_account = True
    is_sharded = True

    def plan(self, context: ProbeContext) -> Plan[CloudLinuxProduct]:
        """Return one part per product."""
        return plan_of_products(context, map(check_cloudlinux_product, context.settings.products), _read)


def _read(context: ProbeContext, product: str) -> Reading[CloudLinuxProduct]:
    client, label = context.client, context.key_label
    keys, of_limits = read_offered(
        context, product, client.cloudlinux.keys, CloudLinuxKeyState, f"CloudLinux OS product {product}"
    )
    states = [
        CloudLinuxServerState(label(server.key) if server.key else "", server.server_id, server.ip, server.hostname)
        for server in client.cloudlinux.servers(product)
    ]
    servers = redact_rows(client, states, "server_id", "ip", "hostname")
    cautions = (*of_limits, *address_cautions(servers, f"of {product}"))
    return Reading(CloudLinuxProduct(product, keys, servers), cautions)
