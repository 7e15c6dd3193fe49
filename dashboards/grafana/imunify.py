"""The dashboard CLN Imunify: check-ins of servers, and limits of keys."""

from __future__ import annotations

from grafana_foundation_sdk.builders import bargauge, stat, table
from grafana_foundation_sdk.models import dashboard as model

from . import queries as q
from . import servers, variables
from .keys import keys_table, product_column
from .names import PRODUCT_CODES
from .panels import NONE_IS_GOOD, POLLED, bars, number

PRODUCT = "imunify"
SCOPE = q.Scope((PRODUCT,), f'{q.ACCOUNT},key=~"$imunify_key"', codes=True)
CODES = SCOPE.once(PRODUCT, "account, key, product", "_key_info")


def dashboard() -> model.Dashboard:
    """Return the dashboard."""
    return variables.dashboard(
        "cln-imunify",
        "Keys and servers of Imunify: check-ins, products, limits.",
        [
            variables.of_label("code", "Product code", f"cln_imunify_key_info{{{q.ACCOUNT}}}", "product"),
            variables.of_label("imunify_key", "Key", f'cln_imunify_key_info{{{q.ACCOUNT},product=~"$code"}}', "key"),
            variables.stale_after(),
        ],
        [
            *_numbers(),
            servers.checkins_over_time(SCOPE, size=(12, 8)),
            _products(),
            _keys(),
            servers.silent_table(SCOPE, size=(24, 7)),
            servers.gone_table(SCOPE, size=(24, 7)),
        ],
    )


def _numbers() -> list[stat.Panel]:
    return [
        *servers.numbers(SCOPE),
        number(
            "Full keys",
            "Keys with a limit of 2 or more that are full, from /im/key/list.json: new servers fail to register. "
            f"{POLLED}",
            f"sum({q.fullness(SCOPE, PRODUCT)} >= bool 1)",
            NONE_IS_GOOD,
            none="no limits",
            size=(4, 3),
        ),
    ]


def _products() -> bargauge.Panel:
    used = f"{q.used(SCOPE, PRODUCT)} * on (account, key) group_left (product) topk by (account, key) (1, {CODES})"
    return bars(
        "Servers by product",
        "Servers of the keys by product in /im/key/list.json: cln_imunify_key_servers, or "
        f"cln_imunify_key_servers_reported if that is larger. {POLLED}",
        [(f"sort_desc(sum by (product) ({used}))", "{{product}}")],
        size=(12, 8),
        names=PRODUCT_CODES,
        none="No keys",
    )


def _keys() -> table.Panel:
    return keys_table("Keys", SCOPE, (24, 7), infos=f"topk by (account, key) (1, {CODES})", columns=[product_column()])
