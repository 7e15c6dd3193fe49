"""CLN Imunify: do the servers check in, which key is full."""

from __future__ import annotations

from grafana_foundation_sdk.builders import bargauge, stat, table
from grafana_foundation_sdk.models import dashboard as model

from . import queries as q
from . import variables
from .panels import FULLNESS, NONE_IS_GOOD, POLLED, WARN, bars, number
from .servers import checkins_over_time, stale_servers
from .tables import Column, rows

PRODUCT = "imunify"
REPORTED = q.of_keys(PRODUCT, "account, key", "key_servers_reported")
CODES = q.of_keys(PRODUCT, "account, key, product", "key_info")


def dashboard() -> model.Dashboard:
    """Return the dashboard."""
    return variables.dashboard(
        "cln-imunify",
        "The keys and servers of Imunify: check-ins, products, limits.",
        [
            variables.account(),
            variables.of_label("code", "Product", f"cln_imunify_key_info{{{q.ACCOUNT}}}", "product"),
            variables.of_label("imunify_key", "Key", f'cln_imunify_key_info{{{q.ACCOUNT},product=~"$code"}}', "key"),
        ],
        [
            *_numbers(),
            checkins_over_time(PRODUCT, "/im/srv/list.json"),
            _products(),
            _keys(),
            stale_servers(PRODUCT, "/im/srv/list.json", size=(24, 7)),
        ],
    )


def _numbers() -> list[stat.Panel]:
    source = f"/im/srv/list.json. {POLLED}"
    return [
        number("Servers", f"Servers of the keys, {source}", f"sum({q.key_servers(PRODUCT)})", size=(4, 4)),
        number(
            "Fresh",
            f"Servers that checked in lately, as the exporter counts, {source}",
            f"sum({q.key_servers(PRODUCT, 'fresh')})",
            size=(4, 4),
        ),
        number(
            "Stale",
            f"Servers that checked in too long ago, as the exporter counts, {source}",
            f"sum({q.key_servers(PRODUCT, 'stale')})",
            NONE_IS_GOOD,
            size=(4, 4),
        ),
        number(
            "Never checked in",
            f"Servers that are registered but were never heard of, {source}",
            f"sum({q.key_servers(PRODUCT, 'never')})",
            NONE_IS_GOOD,
            size=(4, 4),
        ),
        number(
            "Full keys",
            f"Keys without a free place, limit of /im/key/list.json: new servers fail to register. {POLLED}",
            f"sum({q.used(PRODUCT)} >= bool {q.limit(PRODUCT)})",
            ((None, "green"), (1, "red")),
            size=(4, 4),
        ),
        number(
            "Free places",
            f"Places that the keys with a limit have left, limit of /im/key/list.json. {POLLED}",
            f"sum(({q.limit(PRODUCT)} - {q.used(PRODUCT)}) < Inf)",
            none="unlimited",
            size=(4, 4),
        ),
    ]


def _products() -> bargauge.Panel:
    used = f"{q.used(PRODUCT)} * on (account, key) group_left (product) topk by (account, key) (1, {CODES})"
    return bars(
        "Servers by product",
        f"Servers of the keys by the code of their product in /im/key/list.json. {POLLED}",
        [(f"sort_desc(sum by (product) ({used}))", "{{product}}")],
        size=(12, 8),
        none="No keys",
    )


def _keys() -> table.Panel:
    return rows(
        "Keys",
        "Each key with its servers and its limit, of /im/key/list.json and /im/srv/list.json; listed are the servers "
        f"the second names, reported is the number the first tells; at 100 % new servers fail to register. {POLLED}",
        [
            CODES,
            q.used(PRODUCT),
            f"{q.limit(PRODUCT)} or {q.used(PRODUCT)} * NaN",
            f"{q.used(PRODUCT)} / {q.limit(PRODUCT)} or {q.used(PRODUCT)} * NaN",
            f"sum by (account, key) ({q.key_servers(PRODUCT, 'stale')})",
            f"sum by (account, key) ({q.key_servers(PRODUCT, 'never')})",
            f"{REPORTED} or {q.used(PRODUCT)} * NaN",
        ],
        [
            Column("key", "Key", width=150),
            Column("product", "Product"),
            Column("account", "Account", width=130),
            Column("Value #B", "Listed", width=90, right=True),
            Column("Value #G", "Reported", width=95, right=True),
            Column("Value #E", "Stale", width=80, right=True, steps=((None, "text"), (1, WARN))),
            Column("Value #F", "Never", width=80, right=True, steps=((None, "text"), (1, WARN))),
            Column("Value #C", "Limit", width=100, right=True, unlimited=True),
            Column("Value #D", "Used", unit="percentunit", decimals=0, width=300, steps=FULLNESS, bar=True),
            Column("Value #A", "info", hidden=True),
        ],
        size=(24, 7),
        none="No keys",
        sort=[("Used", True)],
    )
