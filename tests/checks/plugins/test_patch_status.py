"""The patch status in the vendor's letters, from texts that come with HTTP 200 whatever they say."""

from __future__ import annotations

from typing import Any

import pytest

from cln_monitor.checks.plugins.patch_status import judge, letters
from cln_monitor.masking import mask_key
from cln_monitor.simulator import Fault
from tests.checks.conftest import Cln
from tests.checks.inside import InsideExit, options_of, result_of, run_inside
from tests.checks.running import MONITORING_KEY, Outcome
from tests.checks.views import missing, part, view
from tests.helpers.clock import NOW
from tests.helpers.small_cln import KEY, LOGIN, REGISTRATION_TOKEN, UNLIMITED_KEY

NAME = "check_cln_patch_status"
MASK = mask_key(KEY)
STATES = ("uptodate", "outofdate", "unsupported", "inactive")


def state_of(label: str, *counts: int, ok: bool = False, hosts: tuple[tuple[str, str], ...] = ()) -> dict[str, Any]:
    """Return the part of a key: its counts in the order of the states, none where CLN told none."""
    named = [{"host": host, "ip": "192.0.2.1", "state": state} for host, state in hosts]
    told = dict(zip(STATES, counts, strict=True)) if counts else None
    return part(label, {"scope": "key", "key": label, "ok": ok, "counts": told, "hosts": named})


def judged(seen: Any, *arguments: str) -> Outcome:
    """Return what the check of the key prints of a view."""
    return judged_account(seen, *(arguments if "-k" in arguments else ("-k", KEY, *arguments)))


def judged_account(seen: Any, *arguments: str) -> Outcome:
    """Return what the check of the account prints of a view."""
    verdict = judge(seen, options_of(NAME, *arguments), NOW)
    state, perfdata = verdict.evaluate()
    leave = InsideExit()
    return result_of(lambda: leave.finish(state, verdict.text, verdict.lines, perfdata), ())


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
    """As the vendor's plugin takes them; the empty text is none."""
    assert letters(text) == states


@pytest.mark.parametrize("text", ["x", "ou", "o u", "O", "o;u", "outofdate"])
def test_no_letters(text: str) -> None:
    """What they can be is said."""
    outcome = run_inside(NAME, "-k", KEY, "-c", text)
    assert outcome.text.startswith("argument -c/--critical: '")
    assert outcome.text.endswith("is none of o (out of date), u (unsupported) and i (inactive); see --help")


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
    """What they leave out is counted all the same."""
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
    """Out of date, unsupported and inactive are WARNING, no server at all is UNKNOWN."""
    assert judged(view([state_of(MASK, *counts, ok=counts[1:] == (0, 0, 0))])).state == state


@pytest.mark.parametrize(
    ("arguments", "state"), [((), "WARNING"), (("-c", "o"), "CRITICAL"), (("-c", "", "-w", ""), "OK")]
)
def test_bad_without_counts(arguments: tuple[str, ...], state: str) -> None:
    """What CLN says is bad is the worst that is asked for; nobody knows how many, so there are no figures."""
    outcome = judged(view([state_of(MASK)]), *arguments)
    assert (outcome.state, outcome.perfdata) == (state, {})
    assert outcome.text == "CLN says that not all servers are up to date, without telling how many"


def test_good_without_counts() -> None:
    """The text of the document has none."""
    outcome = judged(view([state_of(MASK, ok=True)]))
    assert (outcome.state, outcome.text, outcome.perfdata) == ("OK", "all servers up to date", {})


def test_words_that_are_worse_than_the_counts() -> None:
    """Counts that are all good do not excuse words that are not."""
    outcome = judged(view([state_of(MASK, 3, 0, 0, 0, hosts=(("web1", "outofdate"),))]))
    assert outcome.state == "WARNING"
    assert outcome.text == "CLN says that not all servers are up to date, without telling how many"


def test_several_keys() -> None:
    """Are counted together; what could not be read of one does not hide what is bad of another."""
    seen = view([state_of(MASK, 5, 1, 0, 0), state_of(mask_key(UNLIMITED_KEY), 2, 0, 0, 0, ok=True)])
    both = ("-k", KEY, "-k", UNLIMITED_KEY)
    assert judged(seen, *both).text == "1 of 8 servers out of date"
    outcome = judged(view([state_of(MASK, 5, 1, 0, 0)], [missing(mask_key(UNLIMITED_KEY))]), *both, "-c", "o")
    assert (outcome.state, outcome.text) == ("CRITICAL", "1 of 6 servers out of date; reading it: nonsense")
    assert outcome.perfdata == {}
    outcome = judged(view([state_of(MASK, 5, 0, 1, 0)], [missing(mask_key(UNLIMITED_KEY))]), *both, "-c", "o")
    assert (outcome.state, outcome.text) == ("UNKNOWN", "reading it: nonsense; 1 of 6 servers unsupported")


def test_a_key_that_the_exporter_does_not_know() -> None:
    """Is UNKNOWN, beside another that is fine too."""
    seen = view([state_of(MASK, 5, 0, 0, 0, ok=True)])
    other = mask_key(UNLIMITED_KEY)
    assert judged(seen, "-k", UNLIMITED_KEY).text == f"the exporter knows nothing of key {other}"
    outcome = judged(seen, "-k", KEY, "-k", UNLIMITED_KEY, "-k", "third-one")
    assert outcome.state == "UNKNOWN"
    assert outcome.text == f"the exporter knows nothing of key {other}, {mask_key('third-one')}"
    assert outcome.perfdata == {}
    outcome = judged(view([state_of(MASK, 5, 1, 0, 0)]), "-k", KEY, "-k", UNLIMITED_KEY, "-c", "o")
    assert outcome.state == "CRITICAL"
    verdict = judge(view([ALL_BAD]), options_of(NAME, "--reseller"), NOW)
    assert verdict.text == "the exporter knows nothing of this account"


@pytest.mark.parametrize("given", [KEY, MASK])
@pytest.mark.parametrize("label", [KEY, MASK])
def test_a_key_by_its_name_or_its_mask(given: str, label: str) -> None:
    """However the exporter labels its keys."""
    assert judged(view([state_of(label, 5, 0, 0, 0, ok=True)]), "-k", given).state == "OK"
    empty = judged(view([state_of(label, 0, 0, 0, 0, ok=True)]), "-k", given)
    assert empty.text == f"CLN knows no server of key {MASK}"
    seen = view([state_of(label, 0, 0, 0, 0, ok=True)])
    assert judged(seen, "-k", given, "--no-match-state", "ok").state == "OK"


def not_found(label: str) -> dict[str, Any]:
    """Return the part of a key of which CLN says that it finds no servers."""
    return missing(label, "refused", f"reading it for key {label}: CLN refused the request: Servers not found for key")


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(view([state_of(MASK, 0, 0, 0, 0, ok=True)]), id="counts"),
        pytest.param(view([], [not_found(MASK)]), id="words"),
    ],
)
def test_a_key_without_servers(seen: Any) -> None:
    """Is the same however CLN says it: by counts, as the exporter has them of a key in its list, or in words."""
    outcome = judged(seen)
    assert (outcome.state, outcome.text) == ("UNKNOWN", f"CLN knows no server of key {MASK}")
    assert {label: item.value for label, item in outcome.perfdata.items()} == dict.fromkeys(STATES, 0)
    for state in ("OK", "WARNING", "CRITICAL"):
        other = judged(seen, "--no-match-state", state)
        assert (other.state, other.text) == (state, outcome.text)


def test_each_key_without_servers_is_named() -> None:
    """Beside those that have some, which are judged as ever."""
    others = [mask_key(key) for key in (UNLIMITED_KEY, "ThirdKey00000001")]
    keys = ("-k", KEY, "-k", UNLIMITED_KEY, "-k", "ThirdKey00000001")
    seen = view([state_of(MASK, 5, 1, 0, 0), state_of(others[1], 0, 0, 0, 0, ok=True)], [not_found(others[0])])
    outcome = judged(seen, *keys, "-c", "o")
    told = f"CLN knows no server of key {', '.join(others)}"
    assert (outcome.state, outcome.text) == ("CRITICAL", f"1 of 6 servers out of date; {told}")
    assert outcome.perfdata["uptodate"].value == 5
    outcome = judged(seen, *keys, "-w", "u,i", "--no-match-state", "warning")
    assert (outcome.state, outcome.text) == ("WARNING", told)


def test_a_key_without_servers_beside_one_that_could_not_be_read() -> None:
    """Both are told; a key that had servers a while before has them still."""
    other = mask_key(UNLIMITED_KEY)
    seen = view([], [not_found(MASK), missing(other)])
    outcome = judged(seen, "-k", KEY, "-k", UNLIMITED_KEY, "--no-match-state", "ok")
    told = f"reading it: nonsense; CLN knows no server of key {MASK}"
    assert (outcome.state, outcome.text, outcome.perfdata) == ("UNKNOWN", told, {})
    assert judged(view([state_of(MASK, 5, 0, 0, 0, ok=True)], [not_found(MASK)])).state == "OK"


def test_counts_of_some_keys_alone_are_no_figures() -> None:
    """Totals of what is not all there would be a lie."""
    seen = view([state_of(MASK, 5, 0, 0, 0, ok=True), state_of(mask_key(UNLIMITED_KEY), ok=True)])
    outcome = judged(seen, "-k", KEY, "-k", UNLIMITED_KEY)
    assert (outcome.state, outcome.perfdata) == ("OK", {})


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--register",), "--register is for a key: give it with -k KEY, or leave it out"),
        (("-k", KEY, "--reseller"), "give either -k KEY or --reseller: the servers of a key are counted in both"),
        (("-k", KEY, "--api-token", "abcdef"), "give either -k KEY or --reseller"),
        (
            ("-k", KEY, "--register", "--exporter", "http://h"),
            "--register asks CLN itself, so it does not go with --exporter",
        ),
        (("--reseller", "--register"), "--register is for a key: give it with -k KEY, or leave it out"),
        (("--api-token", "abcdef", "--register"), "--register is for a key: give it with -k KEY, or leave it out"),
        (("-k", MASK), f"CLN knows {MASK} by its full key alone; give that, or --exporter, which knows its mask"),
    ],
)
def test_what_does_not_go_together(arguments: tuple[str, ...], told: str) -> None:
    """Is told before anybody is asked."""
    outcome = run_inside(NAME, *arguments)
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
    """Nothing is OK but what says so in words that somebody has documented."""
    cln.simulator.faults.add(Fault("answer", "/kcare/nagios*", body=text, content_type="text/plain"))
    outcome = run_inside(NAME, "-k", KEY, "--api-url", cln.url)
    assert outcome.state == state
    assert run_inside(NAME, "--reseller", *cln.login).state == state


def test_one_call_a_key(cln: Cln) -> None:
    """And no other."""
    run_inside(NAME, "-k", KEY, "-k", UNLIMITED_KEY, "--api-url", cln.url)
    paths = sorted(request.path for request in cln.simulator.requests)
    assert paths == [f"/kcare/nagios/{KEY}", f"/kcare/nagios/{UNLIMITED_KEY}"]


@pytest.mark.parametrize("short", ["UNKN", "serv", "UNKNOWN", "servers"])
def test_a_short_key_does_not_wreck_the_line(short: str, cln: Cln) -> None:
    """A key that is part of other words is masked where it stands, and only once, and the state stays a state."""
    outcome = run_inside(NAME, "-k", short, "--api-url", cln.url)
    assert outcome.output == f"UNKNOWN - CLN knows no server of key {mask_key(short)} | {NO_SERVERS}\n"
    cln.simulator.faults.add(Fault("html"))
    outcome = run_inside(NAME, "-k", short, "--api-url", cln.url)
    assert outcome.output.startswith("UNKNOWN - reading /kcare/nagios/{")
    assert f" for key {mask_key(short)}: " in outcome.output


NO_SERVERS = "inactive=0;;;0 outofdate=0;;;0 unsupported=0;;;0 uptodate=0;;;0"


@pytest.mark.parametrize("key", ["O", "key", "a key/of two", "x" * 129])
def test_what_is_no_key_is_not_sent(key: str, cln: Cln) -> None:
    """It is told what a key is; a place where a key belongs may hold anything, so it is not shown."""
    outcome = run_inside(NAME, "-k", key, "--api-url", cln.url)
    assert outcome.output == (
        "UNKNOWN - nothing was sent: key: invalid format; a license key has 4 to 128 printable ASCII "
        "characters, except spaces and / ? # & %\n"
    )
    assert cln.simulator.requests == []


def test_a_token_in_argv_is_told_of(cln: Cln) -> None:
    """Whoever sees the long output learns what to do; the state is what it is."""
    told = "--api-token shows the token to all users of this machine; better set registration_token_file in a "
    token = ("--login", LOGIN, "--api-token", REGISTRATION_TOKEN, "--api-url", cln.url)
    outcome = run_inside(NAME, *token)
    assert (outcome.state, outcome.lines[-1]) == ("WARNING", f"{told}configuration, and give --config")
    assert not any("--api-token" in line for line in run_inside(NAME, "--reseller", *cln.login).lines)


def test_registering_a_key_that_cln_does_not_know(cln: Cln) -> None:
    """Then it answers for all servers; a run after that registers nothing."""
    outcome = run_inside(NAME, "-k", MONITORING_KEY, "--api-url", cln.url)
    assert outcome.text == f"CLN knows no server of key {mask_key(MONITORING_KEY)}"
    assert run_inside(NAME, "-k", KEY, "--register", "--api-url", cln.url).state == "WARNING"  # it is known
    for _ in range(2):
        outcome = run_inside(NAME, "-k", MONITORING_KEY, "--register", "--api-url", cln.url)
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
    """What is known of the others counts, and why it failed is told."""
    cln.simulator.faults.add(Fault("answer", "/kcare/nagios/register*", body=body))
    server = next(iter(next(iter(cln.simulator.accounts.values())).kernelcare_keys[KEY].servers.values()))
    arguments = (NAME, "-k", MONITORING_KEY, "--register", "--api-url", cln.url)
    for state in ((), ("--no-match-state", "ok")):
        outcome = run_inside(*arguments, *state)
        assert outcome.state == "UNKNOWN"
        assert outcome.text.startswith(f"CLN knows no server of key {mask_key(MONITORING_KEY)}; ")
        assert told in outcome.text
    server.patch_state = "outofdate"
    outcome = run_inside(*arguments, "-k", KEY, "-c", "o")
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
    """Return the part of a monitoring key, which stands for all servers."""
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
        pytest.param(unavailable(view([])), "UNKNOWN", "CLN knows no server of this account", id="no keys"),
        pytest.param(
            unavailable(view([state_of("empty", 0, 0, 0, 0, ok=True)])),
            "UNKNOWN",
            "CLN knows no server of this account",
            id="no servers",
        ),
    ],
)
def test_the_account_by_whichever_way_works(seen: Any, state: str, text: str) -> None:
    """Without -k and --reseller: by reseller access where there is any, else by all keys of the account."""
    outcome = judged_account(seen)
    assert (outcome.state, set(outcome.text.split("; "))) == (state, set(text.split("; ")))
    assert "(reseller)" not in outcome.text


def test_an_account_without_servers_is_as_calm_as_asked_for() -> None:
    """The shipped services pass ``--no-match-state ok``."""
    outcome = judged_account(unavailable(view([])), "--no-match-state", "ok")
    assert (outcome.state, outcome.text) == ("OK", "CLN knows no server of this account")
    assert "not available: reseller access: CLN refused the request: Reseller not found" in outcome.lines


def test_reseller_access_that_was_asked_for() -> None:
    """An option is strict: what it asks for and CLN does not offer cannot be judged."""
    outcome = judged_account(unavailable(view([B])), "--reseller", "--no-match-state", "ok")
    assert (outcome.state, outcome.text) == ("UNKNOWN", "CLN refused the request: Reseller not found")


@pytest.mark.parametrize("is_reseller", [True, False])
def test_the_account_asked_directly(is_reseller: bool, cln: Cln) -> None:
    """It makes one call where reseller access works, and asks each key where it does not."""
    if not is_reseller:
        cln.simulator.faults.add(
            Fault("answer", "/kcare/nagios-res/*", body="Reseller not found", content_type="text/plain")
        )
    outcome = run_inside(NAME, "-C", str(cln.config))
    asked = [request.path.split("/")[2] for request in cln.simulator.requests]
    assert (outcome.state, asked[0]) == ("WARNING", "nagios-res")
    assert (len(asked) == 1) is is_reseller


def test_reseller_access_names_the_hosts_that_keys_tell() -> None:
    """Its answer has counts alone; each host is named once."""
    of_key = state_of("a", 3, 1, 0, 0, hosts=(("web1", "outofdate"),))
    of_other = {**state_of("moni-1", 7, 1, 0, 0, hosts=(("web1", "outofdate"),)), "name": "moni-1"}
    outcome = judged_account(view([of_reseller(8, 1, 0, 0), of_key, of_other]))
    assert (outcome.state, outcome.text) == ("WARNING", "1 of 9 servers out of date: web1")
    assert [line for line in outcome.lines if "web1" in line] == ["web1 (192.0.2.1) is out of date"]


def test_a_disabled_key_is_worth_a_word() -> None:
    """Its servers are not counted where the account is checked; a key that is asked for is judged like any other."""
    disabled = state_of("old", 0, 30, 0, 0, hosts=(("dead1", "outofdate"),))
    disabled["value"]["is_disabled"] = True
    outcome = judged_account(view([B, disabled]))
    assert (outcome.state, outcome.text) == (
        "OK",
        "2 of 2 servers up to date; 30 servers of disabled keys are not patched",
    )
    assert not outcome.lines
    assert judged_account(view([B, disabled]), "-k", "old").state == "WARNING"
