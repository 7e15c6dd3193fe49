"""The check of the usage of CloudLinux OS keys."""

from __future__ import annotations

from typing import Any

import pytest

from cln_monitor import facts
from cln_monitor.checks.plugins.cloudlinux import judge
from cln_monitor.simulator import Fault
from tests.checks.conftest import Cln
from tests.checks.inside import InProcessExit, options_of, result_of, run_in_process
from tests.checks.running import Outcome
from tests.checks.views import caution, missing, part, view
from tests.helpers.clock import NOW
from tests.helpers.small_cln import LOGIN

NAME = "check_cln_cloudlinux"
KEY, OTHER = "CLN7-8c7994d7", "CLN9-2a8ef7d1"
NAMED = f'"web farm" ({KEY})'


def product(code: str, *cautions: dict[str, Any], **keys: tuple[int | str | None, int]) -> dict[str, Any]:
    """Return the part of a product, with the limit and the number of servers of each key."""
    named = {name.replace("_", "-"): told for name, told in keys.items()}
    servers = [
        {"key": name, "server_id": f"{name}{number}", "ip": "192.0.2.1", "hostname": "h"}
        for name, (_, count) in named.items()
        for number in range(count)
    ]
    rows = [
        {"key": name, "limit": limit, "note": "web farm" if name == KEY else ""} for name, (limit, _) in named.items()
    ]
    return part(code, {"product": code, "keys": rows, "servers": servers}, cautions=cautions)


def summary(whole: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a summary, in which each key has its number of servers."""
    value = whole["value"]
    keys = [{**key, "used": sum(server["key"] == key["key"] for server in value["servers"])} for key in value["keys"]]
    return {**whole, "value": {"product": value["product"], "keys": keys}}


def judged(seen: Any, *arguments: str) -> Outcome:
    """Return the output of the check for a view."""
    verdict = judge(seen, options_of(NAME, *arguments), NOW)
    state, perfdata = verdict.evaluate()
    exit_ = InProcessExit()
    return result_of(lambda: exit_.finish(state, verdict.text, verdict.lines, perfdata), ())


CL = product("CL", CLN7_8c7994d7=(10, 9), CLN7_00000000=(0, 3))
CLP = product("CLP", CLN9_2a8ef7d1=(4, 1))


@pytest.mark.parametrize("form", [lambda whole: whole, summary], ids=["whole", "summary"])
def test_one_is_nearly_full(form: Any) -> None:
    """A nearly full key is named with its note and usage, and the metrics are totals of all keys."""
    outcome = judged(view([form(CL), form(CLP)]))
    assert outcome.output == (
        f"WARNING - key {NAMED} is nearly full (9/10)"
        " | keys=3;;;0 limit_usage=90%;90;100;0 servers=13;;;0\n"
        f"key {NAMED} at 90% (9/10)\nkey {OTHER} at 25% (1/4)\n"
    )


@pytest.mark.parametrize(
    ("arguments", "state", "text"),
    [
        (("--limit-warning", "95"), "OK", f"13 servers on 3 CloudLinux OS keys, fullest key: {NAMED} at 90% (9/10)"),
        (("--limit-critical", "85"), "CRITICAL", f"1 key over 85% full: {NAMED} at 90% (9/10)"),
        (("--key", OTHER), "OK", f"1 server on 1 CloudLinux OS key, fullest key: {OTHER} at 25% (1/4)"),
        (("--product", "clp"), "OK", f"1 server on 1 CloudLinux OS key, fullest key: {OTHER} at 25% (1/4)"),
        (("--key", "CLN7-00000000"), "OK", "3 servers on 1 CloudLinux OS key, all unlimited"),
        (("--key", "none"), "UNKNOWN", "no CloudLinux OS key of this account matches --key none-140bedbf"),
        (
            ("--product", "CLS", "--no-match-state", "warning"),
            "WARNING",
            "no CloudLinux OS key of this account matches --product CLS",
        ),
    ],
)
def test_thresholds_and_filters(arguments: tuple[str, ...], state: str, text: str) -> None:
    """Thresholds and filters apply, and options without a match are reported."""
    outcome = judged(view([CL, CLP]), *arguments)
    assert (outcome.state, outcome.text) == (state, text)


def test_no_keys_at_all() -> None:
    """An account without CloudLinux OS keys is UNKNOWN unless --no-match-state is set."""
    assert judged(view([product("CL")])).text == "no CloudLinux OS key belongs to the account"
    assert judged(view([product("CL")]), "--no-match-state", "ok").state == "OK"


def test_a_product_that_cannot_be_read() -> None:
    """A failed product hides no full key of another, and suppresses the metrics."""
    outcome = judged(view([product("CL", CLN7_8c7994d7=(2, 2))], [missing("CLP")]))
    assert (outcome.state, outcome.perfdata) == ("UNKNOWN", {})
    assert outcome.text == f"reading it: nonsense; key {NAMED} is full (2/2)"
    assert judged(view([CL], [missing("CLP")]), "--product", "CL").state == "WARNING"


def test_limits_that_are_not_numbers() -> None:
    """A key of which CLN reports no limit is a note, and one with an unreadable limit is a problem."""
    untold = judged(view([product("CL", caution(facts.LIMIT_NOT_TOLD, KEY), CLN7_8c7994d7=(None, 1))]))
    assert (untold.state, "limit_usage" in untold.perfdata) == ("OK", False)
    assert untold.text.startswith("1 server on 1 CloudLinux OS key; CLN does not report the limit of 1 key")
    odd = judged(view([product("CL", caution(facts.LIMIT_UNREADABLE, KEY), CLN7_8c7994d7=("-1", 1))]))
    assert (odd.state, odd.text) == ("WARNING", f"1 key has a limit that cannot be read: {KEY}")


def test_servers_that_disappeared() -> None:
    """That CLN lists no servers anymore is critical for the account, and no problem of a check of one key."""
    seen = view([product("CL", CLN7_8c7994d7=(4, 0))])
    seen["observation"]["cautions"] = [caution(facts.SERVERS_GONE, "CL fell from 9 to 0 within 1d")]
    assert judged(seen).state == "CRITICAL"
    assert judged(seen, "--product", "CL").state == "OK"


def test_against_a_cln(cln: Cln) -> None:
    """The check makes two calls per selected product, and prints no key."""
    account = cln.simulator.accounts[LOGIN]
    key = account.add_cloudlinux_key("CLN7pl4ntedKey01", "CL", limit=3)
    try:
        key.add_server()
        outcome = run_in_process(NAME, *cln.login, "--product", "cl", "--key", "CLN7pl4ntedKey01")
        assert (outcome.state, outcome.perfdata["limit_usage"].value) == ("OK", 33.33)
        assert [(each.method, each.path, each.query["productType"]) for each in cln.simulator.requests] == [
            ("GET", "/v2/cl/keys", "CL"),
            ("GET", "/v2/cl/servers", "CL"),
        ]
        assert "pl4nted" not in outcome.output
        cln.simulator.faults.add(Fault("html", "/v2/cl/*"))
        text = run_in_process(NAME, *cln.login).text
        assert "an HTML page (HTTP 200); also missing: CLP, CLS, CLADMIN" in text
        bad = run_in_process(NAME, *cln.login, "--product", "C/L").text
        assert bad == "argument --product: 'C/L' is not a product such as CL; see --help"
    finally:
        account.remove_cloudlinux_key(key)


def test_a_product_that_cln_refuses(cln: Cln) -> None:
    """Without keys of any product, the check follows --no-match-state; a product that it names must exist."""
    refusal = '{"status": 403, "message": "Not for this account"}'
    cln.simulator.faults.add(Fault("answer", "/v2/cl/*", body=refusal))
    outcome = run_in_process(NAME, *cln.login, "--no-match-state", "ok")
    assert (outcome.state, outcome.text) == ("OK", "no CloudLinux OS key is available to this account")
    named = run_in_process(NAME, *cln.login, "--no-match-state", "ok", "--product", "CL")
    assert (named.state, "Not for this account" in named.text) == ("UNKNOWN", True)
