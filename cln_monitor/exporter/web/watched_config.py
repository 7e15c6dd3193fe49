"""The web configuration in use while its file may change: read again then, and refused where it lets in more."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import structlog

from cln_monitor.config import ConfigError, ConfigProblem

from .config import WebConfig, load_web_config

_log = structlog.get_logger(__name__)

_RETRY = 5.0
"""Seconds after which a file that is not good is read again, though it has not changed: another file may have."""


class WatchedWebConfig:
    """The web configuration in use: that of ``file`` as it now is, or as it was when it was last good.

    To call it gives it. Each call looks whether a file has changed, so a change holds from the next request on.
    ``reloaded`` is told how each reading went.
    """

    def __init__(
        self, file: Path, reloaded: Callable[[bool], object], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._file, self._reloaded, self._clock = file, reloaded, clock
        self._error: str | None = None
        self._read_at = clock()
        self._seen = _state_of((file,))
        self._used = load_web_config(file)
        self._seen = _state_of(self._used.files)
        self._warn()

    def __call__(self) -> WebConfig:
        seen = _state_of(self._used.files)
        if seen != self._seen or (self._error is not None and self._clock() - self._read_at >= _RETRY):
            self._read(seen)
        return self._used

    def _read(self, seen: _State) -> None:
        self._seen, self._read_at = seen, self._clock()
        try:
            read = load_web_config(self._file)
            self._refuse_surprises(read)
        except Exception as error:  # noqa: BLE001 # whatever it is, raised here it would end all connections
            if str(error) != self._error:
                told = str(error) if isinstance(error, ConfigError) else f"an error of ours: {type(error).__name__}"
                _log.error("web configuration not reloaded, the one in use stays", error=told)
            self._error = str(error)
            self._reloaded(False)
            return
        if read.files != self._used.files:
            self._seen = _state_of(read.files)
        self._used, self._error = read, None
        self._reloaded(True)
        _log.info("web configuration reloaded", tls=read.tls is not None, users=len(read.users))
        self._warn()

    def _refuse_surprises(self, read: WebConfig) -> None:
        """Raise ConfigError where ``read`` lets in more than what is in use, or takes what a restart takes.

        A file that an editor or a script writes piece by piece is valid after some of the pieces, and would open the
        exporter to everybody; the rest might never come.
        """
        before, now = self._used.tls, read.tls
        problem = None
        if read.is_blank:
            problem = "is empty; write basic_auth_users: {} to mean that"
        elif (now is None) != (before is None):
            problem = f"tls_server_config: turns TLS {'off' if now is None else 'on'}, which takes a restart"
        elif self._used.users and not read.users and not read.means_nobody:
            problem = "basic_auth_users: are gone; write basic_auth_users: {} to mean that, or restart"
        elif before is not None and now is not None and now.asks_less_than(before):
            problem = "tls_server_config: takes clients that it did not take before, which takes a restart"
        elif self._used.rate_limit is not None and read.rate_limit is None:
            problem = "rate_limit: is gone, which takes a restart"
        if problem is not None:
            raise ConfigError(str(self._file), [ConfigProblem("", problem)])

    def _warn(self) -> None:
        for warning in self._used.warnings:
            _log.warning("web configuration allows something unusual", warning=warning)


_State = list[tuple[int, ...] | None]


def _state_of(files: tuple[Path, ...]) -> _State:
    """Return what changes when one of ``files`` does."""
    states: _State = []
    for file in files:
        try:
            state = file.stat()
        except OSError:
            states.append(None)
        else:
            states.append((state.st_mtime_ns, state.st_ctime_ns, state.st_size, state.st_ino))
    return states
