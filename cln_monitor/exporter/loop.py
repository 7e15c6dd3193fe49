"""The event loop of the exporter: uvloop where it is installed, which answers a scrape in less CPU, else asyncio's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

_log = structlog.get_logger(__name__)


def choose_loop() -> tuple[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Return the name of the event loop to run, ``uvloop`` or ``asyncio``, and what makes one."""
    try:
        import uvloop  # noqa: PLC0415 # it may not be there, or not load on this machine
    except ImportError:
        return "asyncio", asyncio.new_event_loop
    return "uvloop", uvloop.new_event_loop


def run_in_loop(main: Coroutine[Any, Any, None]) -> None:
    """Run ``main`` in an event loop of its own until it ends; the log says which."""
    name, factory = choose_loop()
    _log.info("event loop", loop=name)
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main)
