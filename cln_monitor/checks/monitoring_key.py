"""``register_cln_monitoring_key``: registers a monitoring key for this machine, and keeps it registered."""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import string
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from cln_monitor.cln import ClnError, Refused, TimedOut, Unreachable, is_monitoring_key, mask_key

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
        return register(options.key, options, leave)
    file = Path(options.key_file)
    key = _read(file)
    if key:
        return register(key, options, leave)
    if not options.generate:
        raise Unusable(f"--key-file: {file} is not there or empty; with --generate a key is made and kept there")
    key = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(_LENGTH))
    with _kept_in(file, key) as keep:
        verdict = register(key, options, leave)
        if not verdict.states:
            keep()
    return verdict


def register(key: str, options: argparse.Namespace, leave: Exit) -> Verdict:
    """Register ``key`` and return the verdict: CRITICAL when CLN does not. Raises Unusable or Unreached."""
    if not is_monitoring_key(key):
        leave.hide(key, "<the key>")
        raise Unusable("nothing was sent: a monitoring key has 16 to 32 letters and digits, and this one has not")
    shown = mask_key(key)
    leave.hide(key, shown)
    try:
        with registrar_of(options, leave) as registrar:
            registrar.register(key)
    except Refused as error:
        return Verdict(f"monitoring key {shown} is not registered: {error.problem}", states=[State.CRITICAL])
    except (Unreachable, TimedOut) as error:
        raise Unreached(f"{error}; whether the key is registered is not known, run this again") from None
    except ClnError as error:
        raise Unusable(f"{error}; whether the key is registered is not known") from None
    return Verdict(f"monitoring key {shown} is registered for the address of this machine")


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise Unusable(f"--key-file: cannot read {file} ({error.strerror})") from None


@contextlib.contextmanager
def _kept_in(file: Path, key: str) -> Iterator[Callable[[], None]]:
    """Write ``key`` beside ``file``, for its owner alone; the function that is yielded puts it in its place at once.

    It is written before CLN is asked, so that a key is not registered which then cannot be kept.
    """
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
        with os.fdopen(descriptor, "w") as new:  # mkstemp gives it mode 0600
            new.write(f"{key}\n")
    except OSError as error:
        raise Unusable(f"--key-file: cannot write {file} ({error.strerror})") from None
    try:
        yield lambda: os.replace(name, file)  # noqa: PTH105 # Path.replace() returns a path, and this nothing
    finally:
        Path(name).unlink(missing_ok=True)


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
