"""The runner of probes: times, and an outcome in every case."""

from __future__ import annotations

import _thread
import logging
import random
import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from cln_monitor.cln import (
    BadAnswerError,
    ClnError,
    Credentials,
    InvalidArgumentError,
    ReadOnlyClient,
    RefusedError,
    Secret,
    Threads,
    TimedOutError,
    UnreachableError,
    mask_key,
)
from cln_monitor.probes import (
    PROBES,
    Failure,
    Missing,
    Observation,
    Part,
    ProbeSettings,
    Progress,
    run_probe,
)
from cln_monitor.probes.probe import Plan, ProbeContext, Reading
from cln_monitor.probes.status import StatusSettings
from cln_monitor.simulator import Fault
from tests.helpers.clock import NOW

from .conftest import LOGIN, SECRET_KEY, Cln

MISSED = "not attempted after 8 consecutive requests without a response; last: "


@dataclass
class Scripted:
    """A probe with given readers; ``readers`` are by name of the part."""

    readers: dict[str, Callable[[], object]]
    missing: tuple[Missing, ...] = ()
    error: Exception | None = None
    read: dict[str, object] = field(default_factory=dict)

    name: str = "scripted"
    settings: type[ProbeSettings] = StatusSettings
    per_account: bool = True
    is_sharded: bool = True

    def plan(self, _: ProbeContext) -> Plan[object]:
        """Return the readers, or raise the error."""
        if self.error is not None:
            raise self.error
        readers = {name: _reading(read) for name, read in self.readers.items()}
        read = {name: Reading(value) for name, value in self.read.items()}
        return Plan(readers, self.missing, read, list_known=not self.missing)


def _reading(read: Callable[[], object]) -> Callable[[], Reading[object]]:
    return lambda: Reading(read())


def raising(error: Exception) -> Callable[[], object]:
    """Return a reader that raises ``error``."""

    def read() -> object:
        raise error

    return read


def test_parts_and_times(cln: Cln) -> None:
    """Each part has its own time, the observation the end of the run, and the run its start."""

    def slowly() -> str:
        cln.clock.advance(10)
        return "b"

    run = cln.run(Scripted({"a": lambda: "a", "b": slowly, "c": lambda: "c"}))
    assert run.observation.parts == (
        Part("a", NOW, "a"),
        Part("b", NOW + 10, "b", 10.0),
        Part("c", NOW + 10, "c", 10.0),
    )
    assert (run.started_at, run.duration, run.observation.observed_at) == (NOW, 10, NOW + 10)
    assert (run.failure, run.observation.missing, run.observation.list_known) == (None, (), True)
    assert (run.observation.probe, run.observation.account, run.observation.api) == ("scripted", "acme", cln.client.api)


def test_secrets_are_known_before_anything_is_read(cln: Cln) -> None:
    """The current monitoring keys are redacted from the start of a run."""
    keys = [Secret("0ldMonitoringKey001")]
    sources = Credentials(LOGIN, lambda: Secret(SECRET_KEY), monitoring_keys=lambda: keys)
    cln.client = ReadOnlyClient.over(cln.client._caller.transport, sources)
    keys[0] = Secret("N3wMonitoringKey001")
    run = cln.run(Scripted({"a": lambda: cln.client.scrub("its note: N3wMonitoringKey001")}))
    assert run.observation.parts[0].value == f"its note: {mask_key('N3wMonitoringKey001')}"


def test_parts_come_in_the_order_of_the_plan(cln: Cln) -> None:
    """Parts are in the order of the plan."""
    first_is_done = threading.Event()

    def wait() -> str:
        assert first_is_done.wait(5)
        return "a"

    with ThreadPoolExecutor(2) as pool:
        probe = Scripted({"a": wait, "b": first_is_done.set})
        run = run_probe(probe, cln.source(probe), pool, cln.clock)
    assert [part.name for part in run.observation.parts] == ["a", "b"]


def test_parts_are_read_in_an_order_that_no_run_repeats(cln: Cln) -> None:
    """The default order is another one in each run, so that an interrupted one does not always read the same parts."""

    def order() -> tuple[str, ...]:
        read: list[str] = []
        probe = Scripted({str(name): partial(read.append, str(name)) for name in range(30)})
        random.seed(7)  # a program that seeds the shared generator, or starts again in the same state
        run_probe(probe, cln.source(probe), cln.pool, cln.clock)
        return tuple(read)

    orders = {order() for _ in range(3)}
    assert len(orders) == 3
    assert {tuple(sorted(names)) for names in orders} == {tuple(sorted(map(str, range(30))))}


def test_the_progress_of_a_run(cln: Cln) -> None:
    """A run begins when its list has been read, and each part is added as soon as it has been read."""
    begun: list[tuple[Observation[object], Collection[str]]] = []
    added: list[list[str]] = []

    def begin(start: Observation[object], names: Collection[str]) -> Progress[object]:
        begun.append((start, names))
        progress = Progress(start, names)
        for name in names:
            probe.readers[name] = lambda: added.append([part.name for part in progress.observation().parts])
        return progress

    probe = Scripted({"b": lambda: None, "a": lambda: None}, read={"list": 1})
    probe.readers |= {name: partial(lambda name: probe.readers[name](), name) for name in ("b", "a")}
    run_probe(probe, cln.source(probe), cln.pool, cln.clock, order=list, begin=begin)
    ((start, names),) = begun
    assert ([part.name for part in start.parts], list(names), start.list_known) == (["list"], ["b", "a"], True)
    assert added == [["list"], ["list", "b"]]


def test_one_part_that_fails_does_not_lose_the_others(cln: Cln) -> None:
    """A failed part is missing with its reason, and the others are read."""
    run = cln.run(Scripted({"a": lambda: 1, "b": raising(RefusedError("no")), "c": lambda: 3}))
    assert [part.name for part in run.observation.parts] == ["a", "c"]
    assert run.observation.missing == (Missing("b", Failure("refused", "no")),)
    assert run.failure == Failure("refused", "no")


def test_what_the_plan_misses_already(cln: Cln) -> None:
    """Missing parts of the plan come first."""
    gone = Missing("", Failure("auth", "no list"))
    run = cln.run(Scripted({"a": lambda: 1, "b": raising(RefusedError("no"))}, (gone,)))
    assert run.observation.missing == (gone, Missing("b", Failure("refused", "no")))
    assert not run.observation.list_known


def test_what_came_with_the_plan(cln: Cln) -> None:
    """Parts that came with the list have its time and precede the others."""

    def slowly() -> str:
        cln.clock.advance(10)
        return "b"

    run = cln.run(Scripted({"b": slowly, "c": raising(RefusedError("no"))}, read={"a": "a"}))
    assert run.observation.parts == (Part("a", NOW, "a"), Part("b", NOW + 10, "b", 10.0))


@pytest.mark.parametrize(
    "error",
    [UnreachableError("gone"), TimedOutError("late"), BadAnswerError("html"), RefusedError("no")],
    ids=lambda error: error.reason,
)
def test_no_plan(error: ClnError, cln: Cln) -> None:
    """A failed plan leaves all parts unknown."""
    observation = cln.run(Scripted({}, error=error)).observation
    assert observation.missing == (Missing("", Failure(error.reason, str(error))),)
    assert (observation.parts, observation.list_known) == ((), False)


@pytest.mark.parametrize("error", [ValueError("oops"), KeyError("oops"), OSError(5, "oops"), RecursionError("oops")])
def test_a_bug_of_ours_is_a_failure(error: Exception, cln: Cln, caplog: pytest.LogCaptureFixture) -> None:
    """An internal error is a failure with a traceback in the log."""
    run = cln.run(Scripted({"a": lambda: 1, "b": raising(error)}))
    text = f"internal error; see the log, and please report it: {type(error).__name__}: {error}"
    assert run.observation.missing == (Missing("b", Failure("bad_answer", text)),)
    assert [part.name for part in run.observation.parts] == ["a"]
    assert caplog.records[-1].levelno == logging.ERROR
    assert caplog.records[-1].exc_info is not None
    planned = cln.run(Scripted({}, error=error))
    assert planned.observation.missing == (Missing("", Failure("bad_answer", text)),)


def test_an_argument_that_cannot_be_sent(cln: Cln, caplog: pytest.LogCaptureFixture) -> None:
    """A key that cannot be sent is refused and not logged as an internal error."""
    failure = Failure("refused", "request not sent: key: is none")
    run = cln.run(Scripted({"a": lambda: 1, "b": raising(InvalidArgumentError("key", "is none"))}))
    assert run.observation.missing == (Missing("b", failure),)
    assert run.failure == failure
    assert [part.name for part in run.observation.parts] == ["a"]
    planned = cln.run(Scripted({}, error=InvalidArgumentError("key", "is none")))
    assert planned.observation.missing == (Missing("", failure),)
    assert caplog.records == []


@pytest.mark.parametrize(
    ("name", "key"), [("kernelcare", "odd key/"), ("imunify", "odd/key "), ("patch_status", "odd key/")]
)
def test_odd_keys_of_a_list(name: str, key: str, cln: Cln) -> None:
    """Any key that CLN lists is requested."""
    cln.account.add_kernelcare_key("odd key/1").add_server("one")
    cln.account.add_kernelcare_key("odd key/2")
    cln.account.add_imunify_key("odd/key 1").add_server("two")
    cln.account.add_imunify_key("odd/key 2")
    run = cln.run(PROBES[name])
    assert (run.failure, run.observation.missing) == (None, ())
    assert {part.name for part in run.observation.parts} >= {f"{key}1", f"{key}2"}


def test_keys_of_a_list_that_would_be_another_call(cln: Cln) -> None:
    """A key that would change the path of a call is not sent and is a failure."""
    cln.account.add_kernelcare_key("register_key.plain").add_server()
    cln.account.add_kernelcare_key("WEBKEY0000000001").add_server()
    run = cln.run(PROBES["patch_status"], scopes=["key"])
    assert [part.name for part in run.observation.parts] == ["WEBKEY0000000001"]
    (missing,) = run.observation.missing
    assert (missing.name, missing.failure.reason) == ("register_key.plain", "refused")
    assert missing.failure.text.startswith("request not sent: key: not allowed: it would give the path of another call")
    assert [path for path in cln.asked() if "register" in path] == []


def test_a_bug_of_ours_shows_no_secret(cln: Cln) -> None:
    """The text of an internal error is redacted."""
    cln.client.kernelcare.keys()  # from now on the client knows its secret
    run = cln.run(Scripted({"a": raising(ValueError(f"it is {SECRET_KEY}"))}))
    assert run.failure is not None
    assert run.failure.text.endswith("ValueError: it is <secret>")


class TestOutage:
    """An outage stops a run, so that not every key has to time out."""

    @pytest.fixture(autouse=True)
    def _silent(self, cln: Cln) -> None:
        cln.simulator.faults.add(Fault("reset", "/status.*"))

    @pytest.mark.parametrize("error", [UnreachableError("gone"), TimedOutError("late")], ids=["unreachable", "timeout"])
    def test_it_stops_after_eight_unanswered_calls(self, error: ClnError, cln: Cln) -> None:
        """A run stops after eight consecutive calls without a response."""
        run = cln.run(Scripted({str(number): raising(error) for number in range(20)}))
        tried, not_tried = run.observation.missing[:8], run.observation.missing[8:]
        assert {missing.failure for missing in tried} == {Failure(error.reason, str(error))}
        assert {missing.failure for missing in not_tried} == {Failure(error.reason, f"{MISSED}{error}")}
        assert [missing.name for missing in run.observation.missing] == [str(number) for number in range(20)]

    @pytest.mark.parametrize(
        "relief",
        [
            pytest.param(lambda: 1, id="an-answer"),
            pytest.param(raising(RefusedError("no")), id="a-refusal"),
            pytest.param(raising(BadAnswerError("html")), id="a-bad-answer"),
        ],
    )
    def test_any_answer_ends_the_count(self, relief: Callable[[], object], cln: Cln) -> None:
        """A single response resets the count."""
        silence = raising(TimedOutError("late"))
        readers = {f"{half}{number}": silence for half in "ab" for number in range(7)}
        run = cln.run(Scripted(dict(sorted((readers | {"az": relief}).items()))))
        assert not [missing for missing in run.observation.missing if missing.failure.text.startswith(MISSED)]
        assert len(run.observation.missing) >= 14

    def test_it_ends_with_the_run(self, cln: Cln) -> None:
        """The next run tries all parts again."""
        probe = Scripted({str(number): raising(TimedOutError("late")) for number in range(9)})
        assert cln.run(probe).failure is not None
        probe.readers = {"1": lambda: 1}
        assert cln.run(probe).failure is None

    def test_over_the_wire(self, cln: Cln) -> None:
        """Eight reset connections stop a run with any number of keys."""
        for _ in range(30):
            cln.account.add_kernelcare_key()
        cln.simulator.faults.add(Fault("reset", "/kcare/key/servers.json"))
        run = cln.run(PROBES["kernelcare"])
        assert run.failure is not None
        assert run.failure.reason == "unreachable"
        assert len(run.observation.missing) == 30
        assert cln.asked().count("/kcare/key/servers.json") == 8 * 3 + 1
        # Each is tried three times, and the first of all once more, as it went over the connection of the list.

    def test_some_silent_keys_are_no_outage(self, cln: Cln) -> None:
        """A run continues if CLN returns its status."""
        cln.simulator.faults.clear()
        silence = raising(TimedOutError("late"))
        readers = {f"silent{number}": silence for number in range(20)} | {"last": lambda: 1}
        run = cln.run(Scripted(readers))
        assert [part.name for part in run.observation.parts] == ["last"]
        assert {missing.failure.text for missing in run.observation.missing} == {"late"}
        assert cln.asked().count("/status.json") == 2

    def test_nothing_but_silence_ends_when_the_next_run_is_due(self, cln: Cln) -> None:
        """A run without responses ends when the next run is due."""
        cln.simulator.faults.clear()

        def slowly() -> object:
            cln.clock.advance(2)
            raise TimedOutError("late")

        run = cln.run(Scripted({str(number): slowly for number in range(40)}), interval=30.0)
        tried = [missing for missing in run.observation.missing if not missing.failure.text.startswith(MISSED)]
        assert len(tried) == 16


def test_the_pool_bounds_how_many_parts_are_read_at_a_time(cln: Cln) -> None:
    """The pool and the current thread bound the number of concurrent readers."""
    meeting = threading.Barrier(3)
    with ThreadPoolExecutor(2) as pool:
        probe = Scripted({str(number): lambda: meeting.wait(5) for number in range(6)})
        run = run_probe(probe, cln.source(probe), pool, cln.clock)
    assert run.failure is None


def test_who_is_interrupted_leaves_the_rest_unread(cln: Cln) -> None:
    """An interrupted run does not read further parts."""
    read: list[int] = []
    begun, interrupted = threading.Event(), threading.Event()
    me = threading.get_ident()

    def slowly() -> None:
        if threading.get_ident() == me:
            assert begun.wait(5)
            raise KeyboardInterrupt
        read.append(1)
        begun.set()
        assert interrupted.wait(5)

    with ThreadPoolExecutor(1) as pool:
        probe = Scripted({str(number): slowly for number in range(20)})
        with pytest.raises(KeyboardInterrupt):
            run_probe(probe, cln.source(probe), pool, cln.clock)
        interrupted.set()
    assert read == [1]


@pytest.mark.parametrize("what", ["none can be started", "one can be started", "one dies", "shut down"])
def test_threads_that_cannot_be_had(what: str, cln: Cln, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run without threads reads all parts in the current thread."""
    left = [1] if what == "one can be started" else []
    start = _thread.start_new_thread

    def start_if_any_is_left(*args: Any) -> int:
        if what == "one dies":
            return 0
        if not left:
            raise RuntimeError("can't start new thread")
        left.clear()
        return start(*args)

    monkeypatch.setattr(_thread, "start_new_thread", start_if_any_is_left)
    pool = Threads(3)
    if what == "shut down":
        pool.shutdown()
    idents = set()

    def read() -> str:
        idents.add(threading.get_ident())
        return "read"

    probe = Scripted({str(number): read for number in range(9)})
    run = run_probe(probe, cln.source(probe), pool, cln.clock)
    assert [part.name for part in run.observation.parts] == [str(number) for number in range(9)]
    assert run.failure is None
    assert len(idents - {threading.get_ident()}) <= (what == "one can be started")
    pool.shutdown()


@pytest.mark.parametrize("faults", [[], [Fault("html")], [Fault("status", status=500)]], ids=["good", "html", "500"])
def test_only_reads_are_sent(faults: list[Fault], cln: Cln) -> None:
    """Probes send only GET requests of reading calls, for any response."""
    cln.account.add_kernelcare_key("WEBKEY0000000001").add_server()
    cln.account.add_kernelcare_key("EMPTYKEY00000001")
    cln.account.add_imunify_key("IMKEY00000000001").add_server()
    cln.account.add_group("web")
    for fault in faults:
        cln.simulator.faults.add(fault)
    for probe in PROBES.values():
        cln.run(probe)
    assert {request.method for request in cln.simulator.requests} == {"GET"}
    reads = (
        "/status.",
        "/kcare/key/list.json",
        "/kcare/key/servers.json",
        "/kcare/nagios/WEBKEY",
        "/kcare/nagios/EMPTYKEY",
        "/kcare/nagios-res/acme_login/",
        "/im/key/list.json",
        "/im/srv/list.json",
        "/ipl/list.json",
        "/ipl/server.json",
        "/els/key/list.json",
        "/els/srv/list.json",
        "/group/list.json",
        "/group/servers/list.json",
        "/cl/awp",
        "/v2/cl/keys",
        "/v2/cl/servers",
    )
    assert [request.path for request in cln.simulator.requests if not request.path.startswith(reads)] == []


def test_a_run_is_immutable(cln: Cln) -> None:
    """A run is immutable."""
    run: Any = cln.run(Scripted({"a": lambda: 1}))
    with pytest.raises(AttributeError):
        run.duration = 0
