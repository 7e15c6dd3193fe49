"""Log lines for machines and people: logfmt or JSON on stderr, secrets replaced in the finished line."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog
from structlog.stdlib import ProcessorFormatter

from cln_monitor.cln import Redactor

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}
FORMATS = ("logfmt", "json")

_ORDER = ("ts", "level", "msg")
# They log what they are asked for, URLs among it, or what we log in our own words.
_TALKATIVE = ("urllib3", "apscheduler", "uvicorn", "asyncio")


def set_up_logs(level: str, log_format: str, redactor: Redactor) -> None:
    """Log at ``level`` and above, in ``log_format``, with what ``redactor`` knows replaced."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if log_format == "json"
        else structlog.processors.LogfmtRenderer(key_order=list(_ORDER), drop_missing=True, bool_as_flag=False)
    )
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
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(LEVELS[level])
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.captureWarnings(capture=True)


class _ScrubbingFormatter(ProcessorFormatter):
    def __init__(self, redactor: Redactor, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        return self._redactor.scrub(super().format(record))
