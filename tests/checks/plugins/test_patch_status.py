"""The check of the patch status, with the vendor's letters and texts."""

from __future__ import annotations

from typing import Any

import pytest

from cln_monitor.checks.plugins.patch_status import judge, letters
from cln_monitor.masking import mask_key
from cln_monitor.simulator import Fault
from tests.checks.conftest import Cln
from tests.checks.inside import InProcessExit, options_of, result_of, run_in_process
from tests.checks.running import MONITORING_KEY, Outcome
from tests.checks.views import missing, part, view
from tests.helpers.clock import NOW
from tests.helpers.small_cln import KEY, LOGIN, REGISTRATION_TOKEN, UNLIMITED_KEY

NAME = "check_cln_patch_status"
MASK = mask_key(KEY)
STATES = ("uptodate", "outofdate", "unsupported", "inactive")


def state_of(label: str, *counts: int, ok: bool = False, hosts: tuple[tuple[str, str], ...] = ()) -> dict[str, Any]:
    """Return the part of a key, with its counts in the order of the states, or without counts."""
    named = [{"host": host, "ip": "192.0.2.1", "state": state} for host, state in hosts]
    told = dict(zip(STATES, counts, strict=True)) if counts else None
    return part(label, {"scope": "key", "key": label, "ok": ok, "counts": told, "hosts": named})


def judged(seen: Any, *arguments: str) -> Outcome:
    """Return the output of the check of the key for a view."""
    return judged_account(seen, *(arguments if "-k" in arguments else ("-k", KEY, *arguments)))


def judged_account(seen: Any, *arguments: str) -> Outcome:
    """Return the output of the check of the account for a view."""
    verdict = judge(seen, options_of(NAME, *arguments), NOW)
    state, perfdata = verdict.evaluate()
    exit_ = InProcessExit()
    return result_of(lambda: exit_.finish(state, verdict.text, verdict.lines, perfdata), ())


@pytest.mark.parametrize(
    ("text", "states"),
    [
        ("o", ("outofdate",)),
        ("u,i", ("unsupported", "inactive")),
        (" o , i,", ("outofdate", "inactive")),
        ("o,o", ("outofdate",)),
        ("", ()),
        (" , ", ()),
    ],
)
def test_letters(text: str, states: tuple[str, ...]) -> None:
    """Letters are parsed as by the vendor's plugin; an empty text selects no state."""
    assert letters(text) == states


@pytest.mark.parametrize("text", ["x", "ou", "o u", "O", "o;u", "outofdate"])
def test_no_letters(text: str) -> None:
    """An invalid letter is reported with the valid ones."""
    outcome = run_in_process(NAME, "-k", KEY, "-c", text)
    assert outcome.text.startswith("argument -c/--critical: invalid letter '")
    assert outcome.text.endswith(": use o (out of date), u (unsupported), or i (inactive); see --help")


ALL_BAD = state_of(MASK, 6, 3, 2, 1, hosts=(("a|b 🚀", "outofdate"), ("db3", "unsupported"), ("x", "rebootrequired")))


@pytest.mark.parametrize(
    ("arguments", "state", "text"),
    [
        (
            ("-c", "o"),
            "CRITICAL",
            "3 of 12 servers out of date: a¦b 🚀; 2 of 12 servers unsupported, 1 inactive: db3 (unsupported)",
        ),
        (("-c", "", "-w", "o"), "WARNING", "3 of 12 servers out of date: a¦b 🚀"),
        (("-c", "i", "-w", ""), "CRITICAL", "1 of 12 servers inactive"),
        (
            ("-c", "", "-w", ""),
            "OK",
            "6 of 12 servers up to date, 3 out of date, 2 unsupported, 1 inactive",
        ),
        (
            ("-c", "o", "-w", "o,u,i"),
            "CRITICAL",
            "3 of 12 servers out of date: a¦b 🚀; 2 of 12 servers unsupported, 1 inactive: db3 (unsupported)",
        ),
    ],
)
def test_the_letters_choose_the_state(arguments: tuple[str, ...], state: str, text: str) -> None:
    """Letters select the states that alert; all states are counted."""
    outcome = judged(view([ALL_BAD]), *arguments)
    assert (outcome.state, outcome.text) == (state, text)
    assert {label: item.value for label, item in outcome.perfdata.items()} == {
        "uptodate": 6,
        "outofdate": 3,
        "unsupported": 2,
        "inactive": 1,
    }
    assert outcome.lines == [
        "a¦b 🚀 (192.0.2.1) is out of date",
        "db3 (192.0.2.1) is unsupported",
        "x (192.0.2.1) is rebootrequired",
    ]


@pytest.mark.parametrize(
    ("counts", "state"),
    [
        ((5, 0, 0, 0), "OK"),
        ((5, 1, 0, 0), "WARNING"),
        ((5, 0, 1, 0), "WARNING"),
        ((5, 0, 0, 1), "WARNING"),
        ((0, 1, 1, 1), "WARNING"),
        ((0, 0, 0, 0), "UNKNOWN"),
    ],
)
def test_the_states_by_default(counts: tuple[int, ...], state: str) -> None:
    """By default any bad state is WARNING, and no server at all is UNKNOWN."""
    assert judged(view([state_of(MASK, *counts, ok=counts[1:] == (0, 0, 0))])).state == state


@pytest.mark.parametrize(
    ("arguments", "state"), [((), "WARNING"), (("-c", "o"), "CRITICAL"), (("-c", "", "-w", ""), "OK")]
)
def test_bad_without_counts(arguments: tuple[str, ...], state: str) -> None:
    """A bad status without counts gets the worst requested state, without metrics."""
    outcome = judged(view([state_of(MASK)]), *arguments)
    assert (outcome.state, outcome.perfdata) == (state, {})
    assert outcome.text == "CLN reports that not all servers are up to date, without counts"


def test_good_without_counts() -> None:
    """A good status without counts is OK."""
    outcome = judged(view([state_of(MASK, ok=True)]))
    assert (outcome.state, outcome.text, outcome.perfdata) == ("OK", "all servers up to date", {})


def test_words_that_are_worse_than_the_counts() -> None:
    """A bad status with good counts is WARNING."""
    outcome = judged(view([state_of(MASK, 3, 0, 0, 0, hosts=(("web1", "outofdate"),))]))
    assert outcome.state == "WARNING"
    assert outcome.text == "CLN reports that not all servers are up to date, without counts"


def test_several_keys() -> None:
    """Several keys are added up, and a failed key does not hide problems of another."""
    seen = view([state_of(MASK, 5, 1, 0, 0), state_of(mask_key(UNLIMITED_KEY), 2, 0, 0, 0, ok=True)])
    both = ("-k", KEY, "-k", UNLIMITED_KEY)
    assert judged(seen, *both).text == "1 of 8 servers out of date"
    outcome = judged(view([state_of(MASK, 5, 1, 0, 0)], [missing(mask_key(UNLIMITED_KEY))]), *both, "-c", "o")
    assert (outcome.state, outcome.text) == ("CRITICAL", "1 of 6 servers out of date; reading it: nonsense")
    assert outcome.perfdata == {}
    outcome = judged(view([state_of(MASK, 5, 0, 1, 0)], [missing(mask_key(UNLIMITED_KEY))]), *both, "-c", "o")
    assert (outcome.state, outcome.text) == ("UNKNOWN", "reading it: nonsense; 1 of 6 servers unsupported")


def test_a_key_that_the_exporter_does_not_know() -> None:
    """A key that the exporter does not have is UNKNOWN."""
    seen = view([state_of(MASK, 5, 0, 0, 0, ok=True)])
    other = mask_key(UNLIMITED_KEY)
    assert judged(seen, "-k", UNLIMITED_KEY).text == f"the exporter has no data for key {other}"
    outcome = judged(seen, "-k", KEY, "-k", UNLIMITED_KEY, "-k", "third-one")
    assert outcome.state == "UNKNOWN"
    assert outcome.text == f"the exporter has no data for key {other}, {mask_key('third-one')}"
    assert outcome.perfdata == {}
    outcome = judged(view([state_of(MASK, 5, 1, 0, 0)]), "-k", KEY, "-k", UNLIMITED_KEY, "-c", "o")
    assert outcome.state == "CRITICAL"
    verdict = judge(view([ALL_BAD]), options_of(NAME, "--reseller"), NOW)
    assert verdict.text == "the exporter has no data for this account"


@pytest.mark.parametrize("given", [KEY, MASK])
@pytest.mark.parametrize("label", [KEY, MASK])
def test_a_key_by_its_name_or_its_mask(given: str, label: str) -> None:
    """A key matches in full or masked, regardless of key_labels."""
    assert judged(view([state_of(label, 5, 0, 0, 0, ok=True)]), "-k", given).state == "OK"
    empty = judged(view([state_of(label, 0, 0, 0, 0, ok=True)]), "-k", given)
    assert empty.text == f"no server found for key {MASK}"
    seen = view([state_of(label, 0, 0, 0, 0, ok=True)])
    assert judged(seen, "-k", given, "--no-match-state", "ok").state == "OK"


def not_found(label: str) -> dict[str, Any]:
    """Return the missing part of a key for which CLN finds no servers."""
    return missing(label, "refused", f"reading it for key {label}: CLN refused the request: Servers not found for key")


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(view([state_of(MASK, 0, 0, 0, 0, ok=True)]), id="counts"),
        pytest.param(view([], [not_found(MASK)]), id="words"),
    ],
)
def test_a_key_without_servers(seen: Any) -> None:
    """A key without servers gives the same result for counts of 0 and for CLN's error."""
    outcome = judged(seen)
    assert (outcome.state, outcome.text) == ("UNKNOWN", f"no server found for key {MASK}")
    assert {label: item.value for label, item in outcome.perfdata.items()} == dict.fromkeys(STATES, 0)
    for state in ("OK", "WARNING", "CRITICAL"):
        other = judged(seen, "--no-match-state", state)
        assert (other.state, other.text) == (state, outcome.text)


def test_each_key_without_servers_is_named() -> None:
    """Each key without servers is named next to the others."""
    others = [mask_key(key) for key in (UNLIMITED_KEY, "ThirdKey00000001")]
    keys = ("-k", KEY, "-k", UNLIMITED_KEY, "-k", "ThirdKey00000001")
    seen = view([state_of(MASK, 5, 1, 0, 0), state_of(others[1], 0, 0, 0, 0, ok=True)], [not_found(others[0])])
    outcome = judged(seen, *keys, "-c", "o")
    told = f"no server found for key {', '.join(others)}"
    assert (outcome.state, outcome.text) == ("CRITICAL", f"1 of 6 servers out of date; {told}")
    assert outcome.perfdata["uptodate"].value == 5
    outcome = judged(seen, *keys, "-w", "u,i", "--no-match-state", "warning")
    assert (outcome.state, outcome.text) == ("WARNING", told)


def test_a_key_without_servers_beside_one_that_could_not_be_read() -> None:
    """A key without servers and a failed key are both reported."""
    other = mask_key(UNLIMITED_KEY)
    seen = view([], [not_found(MASK), missing(other)])
    outcome = judged(seen, "-k", KEY, "-k", UNLIMITED_KEY, "--no-match-state", "ok")
    told = f"reading it: nonsense; no server found for key {MASK}"
    assert (outcome.state, outcome.text, outcome.perfdata) == ("UNKNOWN", told, {})
    assert judged(view([state_of(MASK, 5, 0, 0, 0, ok=True)], [not_found(MASK)])).state == "OK"


def test_counts_of_some_keys_alone_are_no_metrics() -> None:
    """Counts of only some keys are not printed as metrics."""
    seen = view([state_of(MASK, 5, 0, 0, 0, ok=True), state_of(mask_key(UNLIMITED_KEY), ok=True)])
    outcome = judged(seen, "-k", KEY, "-k", UNLIMITED_KEY)
    assert (outcome.state, outcome.perfdata) == ("OK", {})


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--register",), "--register requires a key: use it with -k KEY"),
        (("-k", KEY, "--reseller"), "-k cannot be combined with --reseller, which includes the servers of all keys"),
        (("-k", KEY, "--api-token", "abcdef"), "-k cannot be combined with --reseller"),
        (
            ("-k", KEY, "--register", "--exporter", "http://h"),
            "--register cannot be combined with --exporter: it sends a request to CLN",
        ),
        (("--reseller", "--register"), "--register requires a key: use it with -k KEY"),
        (("--api-token", "abcdef", "--register"), "--register requires a key: use it with -k KEY"),
        (("-k", MASK), f"{MASK} is a masked key, which only --exporter accepts: use the full key, or --exporter"),
    ],
)
def test_what_does_not_go_together(arguments: tuple[str, ...], told: str) -> None:
    """Contradicting options are reported before any request."""
    outcome = run_in_process(NAME, *arguments)
    assert outcome.state == "UNKNOWN"
    assert outcome.text.startswith(told)


GOOD, COUNTS = "All 3 servers are up to date", "uptodate=3;outofdate=0;unsupported=0;inactive=0"


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("KernelCare OK - all servers are up to date!", "OK"),
        (f"{GOOD}|{COUNTS}", "OK"),
        (COUNTS, "OK"),
        ("KernelCare WARNING - 1 of 3 servers", "WARNING"),
        ("KernelCare CRITICAL - x|y", "WARNING"),
        ("3 machines are OUTOFDATE!|uptodate=6;outofdate=3;unsupported=2;inactive=1", "WARNING"),
        ("2 machines are UNSUPPORTED!|uptodate=6;outofdate=0;unsupported=2;inactive=0", "WARNING"),
        ("uptodate=9;outofdate=1;unsupported=3;inactive=2", "WARNING"),
        (f"{GOOD} except web1|{COUNTS}", "UNKNOWN"),
        (f"{GOOD}|uptodate=3;outofdate=0", "UNKNOWN"),
        ("Servers not found for key NONE", "UNKNOWN"),
        ("Reseller not found", "UNKNOWN"),
        ("Registration token not found for reseller x not found", "UNKNOWN"),
        ("OK", "UNKNOWN"),
        ("", "UNKNOWN"),
        ("All is well", "UNKNOWN"),
        ("<html>KernelCare OK - all servers are up to date!</html>", "UNKNOWN"),
        ("success:false\nmessage:KernelCare OK - all servers are up to date!", "UNKNOWN"),
        ('{"success": false, "message": "KernelCare OK"}', "UNKNOWN"),
    ],
)
def test_what_cln_may_say_with_http_200(text: str, state: str, cln: Cln) -> None:
    """Only documented texts are OK."""
    cln.simulator.faults.add(Fault("answer", "/kcare/nagios*", body=text, content_type="text/plain"))
    outcome = run_in_process(NAME, "-k", KEY, "--api-url", cln.url)
    assert outcome.state == state
    assert run_in_process(NAME, "--reseller", *cln.login).state == state


def test_one_call_a_key(cln: Cln) -> None:
    """The check makes one call per key and no other."""
    run_in_process(NAME, "-k", KEY, "-k", UNLIMITED_KEY, "--api-url", cln.url)
    paths = sorted(request.path for request in cln.simulator.requests)
    assert paths == [f"/kcare/nagios/{KEY}", f"/kcare/nagios/{UNLIMITED_KEY}"]


@pytest.mark.parametrize("short", ["UNKN", "serv", "UNKNOWN", "servers"])
def test_a_short_key_does_not_wreck_the_line(short: str, cln: Cln) -> None:
    """A short key is masked once, and the state is not changed."""
    outcome = run_in_process(NAME, "-k", short, "--api-url", cln.url)
    assert outcome.output == f"UNKNOWN - no server found for key {mask_key(short)} | {NO_SERVERS}\n"
    cln.simulator.faults.add(Fault("html"))
    outcome = run_in_process(NAME, "-k", short, "--api-url", cln.url)
    assert outcome.output.startswith("UNKNOWN - reading /kcare/nagios/{")
    assert f" for key {mask_key(short)}: " in outcome.output


NO_SERVERS = "inactive=0;;;0 outofdate=0;;;0 unsupported=0;;;0 uptodate=0;;;0"


@pytest.mark.parametrize("key", ["O", "key", "a key/of two", "x" * 129])
def test_what_is_no_key_is_not_sent(key: str, cln: Cln) -> None:
    """An invalid key is reported without its value and not sent."""
    outcome = run_in_process(NAME, "-k", key, "--api-url", cln.url)
    assert outcome.output == (
        "UNKNOWN - request not sent: key: invalid format; a license key has 4 to 128 printable ASCII "
        "characters, except spaces and / ? # & %\n"
    )
    assert cln.simulator.requests == []


def test_a_token_in_argv_is_told_of(cln: Cln) -> None:
    """--api-token adds a line about its visibility and does not change the state."""
    told = "--api-token shows the token to all users in the process list: set registration_token_file in a "
    token = ("--login", LOGIN, "--api-token", REGISTRATION_TOKEN, "--api-url", cln.url)
    outcome = run_in_process(NAME, *token)
    assert (outcome.state, outcome.lines[-1]) == ("WARNING", f"{told}configuration and use --config instead")
    assert not any("--api-token" in line for line in run_in_process(NAME, "--reseller", *cln.login).lines)


def test_registering_a_key_that_cln_does_not_know(cln: Cln) -> None:
    """--register registers an unknown key once."""
    outcome = run_in_process(NAME, "-k", MONITORING_KEY, "--api-url", cln.url)
    assert outcome.text == f"no server found for key {mask_key(MONITORING_KEY)}"
    assert run_in_process(NAME, "-k", KEY, "--register", "--api-url", cln.url).state == "WARNING"  # it is known
    for _ in range(2):
        outcome = run_in_process(NAME, "-k", MONITORING_KEY, "--register", "--api-url", cln.url)
        assert (outcome.state, outcome.perfdata["inactive"].value) == ("WARNING", 2)
    assert [request.path for request in cln.simulator.requests if "register" in request.path] == [
        "/kcare/nagios/register_key.plain"
    ]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("success:true\ncode:2", "has no KernelCare IP license (code 2)"),
        ("success:false\nmessage:no", "CLN refused the request: no"),
        ("<html>", "the key may be registered"),
    ],
)
def test_a_registration_that_fails_hides_no_other_key(body: str, told: str, cln: Cln) -> None:
    """A failed registration is reported next to the other keys."""
    cln.simulator.faults.add(Fault("answer", "/kcare/nagios/register*", body=body))
    server = next(iter(next(iter(cln.simulator.accounts.values())).kernelcare_keys[KEY].servers.values()))
    arguments = (NAME, "-k", MONITORING_KEY, "--register", "--api-url", cln.url)
    for state in ((), ("--no-match-state", "ok")):
        outcome = run_in_process(*arguments, *state)
        assert outcome.state == "UNKNOWN"
        assert outcome.text.startswith(f"no server found for key {mask_key(MONITORING_KEY)}; ")
        assert told in outcome.text
    server.patch_state = "outofdate"
    outcome = run_in_process(*arguments, "-k", KEY, "-c", "o")
    server.patch_state = "uptodate"
    assert outcome.state == "CRITICAL"
    assert outcome.text.startswith("1 of 3 servers out of date: web1.example.net; ")
    assert told in outcome.text


def unavailable(seen: dict[str, Any]) -> dict[str, Any]:
    """Return a view of an account without reseller access."""
    gap = {"name": "(reseller)", "what": "reseller access", "text": "CLN refused the request: Reseller not found"}
    return {**seen, "observation": {**seen["observation"], "unavailable": [gap]}}


def of_reseller(*counts: int) -> dict[str, Any]:
    """Return the part of the whole account."""
    found = state_of("", *counts, ok=not any(counts[1:]))
    return {**found, "name": "(reseller)", "value": {**found["value"], "scope": "reseller"}}


def of_monitoring_key(*counts: int) -> dict[str, Any]:
    """Return the part of a monitoring key, which covers all servers."""
    found = state_of("moni-1", *counts, ok=not any(counts[1:]))
    return {**found, "value": {**found["value"], "is_listed": False}}


A, B = state_of("a", 3, 1, 0, 0), state_of("b", 2, 0, 0, 0, ok=True)
NO_LIST = missing("", text="reading the keys: nonsense")


@pytest.mark.parametrize(
    ("seen", "state", "text"),
    [
        pytest.param(
            view([of_reseller(8, 2, 0, 0), A]), "WARNING", "2 of 10 servers out of date", id="reseller access wins"
        ),
        pytest.param(
            view([of_reseller(8, 0, 0, 0)], [NO_LIST], list_known=False),
            "OK",
            "8 of 8 servers up to date",
            id="reseller access needs no list",
        ),
        pytest.param(unavailable(view([A, B])), "WARNING", "1 of 6 servers out of date", id="keys are added up"),
        pytest.param(
            unavailable(view([A, B, of_monitoring_key(5, 1, 0, 0)])),
            "WARNING",
            "1 of 6 servers out of date",
            id="a monitoring key is not added",
        ),
        pytest.param(
            view([of_monitoring_key(5, 0, 0, 0)]), "OK", "5 of 5 servers up to date", id="a monitoring key alone"
        ),
        pytest.param(
            unavailable(view([B, state_of("empty", 0, 0, 0, 0, ok=True)])),
            "OK",
            "2 of 2 servers up to date",
            id="a key without servers",
        ),
        pytest.param(
            view([B], [missing("(reseller)", "unreachable", "reading it: no route")]),
            "OK",
            "2 of 2 servers up to date",
            id="keys while reseller access fails",
        ),
        pytest.param(
            unavailable(view([A], [missing("b")])),
            "UNKNOWN",
            "1 of 4 servers out of date; reading it: nonsense",
            id="half of the keys",
        ),
        pytest.param(unavailable(view([])), "UNKNOWN", "no server found for this account", id="no keys"),
        pytest.param(
            unavailable(view([state_of("empty", 0, 0, 0, 0, ok=True)])),
            "UNKNOWN",
            "no server found for this account",
            id="no servers",
        ),
    ],
)
def test_the_account_by_whichever_way_works(seen: Any, state: str, text: str) -> None:
    """The account is checked by reseller access if available, else by all its keys."""
    outcome = judged_account(seen)
    assert (outcome.state, set(outcome.text.split("; "))) == (state, set(text.split("; ")))
    assert "(reseller)" not in outcome.text


def test_an_account_without_servers_is_as_calm_as_asked_for() -> None:
    """--no-match-state ok makes an account without servers OK."""
    outcome = judged_account(unavailable(view([])), "--no-match-state", "ok")
    assert (outcome.state, outcome.text) == ("OK", "no server found for this account")
    assert "not available: reseller access: CLN refused the request: Reseller not found" in outcome.lines


def test_reseller_access_that_was_asked_for() -> None:
    """--reseller without reseller access is UNKNOWN."""
    outcome = judged_account(unavailable(view([B])), "--reseller", "--no-match-state", "ok")
    assert (outcome.state, outcome.text) == ("UNKNOWN", "CLN refused the request: Reseller not found")


@pytest.mark.parametrize("is_reseller", [True, False])
def test_the_account_asked_directly(is_reseller: bool, cln: Cln) -> None:
    """The check makes one call with reseller access, and one per key without."""
    if not is_reseller:
        cln.simulator.faults.add(
            Fault("answer", "/kcare/nagios-res/*", body="Reseller not found", content_type="text/plain")
        )
    outcome = run_in_process(NAME, "-C", str(cln.config))
    asked = [request.path.split("/")[2] for request in cln.simulator.requests]
    assert (outcome.state, asked[0]) == ("WARNING", "nagios-res")
    assert (len(asked) == 1) is is_reseller


def test_reseller_access_names_the_hosts_that_keys_tell() -> None:
    """Hosts from the responses for keys are named once with reseller access."""
    of_key = state_of("a", 3, 1, 0, 0, hosts=(("web1", "outofdate"),))
    of_other = {**state_of("moni-1", 7, 1, 0, 0, hosts=(("web1", "outofdate"),)), "name": "moni-1"}
    outcome = judged_account(view([of_reseller(8, 1, 0, 0), of_key, of_other]))
    assert (outcome.state, outcome.text) == ("WARNING", "1 of 9 servers out of date: web1")
    assert [line for line in outcome.lines if "web1" in line] == ["web1 (192.0.2.1) is out of date"]


def test_a_disabled_key_is_worth_a_word() -> None:
    """Servers of a disabled key are a note, unless the key is selected."""
    disabled = state_of("old", 0, 30, 0, 0, hosts=(("dead1", "outofdate"),))
    disabled["value"]["is_disabled"] = True
    outcome = judged_account(view([B, disabled]))
    assert (outcome.state, outcome.text) == (
        "OK",
        "2 of 2 servers up to date; 30 servers of disabled keys are not patched",
    )
    assert not outcome.lines
    assert judged_account(view([B, disabled]), "-k", "old").state == "WARNING"
