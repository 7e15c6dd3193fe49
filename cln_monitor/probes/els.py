"""The probe of Extended Lifecycle Support (ELS): keys, their limits, and their servers."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import UNSET

from cln_monitor import facts
from cln_monitor.cln import ELS_CODES, ElsKey, LastCheckin, Limit, check_product_code

from .caution import Caution, address_cautions, checkin_cautions, counted
from .checkins import without_ahead
from .probe import Plan, ProbeContext, Reading
from .product_lists import plan_of_products, read_offered
from .product_names import named_code
from .redaction import redact_rows
from .settings import DAY, HOUR, CheckinSettings, DefaultList, Duration, problems_of_products


class ElsKeyState(msgspec.Struct, frozen=True):
    """An ELS key; ``key`` is its label."""

    key: str
    limit: Limit
    note: str = ""


class ElsServerState(msgspec.Struct, frozen=True):
    """A server of the ELS key with the label ``key``, which CLN may not list.

    ``last_checkin`` is in Unix seconds. A CLN of the revision of 2024-03 reports none: it is then UNSET, for unknown.
    """

    key: str
    server_id: str
    ip: str
    hostname: str
    last_checkin: LastCheckin = UNSET


class ElsProduct(msgspec.Struct, frozen=True):
    """The keys and servers of a ``product``, a code such as ``CELS``."""

    product: str
    keys: list[ElsKeyState]
    servers: list[ElsServerState]


class ElsSettings(CheckinSettings, frozen=True, kw_only=True):
    """Settings of the probe ``els``. ``products`` are the codes to request: CLN lists one product per call."""

    enabled: bool = False
    interval: Duration = Duration(HOUR)
    max_age: Duration = Duration(4 * HOUR)
    stale_after: Duration = Duration(7 * DAY)
    products: list[str] = msgspec.field(default_factory=lambda: DefaultList(ELS_CODES))

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield the field and the problem of each invalid value."""
        yield from super().problems()
        yield from problems_of_products(self.products, check_product_code)


class ElsProbe:
    """Reads the keys and the servers of each product, with two calls per product."""

    name = "els"
    settings = ElsSettings
    per_account = True
    is_sharded = True

    def plan(self, context: ProbeContext) -> Plan[ElsProduct]:
        """Return one part per product."""
        return plan_of_products(context, context.settings.products, _read)


def _read(context: ProbeContext, product: str) -> Reading[ElsProduct]:
    client, label = context.client, context.key_label
    others: set[str] = set()

    def of_product(code: str) -> list[ElsKey]:
        rows = client.els.keys(code)
        others.update(key.key for key in rows if not key.is_of(code))
        return [key for key in rows if key.key not in others]

    keys, of_limits = read_offered(context, product, of_product, ElsKeyState, named_code("els", product))
    states = [
        ElsServerState(
            label(server.key) if server.key else "", server.server_id, server.ip, server.hostname, server.last_checkin
        )
        for server in client.els.servers(product)
        if server.key not in others
    ]
    servers, ahead = without_ahead(redact_rows(client, states, "server_id", "ip", "hostname"), context.cln_now)
    owner = f"of {product}"
    # That CLN reports no check-ins is normal in its older revision; the exporter notices if it did so before.
    of_checkins = checkin_cautions(servers, ahead, owner, field="lastCheckin", missing_fact=facts.CHECKIN_NOT_TOLD)
    cautions = (*of_limits, *address_cautions(servers, owner), *of_checkins)
    return Reading(ElsProduct(product, keys, servers), (*cautions, *_key_cautions(keys, servers, owner)))


def _key_cautions(keys: list[ElsKeyState], servers: list[ElsServerState], owner: str) -> tuple[Caution, ...]:
    """Return a caution if no server is of a listed key: none of them counts then."""
    is_missing = servers and {key.key for key in keys}.isdisjoint(server.key for server in servers)
    return Caution.for_names(
        facts.FIELD_MISSING, [f"listed key of {counted(len(servers), 'server')} {owner}"] if is_missing else []
    )
