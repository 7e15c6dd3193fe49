"""``register_cln_monitoring_key``: register a monitoring key for the address of this machine."""

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


def check(options: argparse.Namespace, exit_: PluginExit, _: float) -> CheckResult:
    """Register the key of the options, or generate one and register it."""
    if (options.key is None) == (options.key_file is None):
        raise CheckError("no key to register: use either --key KEY or --key-file FILE")
    if options.key is not None:
        if options.generate:
            raise CheckError("--generate cannot be combined with --key: use it with --key-file FILE")
        return register(options.key, options, exit_)
    file = Path(options.key_file)
    key, is_new = _read(file), False
    if not key:
        if not options.generate:
            raise CheckError(f"--key-file: {file} does not exist or is empty; use --generate to create a key there")
        # The key is stored before the request: if the response is lost, the next run has to register the same key.
        generated = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(_LENGTH))
        key = _store(file, generated)
        is_new = key == generated
    result = register(key, options, exit_)
    if result.states and is_new and _read(file) == key:
        file.unlink(missing_ok=True)  # CLN did not register it, so the file must not suggest a registered key
    return result


def register(key: str, options: argparse.Namespace, exit_: PluginExit) -> CheckResult:
    """Register ``key`` and return the result, CRITICAL if CLN refuses it. Raises CheckError or NoResponseError.

    The call is ``/kcare/nagios/register_key.plain`` of the API document.
    """
    if not is_monitoring_key(key):
        exit_.hide(key, "<the key>")
        suspicion = "" if "\n" in key else suspicion_of_secret(key)
        problem = "invalid monitoring key, request not sent: must be 16 to 32 letters and digits"
        raise CheckError(f"{problem}; it {suspicion}" if suspicion else problem)
    shown = mask_key(key)
    exit_.hide(key, shown)
    try:
        with registrar_of(options, exit_) as registrar:
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


def _store(file: Path, key: str) -> str:
    """Write ``key`` to ``file`` atomically, with mode 0600, and return the key that is in the file afterward.

    That is the key of another run if that run was faster, as it may be registered already. Raises CheckError.
    """
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
        new = Path(name)
        try:
            with os.fdopen(descriptor, "w") as text:  # mkstemp creates it with mode 0600
                text.write(f"{key}\n")
            with contextlib.suppress(FileExistsError):
                file.hardlink_to(new)  # unlike a rename this never replaces an existing file
                return key
            if other := _read(file):
                return other
            new.replace(file)  # the file existed and was empty
            return key
        finally:
            new.unlink(missing_ok=True)
    except OSError as error:
        raise CheckError(f"--key-file: cannot write {file} ({error.strerror})") from None


PLUGIN = Plugin(
    name="register_cln_monitoring_key",
    purpose="Register a monitoring key with CLN for the address of this machine, which must have a KernelCare IP "
    "license.",
    options=(
        Option(
            ("--key",),
            "Register this key: 16 to 32 letters and digits; all users can see it in the process list",
            "KEY",
        ),
        Option(("--key-file",), "Register the key in this file", "FILE"),
        Option(("--generate",), "Create a key in the key file if the file does not exist, and register it"),
        *(option for option in COMMON if option.name not in {"login", "secret-key-file", "exporter"}),
    ),
    check=check,
)
