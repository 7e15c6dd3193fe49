"""PromQL of the host names of silent servers, which the exporter has chosen: an unknown or ambiguous one is absent."""

from __future__ import annotations

from collections.abc import Callable

from .queries import Scope, once

_SERVER = "account, family, server_id, ip"
_OWN = "account, server_id, ip"
_INFOS = {"ip_license": "_host_info"}
_NAMES = {"els": 'hostname!="",hostname!~"[0-9.]+|.*:.*"'}  # CLN may report the address of an ELS server as its name


def with_host_name(scope: Scope, expression: str, among: Callable[[Scope, str], str], *families: str) -> str:
    """Return ``expression`` with the label ``hostname``.

    Its servers, which have the label ``family``, are of ``families``, and are among those that ``among`` returns:
    filtering a large fleet is cheaper than joining it.
    """

    def names(scope_: Scope, family: str) -> str:
        shown, found = "account, ip" if family == "ip_license" else "account, key, server_id", among(scope_, family)
        infos = scope_.series(family, _INFOS.get(family, "_server_info"), _NAMES.get(family, 'hostname!=""'))
        named = f"topk by ({_OWN}) (1, {once(f'{_OWN}, hostname', f'{infos} and on ({shown}) ({found})')})"
        return f"({named}\nor on ({_OWN}) group by ({_OWN}) ({found}))"

    return f"({expression}) * on ({_SERVER}) group_left (hostname) ({scope.all(names, *families)})"
