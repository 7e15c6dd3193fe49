"""``register_cln_monitoring_key``: registers a monitoring key for this machine, and keeps it registered."""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import string
import tempfile
from pathlib import Path

from cln_monitor.cln import (
    AuthorizationFailed,
    ClnError,
    RateLimited,
    Refused,
    TimedOut,
    Unreachable,
    is_monitoring_key,
    mask_key,
    suspicion_of_secret,
)
from cln_monitor.files import LARGEST_SECRET, read_file

from .exit import Exit, Unreached, Unusable
from .from_cln import registrar_of
from .options import COMMON, Option
from .program import Program
from .states import State
from .verdict import Verdict

_LENGTH = 32


def check(options: argparse.Namespace, leave: Exit, _: float) -> Verdict:
    """Register the key that ``options`` name or ask to generate."""
    if (options.key is None) == (options.key_file is None):
        raise Unusable("which key to register is not said: give either --key KEY or --key-file FILE")
    if options.key is not None:
        if options.generate:
            raise Unusable("--generate makes a key of its own: give it with --key-file FILE, or leave out --key")
        return register(options.key, options, leave)
    file = Path(options.key_file)
    key, is_new = _read(file), False
    if not key:
        if not options.generate:
            raise Unusable(f"--key-file: {file} is not there or empty; with --generate a key is made and kept there")
        # It is kept before CLN is asked: where the answer is lost, the next run has to register the same key.
        made = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(_LENGTH))
        key = _keep(file, made)
        is_new = key == made
    verdict = register(key, options, leave)
    if verdict.states and is_new and _read(file) == key:
        file.unlink(missing_ok=True)  # CLN does not have it, so nobody may take it for a key that is registered
    return verdict


def register(key: str, options: argparse.Namespace, leave: Exit) -> Verdict:
    """Register ``key`` and return the verdict: CRITICAL when CLN does not. Raises Unusable or Unreached."""
    if not is_monitoring_key(key):
        leave.hide(key, "<the key>")
        odd = "" if "\n" in key else suspicion_of_secret(key)
        problem = "nothing was sent: a monitoring key has 16 to 32 letters and digits, and this one has not"
        raise Unusable(f"{problem}; it {odd}" if odd else problem)
    shown = mask_key(key)
    leave.hide(key, shown)
    try:
        with registrar_of(options, leave) as registrar:
            registrar.register(key)
    except (Refused, AuthorizationFailed) as error:
        return Verdict(f"monitoring key {shown} is not registered: {error.problem}", states=[State.CRITICAL])
    except RateLimited as error:
        raise Unusable(f"monitoring key {shown} is not registered: {error.problem}") from None
    except (Unreachable, TimedOut) as error:
        raise Unreached(str(error)) from None
    except ClnError as error:
        raise Unusable(str(error)) from None
    return Verdict(f"monitoring key {shown} is registered for the address of this machine")


def _read(file: Path) -> str:
    try:
        return read_file(file, LARGEST_SECRET).decode("utf-8-sig", "replace").strip()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise Unusable(f"--key-file: cannot read {file} ({error.strerror})") from None
    except ValueError as error:
        raise Unusable(f"--key-file: {file} {error}") from None


def _keep(file: Path, key: str) -> str:
    """Put ``key`` into ``file``, for its owner alone, and all of it at once; return the key that is there then.

    That is another one where another run was faster: its key may be registered already. Raises Unusable.
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
        raise Unusable(f"--key-file: cannot write {file} ({error.strerror})") from None


PROGRAM = Program(
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
