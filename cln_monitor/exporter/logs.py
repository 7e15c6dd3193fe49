"""Log lines for machines and people: logfmt or JSON on stderr, secrets replaced in every value."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict

from cln_monitor.cln import Redactor

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}
FORMATS = ("logfmt", "json")

_FIRST = ("ts", "level", "msg")
# They log what they are asked for, URLs among it, or what we log in our own words.
_TALKATIVE = ("urllib3", "apscheduler", "uvicorn", "asyncio")


def set_up_logs(level: str, log_format: str, redactor: Redactor) -> None:
    """Log at ``level`` and above, in ``log_format``, with what ``redactor`` knows replaced."""
    before: list[structlog.typing.Processor] = [
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *before, ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _ScrubbingFormatter(
            redactor,
            foreign_pre_chain=before,
            processors=[
                ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.EventRenamer("msg"),
                _in_order,
                _Scrubber(redactor),
                _json if log_format == "json" else _logfmt,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(LEVELS[level])
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.captureWarnings(capture=True)


def dropped_line(count: int) -> str:
    """Return the line, in the format that is set up, which says that so many were dropped."""
    text = f"log messages dropped, as the log could not be written: {count}"
    record = logging.LogRecord(__name__, logging.WARNING, __file__, 0, text, None, None)
    return f"{logging.getLogger().handlers[0].format(record)}\n"


def _in_order(_: object, __: str, event: EventDict) -> EventDict:
    return {**{name: event[name] for name in _FIRST if name in event}, **event}


class _Scrubber:
    """Takes secrets out of each value: in the finished line quotes and escapes may stand between their characters."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def __call__(self, _: object, __: str, event: EventDict) -> EventDict:
        return {
            name: value if isinstance(value, int | float | None) else self._redactor.scrub(str(value))
            for name, value in event.items()
        }


def _json(_: object, __: str, event: EventDict) -> str:
    return json.dumps(event, ensure_ascii=not all(_is_printable(value) for value in event.values()))


def _logfmt(_: object, __: str, event: EventDict) -> str:
    return " ".join(f"{name}={_quoted(value)}" for name, value in event.items())


def _quoted(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    text = str(value)
    if text and text.isprintable() and not set(' ="\\') & set(text):
        return text
    # As readers of logfmt have it: quoted as JSON is, so that a newline or an escape sequence stays on its line.
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _is_printable(value: object) -> bool:
    return not isinstance(value, str) or value.isprintable()


class _ScrubbingFormatter(ProcessorFormatter):
    """Scrubs the finished line once more: the last place at which a secret can be seen."""

    def __init__(self, redactor: Redactor, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        return self._redactor.scrub(super().format(record))
