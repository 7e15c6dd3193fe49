"""The secrets of a configuration that every user of the machine can read."""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from .model import Config
from .secrets import expand


class Exposed(NamedTuple):
    """A secret that every user can read: the ``place`` in a configuration that has it or names its file."""

    place: str
    path: Path

    def __str__(self) -> str:
        return (
            f"{self.place}: all users of this machine can read {self.path}; "
            "chmod 600 it (640 where a group is to read it)"
        )


def exposed_secrets(config: Config) -> list[Exposed]:
    """Return the secrets of ``config`` that every user can read."""
    return [each for each in _secrets(config) if is_world_readable(each.path)]


def _secrets(config: Config) -> Iterator[Exposed]:
    own = None if config.file is None else config.file.absolute()
    if own and config.proxy is not None and urlsplit(config.proxy.reveal()).password:
        yield Exposed("proxy", own)
    for index, account in enumerate(config.accounts):
        for field in ("secret_key", "registration_token", "monitoring_keys"):
            if own and getattr(account, field):
                yield Exposed(f"accounts[{index}].{field}", own)
            if name := getattr(account, f"{field}_file"):
                with contextlib.suppress(ValueError):  # which the reading of it tells
                    yield Exposed(f"accounts[{index}].{field}_file", expand(name, config.base).absolute())


def is_world_readable(path: Path) -> bool:
    """Tell whether every user of the machine may read the file, by its own mode, wherever it lies.

    The folder around it may bar them; but that is easily opened for another reason, and a copy or a backup lies
    elsewhere. What is no file, such as a pipe, has been read by us alone.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False  # which the reading of it tells
    return stat.S_ISREG(mode) and bool(mode & stat.S_IROTH)
