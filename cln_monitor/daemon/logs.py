"""Structured logging: logfmt or JSON on stderr, with secrets redacted in every value."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict

from cln_monitor.cln import Redactor

from .log_levels import LEVELS

_FIRST = ("ts", "level", "msg")
# Libraries that log URLs, or events that the exporter logs itself.
_NOISY = ("urllib3", "apscheduler", "uvicorn", "asyncio")


def set_up_logs(level: str, log_format: str, redactor: Redactor) -> None:
    """Log to stderr at ``level`` and above in ``log_format``, of ``LEVELS`` and ``FORMATS``, secrets redacted."""
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
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.captureWarnings(capture=True)


def dropped_line(count: int) -> str:
    """Return the log line, in the configured format, that reports ``count`` dropped messages."""
    text = f"log messages dropped because the log could not be written: {count}"
    record = logging.LogRecord(__name__, logging.WARNING, __file__, 0, text, None, None)
    return f"{logging.getLogger().handlers[0].format(record)}\n"


def _in_order(_: object, __: str, event: EventDict) -> EventDict:
    return {**{name: event[name] for name in _FIRST if name in event}, **event}


class _Scrubber:
    """Redacts secrets in each value, because escaping in the finished line may split them."""

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
    # logfmt parsers expect JSON quoting, which keeps newlines and escape sequences on one line.
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _is_printable(value: object) -> bool:
    return not isinstance(value, str) or value.isprintable()


class _ScrubbingFormatter(ProcessorFormatter):
    """Redacts the finished line once more, as the last line of defense."""

    def __init__(self, redactor: Redactor, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        return self._redactor.scrub(super().format(record))
