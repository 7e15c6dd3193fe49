"""Find the secrets of a configuration that are in world-readable files."""

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
    """A secret in a world-readable file: the ``place`` in a configuration that holds it or names its file."""

    place: str
    path: Path

    def __str__(self) -> str:
        return (
            f"{self.place}: {self.path} is world-readable; run chmod 600 on it (640 if a group has to read it), "
            "or set defaultMode: 0440 of a Kubernetes volume"
        )


def exposed_secrets(config: Config) -> list[Exposed]:
    """Return the secrets of ``config`` that are in world-readable files."""
    return [secret for secret in _secrets(config) if is_world_readable(secret.path)]


def _secrets(config: Config) -> Iterator[Exposed]:
    own = None if config.file is None else config.file.absolute()
    if own and config.proxy is not None and urlsplit(config.proxy.reveal()).password:
        yield Exposed("proxy", own)
    for index, eportal in enumerate(config.eportals):
        for field in ("api_key_file", "password_file"):
            if name := getattr(eportal, field):
                with contextlib.suppress(ValueError):  # reported when the file is read
                    yield Exposed(f"eportals[{index}].{field}", expand(name, config.base).absolute())
    for index, account in enumerate(config.accounts):
        for field in ("secret_key", "registration_token", "monitoring_keys"):
            if own and getattr(account, field):
                yield Exposed(f"accounts[{index}].{field}", own)
            if name := getattr(account, f"{field}_file"):
                with contextlib.suppress(ValueError):  # reported when the file is read
                    yield Exposed(f"accounts[{index}].{field}_file", expand(name, config.base).absolute())


def is_world_readable(path: Path) -> bool:
    """Return whether every user can read a file, by its mode and by the directory that it is in.

    A directory above that one does not count: its mode is easily changed for another reason. In a volume of Kubernetes,
    the file is a link to a directory below the one that the path names; either of them can deny access. A file that is
    not regular, such as a pipe, never counts: only this process has read it.
    """
    try:
        mode = path.stat().st_mode
        return stat.S_ISREG(mode) and bool(mode & stat.S_IROTH) and all(map(_is_open, _directories(path)))
    except (OSError, ValueError):
        return False  # reported when the file is read


def _directories(path: Path) -> list[Path]:
    """Return the directory of a file, without links, and those above it up to the one that ``path`` names."""
    above, named = list(path.resolve().parents), path.parent.resolve()
    return above[: above.index(named) + 1] if named in above else above[:1]


def _is_open(directory: Path) -> bool:
    """Return whether every user can open the files of a ``directory``."""
    return bool(directory.stat().st_mode & stat.S_IXOTH)
