"""The surroundings of a run of the tests, made the same whoever starts it: a terminal, cron, CI, a unit of systemd."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import signal
import tempfile
import time

_OURS = "TESTS_HOME"
"""Where the home folder of a run is named, for the processes of its workers."""

_FOREIGN = re.compile(
    r"CLN_.*"
    r"|(?:https?|all|no|ftp)_proxy"  # of programs that take a proxy from there
    r"|SSL_CERT_(?:FILE|DIR)|SSLKEYLOGFILE|(?:REQUESTS|CURL)_CA_BUNDLE"
    r"|LANGUAGE|LC_.*|TZ|TERM|COLUMNS|LINES|NO_COLOR|FORCE_COLOR|CLICOLOR.*"
    r"|XDG_.*"
    r"|(?:CREDENTIALS|STATE|CACHE|LOGS|RUNTIME|CONFIGURATION)_DIRECTORY"  # of a unit of systemd
    r"|NOTIFY_SOCKET|WATCHDOG_(?:PID|USEC)|LISTEN_(?:PID|FDS|FDNAMES)|INVOCATION_ID|JOURNAL_STREAM",
    re.IGNORECASE,
)


def normalize() -> None:
    """Make all alike that the process was given, for itself and for what it starts. Once more changes nothing."""
    os.umask(0o077)  # what tests write has secrets in it, and is refused when all users can read it
    _signals()
    _variables()


def _signals() -> None:
    """Let programs begin with the signals as a terminal gives them: the background job of a script ignores some.

    What is ignored is so in each program that is started; a handler is not handed on, and keeps us as deaf as before.
    """
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # else nobody learns how a program has ended
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGALRM, signal.SIGUSR1):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def _variables() -> None:
    for name in [*filter(_FOREIGN.fullmatch, os.environ)]:
        del os.environ[name]
    os.environ["LANG"] = "C.UTF-8"
    time.tzset()
    if _OURS not in os.environ:
        home = os.environ[_OURS] = tempfile.mkdtemp(prefix="cln-monitor-home-")
        atexit.register(shutil.rmtree, home, ignore_errors=True)
    os.environ["HOME"] = os.environ[_OURS]
