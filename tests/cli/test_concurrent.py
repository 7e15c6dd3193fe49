"""Lists that take many calls: a key that fails does not hide the others."""

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
    """The servers of other keys are shown, stderr masks the key, and the highest exit code is used."""
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
    """If all keys fail, nothing is shown, as an empty list would mean that there are no servers."""
    cln.simulator.faults.add(Fault("html", "/kcare/key/servers.json", match=KEY))
    cln.simulator.faults.add(
        Fault("answer", "/kcare/key/servers.json", match=OTHER_KEY, body='{"success": false, "message": "no"}')
    )
    outcome = ask(cln, "-o", "json", "kernelcare", "servers", "list")
    assert (outcome.code, outcome.out) == (3, "")
    assert outcome.err.count("\n") == 2


@pytest.mark.parametrize(
    ("typed", "path"),
    [("kernelcare servers list", "/kcare/key/servers.json"), ("imunify servers list", "/im/srv/list.json")],
)
def test_a_token_that_is_refused(typed: str, path: str, cln: Cln) -> None:
    """A refused token ends the list and is reported once."""
    for number in range(200):
        cln.account.add_kernelcare_key(f"MoreKey{number:09}")
        cln.account.add_imunify_key(f"MoreImKey{number:07}")
    cln.simulator.faults.add(Fault("answer", path, body='{"success": false, "message": "Authorization failed"}'))
    cln.simulator.faults.add(Fault("latency", path, seconds=0.3))
    outcome = ask(cln, *typed.split())
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith(f"clntool: reading {path} at ")
    assert outcome.err.endswith(": CLN refused the token: Authorization failed\n")
    assert outcome.err.count("\n") == 1
    assert len(cln.sent()) < 50


def test_products_with_a_token_that_is_refused(cln: Cln) -> None:
    """A refused token ends the list of ELS products and is reported once."""
    cln.simulator.faults.add(Fault("status", "/els/*", status=401))
    for noun in ("keys", "servers"):
        outcome = ask(cln, "els", noun, "list")
        assert (outcome.code, outcome.err.count("\n")) == (1, 1)
        assert "CLN refused the token" in outcome.err


@pytest.mark.parametrize(("product", "key"), [("kernelcare", "odd key/1"), ("imunify", "odd im key/1")])
def test_odd_keys_of_a_list(product: str, key: str, cln: Cln) -> None:
    """A key listed by CLN is queried even if it would not be a valid argument."""
    cln.account.add_kernelcare_key("odd key/1").add_server("odd-server")
    cln.account.add_imunify_key("odd im key/1").add_server("odd-im-server")
    outcome = ask(cln, "-o", "json", product, "servers", "list")
    assert outcome.code == 0
    assert [row["key"] for row in outcome.json if row["server_id"].startswith("odd-")] == [key]
    assert ask(cln, product, "servers", "list", "--key", key).code == 2


def test_the_list_of_keys_fails(cln: Cln) -> None:
    """If the list of keys fails, no key is queried."""
    cln.simulator.faults.add(Fault("answer", "/im/key/list.json", body='{"success": false, "message": "no"}'))
    outcome = ask(cln, "imunify", "servers", "list")
    assert outcome.code == 1
    assert [path for _, path, _ in cln.sent()] == ["/im/key/list.json"]


def test_a_product_that_fails(cln: Cln) -> None:
    """An ELS product that fails does not hide the others."""
    cln.simulator.faults.add(Fault("html", "/els/key/list.json", match="OELS"))
    outcome = ask(cln, "-o", "json", "els", "keys", "list")
    assert (outcome.code, len(outcome.json)) == (3, 1)


@pytest.mark.processes
def test_progress_bar(cln: Cln) -> None:
    """A terminal shows a progress bar, and a pipe does not."""
    cln.simulator.faults.add(Fault("latency", "/kcare/key/servers.json", seconds=0.3))
    outcome = on_a_terminal("-C", str(cln.config), "kernelcare", "servers", "list")
    assert outcome.code == 0
    assert "querying CLN" in outcome.err
    assert "fresh" in outcome.err
    assert ask(cln, "kernelcare", "servers", "list").err == ""
