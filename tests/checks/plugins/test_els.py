"""The check of the usage of Extended Lifecycle Support keys."""

from __future__ import annotations

from typing import Any

import pytest

from cln_monitor.checks.plugins.els import judge
from cln_monitor.simulator import Fault
from tests.checks.conftest import Cln
from tests.checks.inside import InProcessExit, options_of, result_of, run_in_process
from tests.checks.running import Outcome
from tests.checks.views import missing, part, view
from tests.helpers.clock import NOW
from tests.helpers.small_cln import LOGIN

NAME = "check_cln_els"
KEY, OTHER = "CELS-8c7994d7", "PHPE-2a8ef7d1"


def product(code: str, **keys: tuple[int | None, int]) -> dict[str, Any]:
    """Return the part of a product, with the limit and the number of servers of each key."""
    named = {name.replace("_", "-"): told for name, told in keys.items()}
    servers = [
        {"key": name, "server_id": f"{name}{number}", "ip": "192.0.2.1", "hostname": "h"}
        for name, (_, count) in named.items()
        for number in range(count)
    ]
    rows = [{"key": name, "limit": limit} for name, (limit, _) in named.items()]
    return part(code, {"product": code, "keys": rows, "servers": servers})


def judged(seen: Any, *arguments: str) -> Outcome:
    """Return the output of the check for a view."""
    verdict = judge(seen, options_of(NAME, *arguments), NOW)
    state, perfdata = verdict.evaluate()
    exit_ = InProcessExit()
    return result_of(lambda: exit_.finish(state, verdict.text, verdict.lines, perfdata), ())


CELS = product("CELS", CELS_8c7994d7=(10, 9), CELS_00000000=(0, 3))
PHP = product("PHP_ELS", PHPE_2a8ef7d1=(4, 1))


def test_one_is_nearly_full() -> None:
    """A nearly full key is named with its usage, and the metrics are totals of all keys."""
    outcome = judged(view([CELS, PHP]))
    assert outcome.output == (
        f"WARNING - key {KEY} is nearly full (9/10)"
        " | keys=3;;;0 limit_usage=90%;90;100;0 servers=13;;;0\n"
        f"key {KEY} at 90% (9/10)\nkey {OTHER} at 25% (1/4)\n"
    )


@pytest.mark.parametrize(
    ("arguments", "state", "text"),
    [
        (("--limit-warning", "95"), "OK", f"13 servers on 3 ELS keys, fullest key: {KEY} at 90% (9/10)"),
        (("--limit-critical", "85"), "CRITICAL", f"1 key over 85% full: {KEY} at 90% (9/10)"),
        (("--key", OTHER), "OK", f"1 server on 1 ELS key, fullest key: {OTHER} at 25% (1/4)"),
        (("--code", "PHP_ELS"), "OK", f"1 server on 1 ELS key, fullest key: {OTHER} at 25% (1/4)"),
        (("--key", "CELS-00000000"), "OK", "3 servers on 1 ELS key, all unlimited"),
        (("--key", "none"), "UNKNOWN", "no ELS key of this account matches --key none-140bedbf"),
        (
            ("--code", "OELS", "--no-match-state", "warning"),
            "WARNING",
            "no ELS key of this account matches --code OELS",
        ),
    ],
)
def test_thresholds_and_filters(arguments: tuple[str, ...], state: str, text: str) -> None:
    """Thresholds and filters apply, and options without a match are reported."""
    outcome = judged(view([CELS, PHP]), *arguments)
    assert (outcome.state, outcome.text) == (state, text)


def test_no_keys_at_all() -> None:
    """An account without ELS keys is UNKNOWN unless --no-match-state is set."""
    assert judged(view([product("CELS")])).text == "no ELS key belongs to the account"
    assert judged(view([product("CELS")]), "--no-match-state", "ok").state == "OK"


def test_a_product_that_cannot_be_read() -> None:
    """A failed product hides no full key of another, and suppresses the metrics."""
    outcome = judged(view([product("CELS", CELS_8c7994d7=(2, 2))], [missing("PHP_ELS")]))
    assert (outcome.state, outcome.perfdata) == ("UNKNOWN", {})
    assert outcome.text == f"reading it: nonsense; key {KEY} is full (2/2)"
    assert judged(view([CELS], [missing("PHP_ELS")]), "--code", "CELS").state == "WARNING"


def test_against_a_cln(cln: Cln) -> None:
    """The check makes two calls per selected product."""
    account = cln.simulator.accounts[LOGIN]
    key = account.add_els_key("CELS-pl4ntedKey01", limit=3)
    try:
        key.add_server()
        outcome = run_in_process(NAME, *cln.login, "--code", "CELS", "--key", "CELS-pl4ntedKey01")
        assert (outcome.state, outcome.perfdata["limit_usage"].value) == ("OK", 33.33)
        assert [(each.path, each.query["code"]) for each in cln.simulator.requests] == [
            ("/els/key/list.json", "CELS"),
            ("/els/srv/list.json", "CELS"),
        ]
        assert "pl4nted" not in outcome.output
        cln.simulator.faults.add(Fault("html", "/els/*"))
        assert (
            "an HTML page (HTTP 200); also missing: OELS, UELS16, CELS_8 and 14 more"
            in run_in_process(NAME, *cln.login).text
        )
        bad = run_in_process(NAME, *cln.login, "--code", "A/B").text
        assert bad.startswith("--code: invalid format; expected 1 to 32 printable characters")
    finally:
        account.remove_els_key(key)
