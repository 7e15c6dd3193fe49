"""The environment of a test run, normalized for a terminal, cron, CI and a systemd unit."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import signal
import tempfile
import time

_OURS = "TESTS_HOME"
"""The variable with the home directory of a run, for its worker processes."""

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
    """Normalize the environment of this process and of its children. It is idempotent."""
    os.umask(0o077)  # what tests write has secrets in it, and is refused when all users can read it
    _signals()
    _variables()


def _signals() -> None:
    """Reset signals to the state in a terminal: background jobs of a script ignore some of them.

    A child inherits ignored signals but no handlers, so a signal with a handler is ignored here and reset in children.
    """
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # otherwise the exit status of a program is lost
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
