"""Checks give the same state, text, lines, and metrics directly and through the exporter, for accounts in any state."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from cln_monitor.masking import mask_key
from tests.checks.inside import run_in_process
from tests.checks.running import Outcome, run_plugin
from tests.checks.watched import ACCOUNTS, CVE, EPORTALS, OLD_CVE, Watched, key_of, watched
from tests.helpers.small_cln import IMUNIFY_KEY, KEY, UNLIMITED_KEY

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A simulated CLN and an exporter that monitors it."""
    with watched(tmp_path_factory.mktemp("watched")) as running:
        yield running


AGE = re.compile(r"\b\d+[smh]\b")
HOST_NAME = re.compile(r"[\w.-]+\.example\.(?:com|net) (?=[0-9a-f]+[.:])")


def comparable(outcome: Outcome) -> tuple[object, ...]:
    """Return an outcome with the values of ages replaced by 0, and those in texts by an ellipsis."""
    ages = {label: item for label, item in outcome.perfdata.items() if item.unit == "s"}
    metrics = {label: item._replace(value=0.0) if label in ages else item for label, item in outcome.perfdata.items()}
    lines = [AGE.sub("…", line) for line in outcome.lines]
    return outcome.state, AGE.sub("…", outcome.text), lines, metrics


def assert_same(direct: Outcome, indirect: Outcome) -> None:
    """Compare two outcomes, whose ages may differ by the seconds between them.

    The other one alone begins its lines with where it is from, and knows host names, from the answers about groups and
    keys that this check has not asked for.
    """
    first, _, rest = indirect.output.partition("\n")
    origin, _, rest = rest.partition("\n")
    assert re.fullmatch(r"data from the exporter, \d+[sm] old(; last poll failed: .+)?", origin)
    # It also tells of what it has asked for and this check has not.
    rest = "".join(line for line in rest.splitlines(keepends=True) if not line.startswith("missing: the list "))
    output = HOST_NAME.sub("", f"{first}\n{rest}")
    direct = replace(direct, output=HOST_NAME.sub("", direct.output))  # those of ELS, which have their own
    if "servers out of date" not in direct.text:  # of all servers of the account, whose hosts other answers name
        assert comparable(direct) == comparable(replace(indirect, output=output))
    assert (direct.state, direct.perfdata.keys()) == (indirect.state, indirect.perfdata.keys())
    for label, item in direct.perfdata.items():
        assert abs(item.value - indirect.perfdata[label].value) <= (30 if item.unit == "s" else 0)


STATES = {
    ("check_cln_kernelcare", "fine"): "OK",
    ("check_cln_imunify", "fine"): "OK",
    ("check_cln_ip_licenses", "fine"): "OK",
    ("check_cln_patch_status", "fine"): "OK",
    ("check_cln_kernelcare", "empty"): "UNKNOWN",
    ("check_cln_imunify", "empty"): "UNKNOWN",
    ("check_cln_ip_licenses", "empty"): "UNKNOWN",
    ("check_cln_patch_status", "empty"): "UNKNOWN",
    **{(name, "bare"): "UNKNOWN" for name in ("check_cln_kernelcare", "check_cln_imunify", "check_cln_ip_licenses")},
    ("check_cln_patch_status", "bare"): "UNKNOWN",
    ("check_cln_patch_status", "mixed"): "WARNING",
    ("check_cln_patch_status", "hostile"): "OK",
    ("check_cln_ip_licenses", "broken"): "UNKNOWN",
    ("check_cln_kernelcare", "broken"): "UNKNOWN",
    ("check_cln_imunify", "broken"): "UNKNOWN",
    ("check_cln_patch_status", "broken"): "UNKNOWN",
    ("check_cln_els", "fine"): "OK",
    **{("check_cln_els", account): "UNKNOWN" for account in ("empty", "bare", "broken")},
    ("check_cln_cloudlinux", "fine"): "OK",
    **{("check_cln_cloudlinux", account): "UNKNOWN" for account in ("empty", "bare", "broken")},
    **{("check_cln_awp", account): "OK" for account in ACCOUNTS if account not in {"broken", "barred"}},
    ("check_cln_awp", "broken"): "UNKNOWN",
}
CHECKS = {
    "check_cln_kernelcare": (),
    "check_cln_imunify": (),
    "check_cln_ip_licenses": ("-v",),
    "check_cln_patch_status": ("--reseller",),
    "check_cln_els": (),
    "check_cln_awp": ("-c", "5"),
    "check_cln_cloudlinux": (),
}


@pytest.mark.parametrize("account", ACCOUNTS)
@pytest.mark.parametrize("name", CHECKS)
def test_a_check_of_an_account(name: str, account: str, both: Watched) -> None:
    """A check gives the same result in both ways for accounts in any state."""
    arguments = CHECKS[name]
    direct = run_in_process(name, *both.direct(account), *arguments)
    assert_same(direct, run_in_process(name, *both.through_exporter(account), *arguments))
    expected = STATES.get((name, account), "UNKNOWN" if account == "barred" else "WARNING")
    # The reseller's call goes by the registration token, which is right of all accounts.
    if (name, account) == ("check_cln_patch_status", "barred"):
        expected = "OK"
    assert direct.state == expected, direct


@pytest.mark.parametrize("arguments", [(), ("--ignore-flag", "xmlrpc"), ("--critical-flag", "xmlrpc")])
def test_the_status(arguments: tuple[str, ...], both: Watched) -> None:
    """The status is that of the API root of the account."""
    direct = run_in_process("check_cln_status", *both.direct("fine"), *arguments)
    assert direct.state == "OK"
    assert_same(direct, run_in_process("check_cln_status", *both.through_exporter("barred"), *arguments))


@pytest.mark.parametrize(
    ("name", "account", "arguments"),
    [
        ("check_cln_kernelcare", "mixed", ("--key", key_of("mixed", KEY))),
        ("check_cln_kernelcare", "mixed", ("--key", mask_key(key_of("mixed", UNLIMITED_KEY)))),
        ("check_cln_kernelcare", "mixed", ("--key", key_of("mixed", UNLIMITED_KEY), "--key", "NoSuchKey1234567")),
        ("check_cln_kernelcare", "mixed", ("--ip", "192.0.2.1", "-v")),
        ("check_cln_kernelcare", "mixed", ("--server-id", "mixed3")),
        ("check_cln_kernelcare", "mixed", ("--ip", "192.0.2.250", "--no-match-state", "warning")),
        ("check_cln_kernelcare", "mixed", ("-w", "20d", "-c", "30d", "--limit-warning", "90")),
        ("check_cln_kernelcare", "broken", ("--key", key_of("broken", KEY))),
        ("check_cln_kernelcare", "broken", ("--key", key_of("broken", UNLIMITED_KEY))),
        ("check_cln_kernelcare", "barred", ("--key", KEY)),
        ("check_cln_imunify", "mixed", ("--key", key_of("mixed", IMUNIFY_KEY), "-c", "@1h:2h")),
        ("check_cln_imunify", "hostile", ("-v", "-w", "5h:", "-c", "1h:")),
        ("check_cln_ip_licenses", "mixed", ("--license", "KernelCare", "--unused-critical", "0")),
        ("check_cln_ip_licenses", "mixed", ("--ip", "198.51.100.1", "--ip", "192.0.2.250")),
        ("check_cln_els", "mixed", ("--code", "CELS", "--limit-critical", "101")),
        ("check_cln_els", "hostile", ("--key", mask_key("CELS-hostile-1"))),
        ("check_cln_cloudlinux", "mixed", ("--product", "CL", "--limit-critical", "101")),
        ("check_cln_cloudlinux", "hostile", ("--key", mask_key("CLN7-hostile-1"))),
        ("check_cln_awp", "hostile", ("--product", "AWP_CDN", "-w", "1:")),
        ("check_cln_patch_status", "mixed", ("-k", key_of("mixed", KEY))),
        ("check_cln_patch_status", "mixed", ("-k", key_of("mixed", UNLIMITED_KEY), "-k", key_of("mixed", KEY))),
        ("check_cln_patch_status", "mixed", ("-k", key_of("mixed", KEY), "-c", "", "-w", "o")),
        ("check_cln_patch_status", "broken", ("-k", key_of("broken", KEY))),
        ("check_cln_patch_status", "bare", ("-k", key_of("bare", KEY))),
        ("check_cln_patch_status", "bare", ("-k", key_of("bare", KEY), "--no-match-state", "ok")),
        ("check_cln_ip_licenses", "bare", ()),
        ("check_cln_ip_licenses", "bare", ("--ip", "198.51.100.77")),
    ],
)
def test_a_check_with_options(name: str, account: str, arguments: tuple[str, ...], both: Watched) -> None:
    """Filters, thresholds, letters, and keys in full or masked give the same result in both ways."""
    direct = run_in_process(name, *both.direct(account), *arguments)
    assert_same(direct, run_in_process(name, *both.through_exporter(account), *arguments))
    assert "internal error" not in direct.text


@pytest.mark.parametrize(
    ("name", "arguments", "state"),
    [
        ("check_cln_eportal", (), "WARNING"),
        ("check_cln_eportal", ("-v",), "WARNING"),
        ("check_cln_eportal", ("--allowed-lag", "60d", "-w", "30d"), "WARNING"),
        ("check_cln_eportal", ("-w", "1d", "-c", "3d"), "CRITICAL"),
        ("check_cln_cve", (), "WARNING"),
        ("check_cln_cve", ("--cve", CVE), "WARNING"),
        ("check_cln_cve", ("--cve", CVE.lower(), "-c", "2"), "CRITICAL"),
        ("check_cln_cve", ("--cve", OLD_CVE, "-w", "1"), "UNKNOWN"),
        ("check_cln_cve", ("--cve", OLD_CVE, "--cve", "CVE-2026-99999", "-w", "6"), "OK"),
    ],
)
def test_a_check_of_an_eportal(name: str, arguments: tuple[str, ...], state: str, both: Watched) -> None:
    """A check of an ePortal gives the same result in both ways, for any CVE, and needs no credentials of CLN."""
    direct = run_in_process(name, *both.direct("dc1"), *arguments)
    assert_same(direct, run_in_process(name, *both.through_exporter("dc1"), *arguments))
    assert direct.state == state, direct
    assert "Pl4nted" not in direct.output


@pytest.mark.parametrize("name", ["check_cln_eportal", "check_cln_cve"])
def test_an_eportal_that_refuses_the_api_key(name: str, both: Watched) -> None:
    """An ePortal that cannot be read is UNKNOWN in both ways, with the reason."""
    direct = run_in_process(name, *both.direct("dc2"))
    assert_same(direct, run_in_process(name, *both.through_exporter("dc2")))
    assert (direct.state, direct.perfdata) == ("UNKNOWN", {})
    assert "the API key: it is wrong or has expired (HTTP 401)" in direct.text


@pytest.mark.parametrize("name", ["check_cln_eportal", "check_cln_cve"])
def test_an_eportal_that_is_not_there_or_not_named(name: str, both: Watched) -> None:
    """An unknown or missing name of an ePortal, or that of an account, is reported with the known ones."""
    names = ", ".join(EPORTALS)
    for arguments, text in (
        (both.direct("fine"), f"--account: fine is an account, not an ePortal; known ePortals: {names}"),
        (both.direct("fine")[:2], f"the configuration has several ePortals; use --account with one of: {names}"),
        (both.through_exporter("fine"), f"fine is an account, not an ePortal; configured ePortals: {names}"),
        (both.through_exporter("")[:2], f"the exporter has several ePortals; use --account with one of: {names}"),
    ):
        outcome = run_in_process(name, *arguments)
        assert (outcome.state, outcome.text.endswith(text)) == ("UNKNOWN", True), outcome


@pytest.mark.parametrize("name", ["check_cln_eportal", "check_cln_cve"])
def test_an_eportal_as_processes(name: str, both: Watched) -> None:
    """A plugin of an ePortal that runs as a process gives the same result in both ways."""
    assert_same(run_plugin(name, *both.direct("dc1")), run_plugin(name, *both.through_exporter("dc1")))


@pytest.mark.parametrize("name", [*CHECKS, "check_cln_status"])
def test_as_processes(name: str, both: Watched) -> None:
    """A plugin that runs as a process gives the same result in both ways."""
    arguments = CHECKS.get(name, ())
    direct = run_plugin(name, *both.direct("mixed"), *arguments)
    assert_same(direct, run_plugin(name, *both.through_exporter("mixed"), *arguments))


def test_the_exporter_itself(both: Watched) -> None:
    """check_cln_exporter reports which probes are failing."""
    outcome = run_plugin("check_cln_exporter", "--exporter", both.url)
    assert outcome.state == "CRITICAL"
    assert outcome.text.startswith(
        "16 of 52 probes not OK: kernelcare of barred is failing, no data, never successful: reading /kcare/"
    )
    assert outcome.text.endswith(" and 13 more")
    assert outcome.perfdata["probes"].value == 52
    assert run_in_process("check_cln_exporter", "--exporter", both.url, "-a", "fine").state == "OK"
    outcome = run_in_process("check_cln_exporter", "--exporter", both.url, "-a", "bare")
    assert outcome.state == "WARNING"
    assert outcome.text.startswith(
        "1 of 7 probes not OK: ip_licenses of bare is failing, 1 of 2 parts missing: reading /ipl/server.json at "
    )
    outcome = run_in_process("check_cln_exporter", "--exporter", both.url, "-a", "nobody")
    assert outcome.text == "the exporter has no probe of account nobody"


@pytest.mark.parametrize("name", [*CHECKS, "check_cln_status"])
def test_an_account_that_is_not_there_or_not_named(name: str, both: Watched) -> None:
    """An unknown or missing account is reported with the known ones."""
    arguments = CHECKS.get(name, ())
    outcome = run_in_process(name, *both.through_exporter("nobody"), *arguments)
    assert outcome.state == "UNKNOWN"
    assert f"unknown account; configured accounts: {', '.join(ACCOUNTS)}" in outcome.text
    outcome = run_in_process(name, "--exporter", both.url, *arguments)
    if name == "check_cln_status":  # it is the same for all of them
        assert outcome.state == "OK"
        return
    names = ", ".join(sorted(ACCOUNTS))
    assert outcome.state == "UNKNOWN"
    assert outcome.text == f"the exporter has several accounts; use --account with one of: {names}"
