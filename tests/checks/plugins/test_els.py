"""The check of the check-ins of Extended Lifecycle Support servers, and of the usage of their keys."""

from __future__ import annotations

from typing import Any

import pytest

from cln_monitor import facts
from cln_monitor.checks.plugins.els import judge
from cln_monitor.simulator import Fault
from tests.checks.conftest import Cln
from tests.checks.inside import InProcessExit, options_of, result_of, run_in_process
from tests.checks.running import Outcome
from tests.checks.views import DAY, caution, missing, part, view
from tests.helpers.clock import NOW
from tests.helpers.small_cln import LOGIN

NAME = "check_cln_els"
KEY, OTHER = "CELS-8c7994d7", "PHPE-2a8ef7d1"
LATEST = "h 192.0.2.1 (0s)"


def product(code: str, *cautions: dict[str, Any], **keys: tuple[int | None, int]) -> dict[str, Any]:
    """Return the part of a product, with the limit and the number of servers of each key, which have just checked in.

    With a caution that CLN reports no check-ins, they have none.
    """
    seen = {} if [each for each in cautions if each["fact"] == facts.CHECKIN_NOT_TOLD] else {"last_checkin": NOW}
    named = {name.replace("_", "-"): told for name, told in keys.items()}
    servers = [
        {"key": name, "server_id": f"{name}{number}", "ip": "192.0.2.1", "hostname": "h", **seen}
        for name, (_, count) in named.items()
        for number in range(count)
    ]
    rows = [{"key": name, "limit": limit} for name, (limit, _) in named.items()]
    return part(code, {"product": code, "keys": rows, "servers": servers}, cautions=cautions)


def with_servers(code: str, *ages: float | None) -> dict[str, Any]:
    """Return the part of a product with a key whose servers checked in so many seconds ago, None for never."""
    servers = [
        {
            "key": KEY,
            "server_id": str(number),
            "ip": f"192.0.2.{number}",
            "hostname": f"web{number}.example.net",
            "last_checkin": None if age is None else NOW - age,
        }
        for number, age in enumerate(ages)
    ]
    return part(code, {"product": code, "keys": [{"key": KEY, "limit": 0, "note": "old"}], "servers": servers})


def els_view(*arguments: Any) -> dict[str, Any]:
    """Return a view of the probe, whose servers are silent after a week."""
    return view(*arguments) | {"probe": "els", "stale_after": 7 * DAY}


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
    outcome = judged(els_view([CELS, PHP]))
    assert outcome.output == (
        f"WARNING - key {KEY} is nearly full (9/10)"
        " | limit_usage=90%;90;100;0 never_checked_in=0;;;0 oldest_checkin=0s;604800;;0 servers=13;;;0 stale=0;;;0"
        " unknown_checkin=0;;;0\n"
        f"key {KEY} at 90% (9/10)\nkey {OTHER} at 25% (1/4)\n"
    )


@pytest.mark.parametrize(
    ("arguments", "state", "text"),
    [
        (
            ("--limit-warning", "95"),
            "OK",
            f"13 ELS servers, longest silent: {LATEST}; fullest key: {KEY} at 90% (9/10)",
        ),
        (("--limit-critical", "85"), "CRITICAL", f"1 key over 85% full: {KEY} at 90% (9/10)"),
        (("--key", OTHER), "OK", f"1 ELS server, longest silent: {LATEST}; fullest key: {OTHER} at 25% (1/4)"),
        (
            ("--code", "PHP_ELS"),
            "OK",
            f"1 ELS server, longest silent: {LATEST}; fullest key: {OTHER} at 25% (1/4)",
        ),
        (("--key", "CELS-00000000"), "OK", f"3 ELS servers, longest silent: {LATEST}"),
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
    outcome = judged(els_view([CELS, PHP]), *arguments)
    assert (outcome.state, outcome.text) == (state, text)


def test_silent_servers() -> None:
    """Silent servers are named by host, from a week on; those gone for a month are a note."""
    outcome = judged(els_view([with_servers("CELS", 0, 8 * DAY, 40 * DAY, 6 * DAY)]))
    assert outcome.state == "WARNING"
    assert outcome.text.split("; ") == [
        "1 of 4 ELS servers not checked in for over 7d: web1.example.net 192.0.2.1 (8d)",
        "1 of 4 ELS servers silent for over 30d and still billed: web2.example.net 192.0.2.2 (40d)",
    ]
    values = {name: item.value for name, item in outcome.perfdata.items()}
    assert values == {"servers": 4, "stale": 2, "never_checked_in": 0, "unknown_checkin": 0, "oldest_checkin": 40 * DAY}


def test_a_server_named_by_its_address() -> None:
    """A server whose host name is its address is named once, and one with another name in a source by that."""
    cels = with_servers("CELS", 0, 8 * DAY)
    cels["value"]["servers"][1]["hostname"] = "192.0.2.1"
    text = "1 of 2 ELS servers not checked in for over 7d: {}192.0.2.1 (8d)"
    assert judged(els_view([cels])).text == text.format("")
    assert judged(els_view([cels]) | {"host_names": {"1": "db1"}}).text == text.format("db1 ")


def test_a_key_of_two_products() -> None:
    """A key in the lists of two products is judged for each: by its limit there, and by what CLN reports there."""
    untold = product("PHP_ELS", caution(facts.CHECKIN_NOT_TOLD), CELS_8c7994d7=(4, 4))
    outcome = judged(els_view([product("CELS", CELS_8c7994d7=(9, 1)), untold]))
    assert (outcome.state, outcome.text.partition(";")[0]) == ("WARNING", f"key {KEY} is full (4/4)")
    assert f"key {KEY} at 11% (1/9)" in outcome.lines


def test_an_exporter_that_does_not_judge_check_ins() -> None:
    """With the data of an exporter without ``stale_after``, its default applies."""
    outcome = judged(els_view([with_servers("CELS", 0, 8 * DAY)]) | {"stale_after": None})
    assert outcome.text == "1 of 2 ELS servers not checked in for over 7d: web1.example.net 192.0.2.1 (8d)"


def test_ages_of_options() -> None:
    """The options replace the ages of the policy, and select servers by address and id."""
    seen = els_view([with_servers("CELS", 0, 2 * DAY, None)])
    outcome = judged(seen, "-w", "1d", "-c", "3d")
    assert outcome.state == "WARNING"
    assert outcome.text.split("; ") == [
        "1 of 3 ELS servers not checked in for over 1d: web1.example.net 192.0.2.1 (2d)",
        "1 of 3 ELS servers never checked in: web2.example.net 192.0.2.2",
    ]
    assert judged(seen, "-w", "1d", "--ip", "192.0.2.0").state == "OK"
    assert judged(seen, "-c", "1d", "--server-id", "1").state == "CRITICAL"
    assert judged(seen, "--ip", "192.0.2.9").text == "no ELS server of this account matches --ip 192.0.2.9"


def test_a_whole_key_is_silent() -> None:
    """A key whose servers all fell silent lately is critical."""
    outcome = judged(els_view([with_servers("CELS", 8 * DAY, 9 * DAY)]))
    assert outcome.state == "CRITICAL"
    assert outcome.text.startswith(f'all servers of key "old" ({KEY}) are silent')


@pytest.mark.parametrize("arguments", [(), ("-w", "1d"), ("--ip", "192.0.2.1")])
def test_a_cln_without_check_ins(arguments: tuple[str, ...]) -> None:
    """Check-ins that CLN never reported are unknown and a note, and not a problem."""
    note = caution(facts.CHECKIN_NOT_TOLD, "lastCheckin of 2 servers of CELS")
    outcome = judged(els_view([product("CELS", note, CELS_8c7994d7=(9, 2))]), *arguments)
    assert outcome.state == "OK"
    assert "lastCheckin of 2 servers of CELS" in outcome.text or "2 of 2 ELS servers with an unknown" in outcome.text
    assert (outcome.perfdata["unknown_checkin"].value, outcome.perfdata["never_checked_in"].value) == (2, 0)


def test_a_cln_that_stopped_reporting_check_ins() -> None:
    """Check-ins that CLN no longer reports are a problem."""
    note = caution(facts.FIELD_MISSING, "lastCheckin of 2 servers of CELS")
    untold = product("CELS", caution(facts.CHECKIN_NOT_TOLD), CELS_8c7994d7=(9, 2)) | {"cautions": [note]}
    outcome = judged(els_view([untold]))
    assert (outcome.state, outcome.text) == ("WARNING", "CLN reports no lastCheckin of 2 servers of CELS")


def test_no_keys_at_all() -> None:
    """An account without ELS keys is UNKNOWN unless --no-match-state is set."""
    assert judged(els_view([product("CELS")])).text == "no ELS key belongs to the account"
    assert judged(els_view([product("CELS")]), "--no-match-state", "ok").state == "OK"


def test_a_product_that_cannot_be_read() -> None:
    """A failed product hides no full key of another, and suppresses the metrics."""
    outcome = judged(els_view([product("CELS", CELS_8c7994d7=(2, 2))], [missing("PHP_ELS")]))
    assert (outcome.state, outcome.perfdata) == ("UNKNOWN", {})
    assert outcome.text == f"reading it: nonsense; key {KEY} is full (2/2)"
    assert judged(els_view([CELS], [missing("PHP_ELS")]), "--code", "CELS").state == "WARNING"


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
