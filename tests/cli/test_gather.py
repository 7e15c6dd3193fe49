"""Lists of many calls: one key that fails does not lose the others."""

from __future__ import annotations

import pytest

from cln_monitor.simulator import Fault

from .account import IMUNIFY_KEY, KEY, OTHER_IMUNIFY_KEY, OTHER_KEY, Cln
from .inside import ask
from .processes import on_a_terminal


@pytest.mark.parametrize(
    ("product", "path", "key", "other"),
    [
        ("kernelcare", "/kcare/key/servers.json", OTHER_KEY, KEY),
        ("imunify", "/im/srv/list.json", OTHER_IMUNIFY_KEY, IMUNIFY_KEY),
    ],
)
def test_a_key_that_fails(product: str, path: str, key: str, other: str, cln: Cln) -> None:
    """The servers of the others are shown, stderr masks the key, and the code is that of the worst."""
    for fault, code in (
        (Fault("answer", path, match=key, body='{"success": false, "message": "no"}'), 1),
        (Fault("html", path, match=key), 3),
    ):
        cln.simulator.faults.add(fault)
        outcome = ask(cln, "-o", "json", product, "servers", "list")
        cln.simulator.faults.clear()
        assert outcome.code == code
        assert {row["key"] for row in outcome.json} == {other}
        assert outcome.err.startswith(f"clntool: reading {path} at ")
        assert outcome.err.count("\n") == 1
        assert key not in outcome.err


def test_all_keys_fail(cln: Cln) -> None:
    """There is nothing to show: not even an empty list, which would say that there are no servers."""
    cln.simulator.faults.add(Fault("html", "/kcare/key/servers.json", match=KEY))
    cln.simulator.faults.add(
        Fault("answer", "/kcare/key/servers.json", match=OTHER_KEY, body='{"success": false, "message": "no"}')
    )
    outcome = ask(cln, "-o", "json", "kernelcare", "servers", "list")
    assert (outcome.code, outcome.out) == (3, "")
    assert outcome.err.count("\n") == 2


def test_the_list_of_keys_fails(cln: Cln) -> None:
    """Without it no key is asked about."""
    cln.simulator.faults.add(Fault("answer", "/im/key/list.json", body='{"success": false, "message": "no"}'))
    outcome = ask(cln, "imunify", "servers", "list")
    assert outcome.code == 1
    assert [path for _, path, _ in cln.sent()] == ["/im/key/list.json"]


def test_a_product_that_fails(cln: Cln) -> None:
    """The same for the products of ELS."""
    cln.simulator.faults.add(Fault("html", "/els/key/list.json", match="OELS"))
    outcome = ask(cln, "-o", "json", "els", "keys", "list")
    assert (outcome.code, len(outcome.json)) == (3, 1)


def test_a_bar_for_who_waits(cln: Cln) -> None:
    """A terminal shows how far it is; nothing of that is in what is piped."""
    cln.simulator.faults.add(Fault("latency", "/kcare/key/servers.json", seconds=0.3))
    outcome = on_a_terminal("-C", str(cln.config), "kernelcare", "servers", "list")
    assert outcome.code == 0
    assert "asking CLN" in outcome.err
    assert "fresh" in outcome.err
    assert ask(cln, "kernelcare", "servers", "list").err == ""
