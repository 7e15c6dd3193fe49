"""``register_cln_monitoring_key``: registers a monitoring key for this machine, and keeps it registered."""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import string
import tempfile
from pathlib import Path

from cln_monitor.checks.data.direct import registrar_of
from cln_monitor.checks.options import COMMON, Option
from cln_monitor.checks.plugin_exit import CheckError, NoResponseError, PluginExit
from cln_monitor.checks.registry import Plugin
from cln_monitor.checks.result import CheckResult
from cln_monitor.checks.states import State
from cln_monitor.cln import (
    AuthorizationError,
    ClnError,
    RateLimitedError,
    RefusedError,
    TimedOutError,
    UnreachableError,
    is_monitoring_key,
    mask_key,
    suspicion_of_secret,
)
from cln_monitor.file_reading import LARGEST_SECRET, read_file

_LENGTH = 32


def check(options: argparse.Namespace, leave: PluginExit, _: float) -> CheckResult:
    """Register the key that ``options`` name or ask to generate."""
    if (options.key is None) == (options.key_file is None):
        raise CheckError("which key to register is not said: give either --key KEY or --key-file FILE")
    if options.key is not None:
        if options.generate:
            raise CheckError("--generate makes a key of its own: give it with --key-file FILE, or leave out --key")
        return register(options.key, options, leave)
    file = Path(options.key_file)
    key, is_new = _read(file), False
    if not key:
        if not options.generate:
            raise CheckError(f"--key-file: {file} is not there or empty; with --generate a key is made and kept there")
        # It is kept before CLN is asked: where the answer is lost, the next run has to register the same key.
        made = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(_LENGTH))
        key = _keep(file, made)
        is_new = key == made
    verdict = register(key, options, leave)
    if verdict.states and is_new and _read(file) == key:
        file.unlink(missing_ok=True)  # CLN does not have it, so nobody may take it for a key that is registered
    return verdict


def register(key: str, options: argparse.Namespace, leave: PluginExit) -> CheckResult:
    """Register ``key`` and return the verdict: CRITICAL when CLN does not. Raises CheckError or NoResponseError."""
    if not is_monitoring_key(key):
        leave.hide(key, "<the key>")
        odd = "" if "\n" in key else suspicion_of_secret(key)
        problem = "nothing was sent: a monitoring key has 16 to 32 letters and digits, and this one has not"
        raise CheckError(f"{problem}; it {odd}" if odd else problem)
    shown = mask_key(key)
    leave.hide(key, shown)
    try:
        with registrar_of(options, leave) as registrar:
            registrar.register(key)
    except (RefusedError, AuthorizationError) as error:
        return CheckResult(f"monitoring key {shown} is not registered: {error.problem}", states=[State.CRITICAL])
    except RateLimitedError as error:
        raise CheckError(f"monitoring key {shown} is not registered: {error.problem}") from None
    except (UnreachableError, TimedOutError) as error:
        raise NoResponseError(str(error)) from None
    except ClnError as error:
        raise CheckError(str(error)) from None
    return CheckResult(f"monitoring key {shown} is registered for the address of this machine")


def _read(file: Path) -> str:
    try:
        return read_file(file, LARGEST_SECRET).decode("utf-8-sig", "replace").strip()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise CheckError(f"--key-file: cannot read {file} ({error.strerror})") from None
    except ValueError as error:
        raise CheckError(f"--key-file: {file} {error}") from None


def _keep(file: Path, key: str) -> str:
    """Put ``key`` into ``file``, for its owner alone, and all of it at once; return the key that is there then.

    That is another one where another run was faster: its key may be registered already. Raises CheckError.
    """
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
        new = Path(name)
        try:
            with os.fdopen(descriptor, "w") as text:  # mkstemp gives it mode 0600
                text.write(f"{key}\n")
            with contextlib.suppress(FileExistsError):
                file.hardlink_to(new)  # unlike a rename it never takes the place of another
                return key
            if other := _read(file):
                return other
            new.replace(file)  # it was there, and empty
            return key
        finally:
            new.unlink(missing_ok=True)
    except OSError as error:
        raise CheckError(f"--key-file: cannot write {file} ({error.strerror})") from None


PROGRAM = Plugin(
    name="register_cln_monitoring_key",
    purpose="Registers a monitoring key at CLN for this machine's address, which must hold a KernelCare IP licence.",
    options=(
        Option(("--key",), "the key to register: 16 to 32 letters and digits; argv shows it to all users", "KEY"),
        Option(("--key-file",), "a file with the key to register", "FILE"),
        Option(("--generate",), "where the key file is not there yet, make a key, register it, and keep it there"),
        *(option for option in COMMON if option.name not in {"login", "secret-key-file", "exporter"}),
    ),
    check=check,
)
