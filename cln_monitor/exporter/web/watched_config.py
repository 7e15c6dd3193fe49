"""Automatic reload of the web configuration; a change that weakens access control is rejected."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import structlog

from cln_monitor.config import ConfigError, ConfigProblem

from .config import WebConfig, load_web_config

_log = structlog.get_logger(__name__)

_RETRY = 5.0
"""Seconds after which an invalid file is read again although it has not changed: another file may have."""


class WatchedWebConfig:
    """A callable that returns the current web configuration: the last valid content of ``file``.

    Each call checks whether a file has changed, so a change takes effect with the next request. ``reloaded`` is called
    after each reload, with whether it succeeded. Raises ConfigError if the file is invalid at the start.
    """

    def __init__(
        self, file: Path, reloaded: Callable[[bool], object], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._file, self._reloaded, self._clock = file, reloaded, clock
        self._error: str | None = None
        self._read_at = clock()
        self._state = _state_of((file,))
        self._used = load_web_config(file)
        self._state = _state_of(self._used.files)
        self._warn()

    def __call__(self) -> WebConfig:
        state = _state_of(self._used.files)
        if state != self._state or (self._error is not None and self._clock() - self._read_at >= _RETRY):
            self._read(state)
        return self._used

    def _read(self, state: _State) -> None:
        self._state, self._read_at = state, self._clock()
        try:
            read = load_web_config(self._file)
            self._reject_weaker(read)
        except Exception as error:  # noqa: BLE001 # if raised here, any error would end all connections
            if str(error) != self._error:
                text = str(error) if isinstance(error, ConfigError) else f"internal error: {type(error).__name__}"
                _log.error("web configuration not reloaded, previous one stays in use", error=text)
            self._error = str(error)
            self._reloaded(False)
            return
        if read.files != self._used.files:
            self._state = _state_of(read.files)
        self._used, self._error = read, None
        self._reloaded(True)
        _log.info("web configuration reloaded", tls=read.tls is not None, users=len(read.users))
        self._warn()

    def _reject_weaker(self, read: WebConfig) -> None:
        """Raise ConfigError if ``read`` weakens access control, or requires a restart.

        A file that an editor or a script writes piece by piece can be valid after some of the pieces, and would make
        the exporter accessible to everyone if the rest never follows.
        """
        before, now = self._used.tls, read.tls
        problem = None
        if read.is_blank:
            problem = "is empty; write basic_auth_users: {} to disable authentication"
        elif (now is None) != (before is None):
            problem = f"tls_server_config: turns TLS {'off' if now is None else 'on'}, which requires a restart"
        elif self._used.users and not read.users and not read.disables_auth:
            problem = "basic_auth_users: missing; write basic_auth_users: {} to disable authentication, or restart"
        elif before is not None and now is not None and now.is_weaker_than(before):
            problem = "tls_server_config: accepts clients that were rejected before, which requires a restart"
        elif self._used.rate_limit is not None and read.rate_limit is None:
            problem = "rate_limit: missing; removing the limit requires a restart"
        if problem is not None:
            raise ConfigError(str(self._file), [ConfigProblem("", problem)])

    def _warn(self) -> None:
        for warning in self._used.warnings:
            _log.warning("web configuration warning", warning=warning)


_State = list[tuple[int, ...] | None]


def _state_of(files: tuple[Path, ...]) -> _State:
    """Return a value that changes when one of ``files`` changes."""
    states: _State = []
    for file in files:
        try:
            state = file.stat()
        except OSError:
            states.append(None)
        else:
            states.append((state.st_mtime_ns, state.st_ctime_ns, state.st_size, state.st_ino))
    return states
