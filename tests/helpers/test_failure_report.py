"""The report of a failed test has the logs and exchanges of its programs."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from pathlib import Path

import pytest

from tests.helpers import failure_report, sources

ROOT = Path(__file__).parents[2]
RUNS = """
import contextlib, sys
from http.client import HTTPException
import pytest
from tests.helpers.certificates import Authority
from tests.helpers.scripted import ScriptedServer, answering, http_answer
from tests.helpers.running import Program, ask
from tests.helpers.small_cln import small_cln
from cln_monitor.simulator import Fault, serve

def program(folder, text, name="a.log"):
    started = Program([sys.executable, "-uc", text], folder / name)
    started.process.wait(20)
    return started
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Return an empty project with the plugin."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    pytester.makeconftest('pytest_plugins = ["tests.helpers.failure_report"]')
    return pytester


def sections(result: pytest.RunResult) -> dict[str, list[tuple[str, str]]]:
    """Return the title and the text of each section of the plugin, by test and phase."""
    found: dict[str, list[tuple[str, str]]] = {}
    for line in result.outlines:
        if heading := re.fullmatch(r"_+ (.+?) _+", line):
            found[current := heading[1]] = []
        elif title := re.fullmatch(r"-+ ((?:last \d+ of|\S+ of \S+, process).+?) -+", line):
            found[current].append((title[1], ""))
        elif line.startswith("="):
            current = "the end"
            found.setdefault(current, [])
        elif found and found[current]:
            head, text = found[current].pop()
            found[current].append((head, f"{text}{line}\n"))
    return {test: parts for test, parts in found.items() if test != "the end"}


@pytest.mark.processes
def test_a_log(project: pytest.Pytester) -> None:
    """The log of a program is in the report of its failed test, with how it ended, and in no other report."""
    project.makepyfile(
        RUNS
        + """
def test_passes(tmp_path): program(tmp_path, "print('of the one that passed')").stop()

def test_fails(tmp_path):
    program(tmp_path, "import sys; print('first'); print('\\\\x1b[31mred'); sys.exit(7)").stop()
    program(tmp_path, "print('second, to the same file')")
    assert 0
"""
    )
    result = project.runpytest("-rA")
    result.assert_outcomes(passed=1, failed=1)
    assert "of the one that passed" not in result.stdout.str()
    (first, second) = sections(result)["test_fails"]
    assert re.fullmatch(rf"a\.log of {Path(sys.executable).name}, process \d+, ended with 7", first[0])
    assert first[1] == "first\n\\x1b[31mred\n"
    assert second[0].endswith("ended with 0")
    assert second[1] == "second, to the same file\n"


@pytest.mark.processes
def test_a_long_log(project: pytest.Pytester) -> None:
    """A long log is cut to its last 200 lines, and to its last 64 KiB."""
    project.makepyfile(
        RUNS
        + """
def test_fails(tmp_path):
    program(tmp_path, "[print('line', n) for n in range(1000)]")
    program(tmp_path, "print('x' * (1 << 20)); print('the end')", "b.log")
    assert 0
"""
    )
    lines, wide = (text for _, text in sections(project.runpytest())["test_fails"])
    assert lines.splitlines() == ["[what came before is left out]", *(f"line {n}" for n in range(800, 1000))]
    assert wide.endswith("x\nthe end\n")
    assert len(wide) < 1.1 * sources.LOG_BYTES


def test_exchanges(project: pytest.Pytester) -> None:
    """The last exchanges of a simulated CLN are in the report, including those with faults."""
    project.makepyfile(
        RUNS
        + """
def test_fails():
    simulator = small_cln()
    with serve(simulator) as served:
        ask(served.url + "/status.json", headers={"Accept-Encoding": "identity"})
        simulator.clear_requests()
        with contextlib.suppress(UnicodeDecodeError):
            ask(served.url + "/status.json", headers={"Accept-Encoding": "gzip"})
        ask(served.url + "/nowhere/at/all?" + "x" * 999)
        simulator.faults.add(Fault("garbage"))
        with pytest.raises((OSError, HTTPException)): ask(served.url + "/status.json")
        simulator.faults.clear(); simulator.faults.add(Fault("reset"))
        with pytest.raises((OSError, HTTPException)): ask(served.url + "/status.json")
        assert 0
"""
    )
    ((title, text),) = sections(project.runpytest())["test_fails"]
    assert re.fullmatch(r"last 5 of 5 exchanges of the simulated CLN on port \d+", title)
    plain, zipped, unknown, garbage, reset = text.splitlines()
    assert plain.startswith("GET /api/status.json -> 200: {")
    assert zipped == plain
    assert re.match(r"GET /api/nowhere/at/all\?x+… -> 404: <!DOCTYPE html>\\n<html>", unknown)
    assert len(unknown) < 700
    assert garbage.startswith("GET /api/status.json -> not HTTP: SSH-2.0-OpenSSH_9.6\\r\\n\\x00")
    assert reset == "GET /api/status.json -> no answer"


@pytest.mark.parametrize("tls", ["None", "Authority(tmp_path).server_context('localhost')"])
def test_exchanges_of_a_scripted_server(tls: str, project: pytest.Pytester) -> None:
    """The last 20 exchanges of a scripted server are in the report, with TLS too."""
    project.makepyfile(
        RUNS
        + f"""
import http.client, ssl

def test_fails(tmp_path):
    tls = {tls}
    with ScriptedServer(answering(http_answer(b"y" * 9999)), tls=tls) as server:
        if tls is None: client = http.client.HTTPConnection("127.0.0.1", server.port)
        else: client = http.client.HTTPSConnection("127.0.0.1", server.port, context=ssl._create_unverified_context())
        with contextlib.closing(client):
            for number in range(30):
                client.request("GET", f"/{{number}}")
                client.getresponse().read()
    assert 0
"""
    )
    ((title, text),) = sections(project.runpytest())["test_fails"]
    assert re.fullmatch(r"last 20 of 30 exchanges of the scripted server on port \d+", title)
    assert text.splitlines() == [f"GET /{number} -> 200: {'y' * 300}…" for number in range(10, 30)]


def test_exchanges_of_other_tests(project: pytest.Pytester) -> None:
    """For a shared server, the report has only the exchanges of the failed test."""
    project.makepyfile(
        RUNS
        + """
@pytest.fixture(scope="module")
def url():
    with serve(small_cln()) as served: yield served.url

def test_passes(url): ask(url + "/passes")
def test_silent(url): assert 0
def test_fails(url): ask(url + "/fails"); assert 0
"""
    )
    found = sections(project.runpytest())
    assert found["test_silent"] == []
    ((title, text),) = found["test_fails"]
    assert title.startswith("last 1 of 1 exchanges")
    assert text.startswith("GET /api/fails -> 404: ")


FIXTURES = (
    RUNS
    + """
@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    started = program(tmp_path_factory.mktemp("shared"), "print('shared')")
    yield started
    started.stop()

@pytest.fixture(scope="module")
def other(tmp_path_factory):
    started = program(tmp_path_factory.mktemp("other"), "print('other')")
    yield started
    started.stop()

@pytest.fixture
def uses(shared): return shared

@pytest.fixture
def broken(tmp_path):
    program(tmp_path, "print('broken')").stop()
    raise RuntimeError

@pytest.fixture
def breaks_later(tmp_path):
    yield
    program(tmp_path, "print('at the end')").stop()
    raise RuntimeError

def test_passes(shared, other): pass
def test_uses(uses): assert 0
def test_asks(request): request.getfixturevalue("shared"); assert 0
def test_own(tmp_path): program(tmp_path, "print('own')").stop(); assert 0
def test_alone(): assert 0
def test_broken(broken): pass
def test_breaks_later(breaks_later): pass
@pytest.mark.xfail
def test_expected(tmp_path): program(tmp_path, "print('expected')").stop(); assert 0
"""
)
EXPECTED = {
    "test_uses": ["shared\n"],
    "test_asks": ["shared\n"],
    "test_own": ["own\n"],
    "test_alone": [],
    "ERROR at setup of test_broken": ["broken\n"],
    "ERROR at teardown of test_breaks_later": ["at the end\n"],
}


@pytest.mark.processes
def test_log_of_each_phase(project: pytest.Pytester) -> None:
    """A report has the sources of the test and its fixtures for each phase, and none of other tests."""
    project.makepyfile(FIXTURES)
    result = project.runpytest()
    assert {test: [text for _, text in parts] for test, parts in sections(result).items()} == EXPECTED
    assert "expected\n" not in result.stdout.str()


@pytest.mark.processes
@pytest.mark.skipif(importlib.util.find_spec("xdist") is None, reason="pytest-xdist is not installed")
def test_over_xdist(project: pytest.Pytester) -> None:
    """Reports of tests in another process have the same sections."""
    project.makepyfile(FIXTURES)
    result = project.runpytest_subprocess("-p", "xdist", "-n", "1")
    reported = {test: [text for _, text in parts] for test, parts in sections(result).items()}
    assert reported == EXPECTED


@pytest.mark.processes
def test_the_most_sections(project: pytest.Pytester) -> None:
    """With many programs, the report has the running ones and the last ones started."""
    project.makepyfile(
        RUNS
        + """
def test_fails(tmp_path):
    program(tmp_path, "print('lives')", "b.log")
    for number in range(15): program(tmp_path, f"print({number})").stop()
    assert 0
"""
    )
    texts = [text for _, text in sections(project.runpytest())["test_fails"]]
    assert texts == [*(f"{number}\n" for number in range(16 - failure_report.SECTIONS, 15)), "lives\n"]
