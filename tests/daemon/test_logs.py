"""Tests of the log: one line per event, machine-readable, and without secrets."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
import warnings
from collections.abc import Callable, Iterator

import pytest
import structlog
from hypothesis import given
from hypothesis import settings as example_settings
from hypothesis import strategies as st

from cln_monitor.cln import Redactor
from cln_monitor.daemon.log_levels import FORMATS, LEVELS
from cln_monitor.daemon.logs import _logfmt, set_up_logs

Read = Callable[[], list[dict[str, str]]]

_PAIR = re.compile(r'(?P<name>[^ ="]+)=(?:(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<bare>[^ ="\\]*))(?: |$)')


def read_logfmt(line: str) -> dict[str, str]:
    """Parse a line of logfmt: bare words, or values quoted as in JSON."""
    pairs, end = {}, 0
    while end < len(line):
        pair = _PAIR.match(line, end)
        assert pair is not None, line[end:]
        pairs[pair["name"]] = json.loads(pair["quoted"]) if pair["quoted"] else pair["bare"]
        end = pair.end()
    return pairs


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """Restore the logging configuration of the process after the test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers, root.level = handlers, level
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@pytest.fixture
def redactor() -> Redactor:
    """A redactor of the planted secrets."""
    redactor = Redactor()
    for secret in ("pl4nted-secret", 'pl4nted "quoted" \\ ünd', "pl4nted\nof two lines"):
        redactor.hide(secret)
    return redactor


def set_up(level: str, log_format: str, redactor: Redactor) -> io.StringIO:
    """Set up logging, and return the stream that replaces stderr."""
    set_up_logs(level, log_format, redactor)
    (handler,) = logging.getLogger().handlers
    assert isinstance(handler, logging.StreamHandler)
    assert handler.stream is sys.stderr
    stream = io.StringIO()
    handler.setStream(stream)
    return stream


@pytest.fixture(params=FORMATS)
def read(request: pytest.FixtureRequest, redactor: Redactor) -> Read:
    """Set up logging in each format, and return a function that parses the lines written so far."""
    stream = set_up("info", request.param, redactor)

    def read() -> list[dict[str, str]]:
        lines = stream.getvalue().split("\n")
        assert lines.pop() == ""
        if request.param == "json":
            return [{name: _text(value) for name, value in json.loads(line).items()} for line in lines]
        return [read_logfmt(line) for line in lines]

    return read


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def test_a_line(read: Read) -> None:
    """A line has the time, the level and the message first, then the fields of the event."""
    structlog.get_logger("cln_monitor.test").info("probe succeeded", account="acme", seconds=0.25, parts=3, ok=True)
    (line,) = read()
    assert list(line)[:3] == ["ts", "level", "msg"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", line.pop("ts"))
    assert line == {
        "level": "info",
        "msg": "probe succeeded",
        "account": "acme",
        "seconds": "0.25",
        "parts": "3",
        "ok": "true",
        "logger": "cln_monitor.test",
    }


@pytest.mark.parametrize(
    "value",
    [
        "",
        "two words",
        'say "hi"',
        "a=b",
        "back\\slash",
        "back\\slash and blank",
        "line one\nline two\r\nthree",
        "tab\tbell\x07escape\x1b[31m",
        "c1 \x9b31m",
        "separator \u2028 override \u202e",
        "Köln クラウド 🚀",
        "\\n",
        'ends with backslash\\"',
        "level=error msg=forged",
        "lone \ud800 surrogate",
    ],
    ids=ascii,
)
def test_any_value_stays_on_its_line(value: str, read: Read) -> None:
    """Any value stays on one line and can be parsed back."""
    structlog.get_logger("test").warning("event", value=value)
    (line,) = read()
    assert line["value"] == value
    assert line["level"] == "warning"


@example_settings(max_examples=100)
@given(st.text(max_size=20), st.text(max_size=20))
def test_any_text_is_read_back_from_logfmt(one: str, two: str) -> None:
    """Any text can be parsed back from logfmt, which never has control characters."""
    line = _logfmt(None, "", {"one": one, "two": two})
    assert read_logfmt(line) == {"one": one, "two": two}
    assert line.isprintable()


def test_secrets_in_values(read: Read) -> None:
    """Secrets in messages and values are redacted, even if the line escapes them or the value is not a string."""
    secrets = ["pl4nted-secret", 'pl4nted "quoted" \\ ünd', "pl4nted\nof two lines"]
    for secret in secrets:
        structlog.get_logger("test").info(f"it is {secret}", value=f"<{secret}>", more=[secret], deep={"a": (secret,)})
    lines = read()
    assert len(lines) == 3
    for line in lines:
        assert "pl4nted" not in str(line)
        assert (line["msg"], line["value"]) == ("it is <secret>", "<<secret>>")


def test_secrets_in_names(read: Read) -> None:
    """Secrets in names of fields are redacted."""
    structlog.get_logger("test").info("event", **{"pl4nted-secret": 1})
    (line,) = read()
    assert line["<secret>"] == "1"
    assert "pl4nted" not in str(line)


def test_secrets_in_tracebacks(read: Read) -> None:
    """Secrets in tracebacks are redacted: in exceptions, their causes, and source lines."""
    error = ValueError("pl4nted-secret")
    error.__cause__ = KeyError('pl4nted "quoted" \\ ünd')
    try:
        raise error
    except ValueError:
        structlog.get_logger("test").exception("broken")
        logging.getLogger("other").exception("broken")
    lines = read()
    assert len(lines) == 2
    for line in lines:
        assert "Traceback (most recent call last):" in line["exception"]
        assert "ValueError: <secret>" in line["exception"]
        assert "KeyError: '<secret>'" in line["exception"]
        assert "pl4nted" not in str(line)


def test_lines_of_libraries(read: Read) -> None:
    """Lines of libraries have the same format, with the name of their logger."""
    logging.getLogger("some.library").warning("it said %s of %d", "pl4nted-secret", 3)
    (line,) = read()
    assert (line["msg"], line["logger"], line["level"]) == ("it said <secret> of 3", "some.library", "warning")


def test_noisy_libraries(read: Read) -> None:
    """Only errors of libraries that log URLs are logged."""
    for name in ("urllib3.connectionpool", "apscheduler.scheduler", "uvicorn.error", "asyncio"):
        logging.getLogger(name).warning("GET /?token=x")
        logging.getLogger(name).error("broken")
    assert [line["msg"] for line in read()] == ["broken"] * 4


def test_warnings_are_log_lines(read: Read) -> None:
    """Python warnings are log lines."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("old", stacklevel=1)
    (line,) = read()
    assert line["logger"] == "py.warnings"
    assert "UserWarning: old" in line["msg"]


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("warn", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_levels(level: str, shown: list[str], redactor: Redactor) -> None:
    """Messages below the level are not logged, whether from the exporter or from libraries."""
    stream = set_up(level, "json", redactor)
    for log in (structlog.get_logger("test"), logging.getLogger("other")):
        for name in ("debug", "info", "warning", "error"):
            getattr(log, name)("event")
    lines = [json.loads(line)["level"] for line in stream.getvalue().splitlines()]
    assert lines == shown + shown
    assert level in LEVELS


def test_set_up_again(read: Read, redactor: Redactor) -> None:
    """Each event is one line after logging has been set up twice."""
    stream = set_up("info", "json", redactor)
    structlog.get_logger("test").info("event")
    assert len(stream.getvalue().splitlines()) == 1
    assert read() == []
