"""Results are local checks in one spool file, which is always complete and not older than its name says."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from cln_monitor.feed.sinks import Delivery, Outcome
from cln_monitor.feed.sinks.checkmk import CheckmkSink, Settings, local_check
from tests.feed.sinks.local_checks import read_spool
from tests.feed.sinks.results import LONG, NINE_KB, result

DELIVERED = Outcome(Delivery.DELIVERED)


def sink(directory: Path, *, piggyback: bool = False) -> CheckmkSink:
    """Return a sink for a spool directory."""
    return CheckmkSink(Settings(spool_directory=str(directory), piggyback=piggyback))


def test_results_are_local_checks(tmp_path: Path) -> None:
    """State, name, metrics without units, levels and the output with its lines arrive in Checkmk."""
    now = time.time()
    results = [result("Kernel Care; 1"), result("im", "OK - x", "", state=0), result("big", NINE_KB, state=2)]
    assert sink(tmp_path).send(results, now=now, ttl=180.0) == [DELIVERED] * 3
    first, second, third = read_spool(tmp_path, now)
    assert (first.host, first.state, first.service) == ("", "1", "Kernel Care; 1")
    assert first.text == LONG.replace("\\n", "\\ n")
    assert first.metrics == {
        "servers": ("93", "", "", "0"),
        "stale": ("7", "", "", "0"),
        "oldest_checkin": ("345600", "86400", "", "0"),
        "limit_usage": ("93", "90", "100", "0"),
        "key_a_b": ("1", "10:20"),
    }
    assert (second.state, second.metrics, second.text) == ("0", {}, "OK - x")
    assert (third.state, third.text) == ("2", NINE_KB)
    (file,) = tmp_path.iterdir()
    assert (file.name, file.stat().st_mode & 0o777) == ("180_cln_feed", 0o640)


@pytest.mark.parametrize(
    ("perfdata", "metrics"),
    [
        ("a=1s;10:;:5;0;9", "a=1;10:;5;0;9"),
        ("a=1;~:10;5:~", "a=1;10"),
        ("a=1.5e3B;10:20;@1:2;x;-1", "a=1.5e3;10:20;;;-1"),
        ("a=U 'b''c=d'=2%", "b_c_d=2"),
        ("", "-"),
    ],
)
def test_perfdata(perfdata: str, metrics: str) -> None:
    """Ranges are levels, what Checkmk cannot express is left out, and an item without a number is no metric."""
    assert local_check(result(output="OK - x", perfdata=perfdata)) == f'1 "kernelcare" {metrics} OK - x'


def test_a_change_keeps_the_other_services(tmp_path: Path) -> None:
    """A file has the newest result of each service that was sent, until that is too old."""
    spool = sink(tmp_path)
    spool.send([result("a"), result("b")], now=1000.0, ttl=180.0)
    spool.send([result("b", state=2)], now=1100.0, ttl=180.0)
    assert [(check.service, check.state) for check in read_spool(tmp_path, 0.0)] == [("a", "1"), ("b", "2")]
    spool.send([result("c")], now=1181.0, ttl=180.0)
    assert [check.service for check in read_spool(tmp_path, 0.0)] == ["b", "c"]


def test_the_age_is_in_the_name(tmp_path: Path) -> None:
    """The agent ignores the file after the time to live; a file with another age is replaced."""
    now = time.time()
    (tmp_path / "60_cln_feed").write_text("<<<local>>>\n")
    (tmp_path / "60_other").write_text("<<<local>>>\n")
    sink(tmp_path).send([result()], now=now, ttl=90.5)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["60_other", "90_cln_feed"]
    assert len(read_spool(tmp_path, now + 60)) == 1
    assert read_spool(tmp_path, now + 120) == []


def test_services_of_several_hosts(tmp_path: Path) -> None:
    """Without piggyback a service name is that of one host; with it each service belongs to its host."""
    now = time.time()
    results = [result("a", host="h1"), result("a", host="h2"), result("b", host="h2")]
    outcomes = sink(tmp_path).send(results, now=now, ttl=180.0)
    problem = "Checkmk: 'h2!a': 'h1' has a service of that name, too; set piggyback: true"
    assert outcomes == [DELIVERED, Outcome(Delivery.REFUSED, problem), DELIVERED]
    assert sink(tmp_path).check(results) == [problem]
    assert sink(tmp_path, piggyback=True).send(results, now=now, ttl=180.0) == [DELIVERED] * 3
    found = [(check.host, check.service) for check in read_spool(tmp_path, now)]
    assert found == [("h1", "a"), ("h2", "a"), ("h2", "b")]


@pytest.mark.parametrize("name", ["", " ", 'a"b', "it's", "a\nb"])
def test_names(tmp_path: Path, name: str) -> None:
    """A service name that Checkmk cannot read is refused; the others are delivered."""
    refused, delivered = sink(tmp_path).send([result(name), result("b")], now=1000.0, ttl=180.0)
    assert refused.delivery is Delivery.REFUSED
    assert "must not be empty, or contain a quote or a line end" in refused.reason
    assert delivered == DELIVERED
    assert sink(tmp_path).check([result(name)]) == [refused.reason]


def test_host_names_of_piggyback(tmp_path: Path) -> None:
    """A host name that would end its section is refused."""
    (outcome,) = sink(tmp_path, piggyback=True).send([result(host="a>>>>")], now=1000.0, ttl=180.0)
    assert outcome.delivery is Delivery.REFUSED
    assert "only letters, digits and -_." in outcome.reason


def test_a_missing_directory(tmp_path: Path) -> None:
    """A directory that is missing is a problem of the configuration, and a failure of each result."""
    missing = tmp_path / "none"
    problem = f"{missing} is not a directory: is the Checkmk agent installed?"
    assert list(Settings(spool_directory=str(missing)).problems()) == [("spool_directory", problem)]
    spool = sink(missing)
    failed = Outcome(Delivery.FAILED, f"{missing}: No such file or directory")
    assert spool.send([result()], now=1000.0, ttl=180.0) == [failed]
    assert spool.check([result()]) == [f"{missing}: no permission to write files there, or not a directory"]
    missing.mkdir()
    assert list(Settings(spool_directory=str(missing)).problems()) == []
    assert spool.send([result()], now=1000.0, ttl=180.0) == [DELIVERED]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    """If the new file cannot be written, the old one stays as it is, and no part of a file remains."""
    spool = sink(tmp_path)
    spool.send([result("a")], now=1000.0, ttl=180.0)
    before = (tmp_path / "180_cln_feed").read_bytes()
    (tmp_path / ".cln_feed.tmp").mkdir()
    (outcome,) = spool.send([result("b")], now=1000.0, ttl=180.0)
    assert outcome.delivery is Delivery.FAILED
    assert (tmp_path / "180_cln_feed").read_bytes() == before


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """A link in place of the temporary file is replaced, not written through."""
    victim = tmp_path / "victim"
    victim.write_text("mine")
    spool = tmp_path / "spool"
    spool.mkdir()
    (spool / ".cln_feed.tmp").symlink_to(victim)
    assert sink(spool).send([result()], now=1000.0, ttl=180.0) == [DELIVERED]
    assert victim.read_text() == "mine"


def test_a_directory_that_cannot_be_read(tmp_path: Path) -> None:
    """A spool directory whose name the system refuses is a problem of the configuration."""
    long = str(tmp_path / ("a" * 300))
    assert list(Settings(spool_directory=long).problems()) == [
        ("spool_directory", f"{long} cannot be read: File name too long")
    ]


def test_a_clock_that_is_set_back(tmp_path: Path) -> None:
    """Results of a time that has not come yet are dropped: else a removed service would stay until then."""
    spool = sink(tmp_path)
    spool.send([result("removed")], now=90_000.0, ttl=180.0)
    spool.send([result("b")], now=3600.0, ttl=180.0)
    spool.send([result("c")], now=3601.0, ttl=180.0)
    assert [line.split('"')[1] for line in (tmp_path / "180_cln_feed").read_text().splitlines()[1:]] == ["b", "c"]
