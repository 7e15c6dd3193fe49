"""The table of keys of several dashboards, with their usage and limit."""

from __future__ import annotations

from collections.abc import Sequence

from grafana_foundation_sdk.builders import table

from . import queries as q
from .names import FAMILIES, PRODUCT_CODES
from .panels import FULLNESS, POLLED, WARN
from .queries import Scope
from .tables import Column, rows

_SOURCES = {
    "kernelcare": "/kcare/key/list.json and /kcare/key/servers.json",
    "imunify": "/im/key/list.json and /im/srv/list.json",
    "els": "/els/key/list.json and /els/srv/list.json",
    "cloudlinux": "/v2/cl/keys and /v2/cl/servers",
}


_WITH_NEVER = ("kernelcare", "imunify")


def _never(scope: Scope) -> str:
    return scope.all(
        lambda scope_, family: scope_.once(family, "account, key", "_key_servers", 'checkin="never"'), *_WITH_NEVER
    )


def keys_table(
    title: str, scope: Scope, size: tuple[int, int], *, infos: str = "", columns: Sequence[Column] = ()
) -> table.Panel:
    """Return a table of keys with their servers and limits, the fullest first.

    ``infos`` is an expression with additional labels of keys, which ``columns`` show.
    """
    used = scope.all(q.used, *q.WITH_KEYS)
    limits, unknown = scope.all(q.limit, *q.WITH_KEYS), f"({used}) * NaN"
    families = [family for family in q.WITH_KEYS if scope.has(family)]
    many, has_never = len(families) > 1, any(map(scope.has, _WITH_NEVER))
    extra = f"({used}) ^ 0 * on (account, key) group_left ({', '.join(column.field for column in columns)}) {infos}"
    labelled = f"{extra}\nor ({used}) unless on (account, key) {infos}" if infos else used
    return rows(
        title,
        "Each key with its servers and its limit, the fullest first: at 100 % new servers fail to register. A key for "
        "one server is supposed to be full. For Imunify, the larger of the listed and the reported number of servers. "
        f"Limits and servers from {', '.join(_SOURCES[family] for family in families)}. {POLLED}",
        [
            q.with_note(scope, f"({labelled}) ^ 0"),
            used,
            f"{limits}\nor {unknown}",
            # Each query needs a row for each key, so that Grafana can merge the columns. Unlimited is -1.
            f"{scope.all(q.usage, *q.WITH_KEYS)}\nor 0 * (({limits}) == Inf) ^ 0 - 1\nor {unknown}",
            *([_never(scope)] if has_never else []),
        ],
        [
            *([Column("family", "Product", shown=FAMILIES, width=110)] if many else []),
            Column("key", "Key", width=150),
            Column("note", "Note"),
            Column("account", "Account", width=110),
            *columns,
            Column("Value #B", "Servers", width=80, right=True),
            Column("Value #C", "Limit", width=90, right=True, unlimited=True),
            Column(
                "Value #D", "Used", unit="percentunit", decimals=0, width=95, right=True, steps=FULLNESS, unlimited=True
            ),
            *(
                [Column("Value #E", "Never", width=75, right=True, steps=((None, "text"), (1, WARN)))]
                if has_never
                else []
            ),
            Column("Value #A", "info", hidden=True),
        ],
        size=size,
        none="No keys",
        sort=[("Used", True)],
    )


def product_column() -> Column:
    """Return the column of a key's product, with its name instead of its code."""
    return Column("product", "Product", shown=PRODUCT_CODES)
