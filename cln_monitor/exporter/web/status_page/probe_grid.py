"""The status of the probes by account and ePortal, and of CLN itself with its flags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cln_monitor.durations import format_age
from cln_monitor.policy import severity_of_failure
from cln_monitor.source_kinds import SOURCE_KINDS, SourceKind

from . import formatting
from .formatting import Truncated
from .probe_status import ProbeStatus

_MAX_ACCOUNTS, _MAX_FLAGS = 25, 20
_WORST_FIRST = ("critical", "warning", "waiting", "ok", "info")


@dataclass(frozen=True, slots=True)
class Cell:
    """The status of a probe. ``state`` is ``ok``, ``warning``, ``critical``, ``waiting``, or ``info``.

    A probe of a product that the account does not have is ``info`` (not available), not a failure.
    """

    probe: str
    state: str
    text: str
    link: str
    read: str
    due: str


@dataclass(frozen=True, slots=True)
class SourceRow:
    """The probes of an account or ePortal, in the order of the columns; None for a disabled one."""

    account: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class ProbeTable:
    """The probes of all sources of a ``kind``; ``columns`` are the names of the probes."""

    kind: SourceKind
    columns: Sequence[str]
    sources: Truncated


@dataclass(frozen=True, slots=True)
class CloudRow:
    """CLN at one API root: the status probe, and each flag with its value and whether it is good."""

    api: str
    cell: Cell
    flags: tuple[tuple[str, str, bool], ...]


def _cell(status: ProbeStatus) -> Cell:
    view, ages = status.view, status.ages
    if view.last_run is None:
        state, text = "waiting", "first poll" if status.first_poll else "waiting"
    elif view.failure is not None:
        state, text = severity_of_failure(view.failure.reason).word, view.failure.reason
    elif view.observation is not None and view.observation.expired_parts:
        state, text = "warning", "too old"
    elif status.late is not None:
        state, text = "warning", "late"
    elif not status.is_available:
        state, text = "info", "not available"
    else:
        state, text = "ok", "ok"
    if status.first_poll is not None:
        read = f"{status.first_poll} read so far"
    elif ages.last_success is not None:
        read = f"read {format_age(ages.last_success)} ago"
    else:
        read = "not read yet" if view.last_run is None else "never read completely" if status.has_data else "never read"
    due = "next run is due"
    if status.first_poll is not None:
        due = "poll in progress"
    elif ages.last_run is not None and (seconds := view.interval - ages.last_run) >= 1:
        due = f"next run in {format_age(seconds)}"
    return Cell(
        probe=view.probe,
        state=state,
        text=text,
        link=status.json_path,
        read=read,
        due=due,
    )


def cloud_rows(statuses: Sequence[ProbeStatus]) -> list[CloudRow]:
    """Return the status of CLN itself at each API root."""
    return [_cloud(status) for status in statuses if not status.view.account]


def _cloud(status: ProbeStatus) -> CloudRow:
    observation = status.view.observation
    flags = [flag for part in observation.parts for flag in part.value] if observation else []
    flags = sorted(flags, key=lambda flag: bool(flag.good))[:_MAX_FLAGS]
    shown = tuple((formatting.short(flag.name), str(flag.value).lower(), bool(flag.good)) for flag in flags)
    return CloudRow(status.view.api, _cell(status), shown)


def probe_tables(statuses: Sequence[ProbeStatus]) -> list[ProbeTable]:
    """Return a table for each kind of source that has probes, apart from those of CLN itself."""
    tables = []
    for kind in SOURCE_KINDS:
        of_kind = [status for status in statuses if status.view.account and status.view.probe in kind.probes]
        if of_kind:
            columns = list(dict.fromkeys(status.view.probe for status in of_kind))
            tables.append(ProbeTable(kind, columns, _rows(of_kind, columns)))
    return tables


def _rows(statuses: Sequence[ProbeStatus], columns: Sequence[str]) -> Truncated:
    """Return the probes of each source in the order of the configuration; if there are too many, the worst first."""
    by_account: dict[str, dict[str, Cell]] = {}
    for status in statuses:
        by_account.setdefault(status.view.account, {})[status.view.probe] = _cell(status)
    rows = [SourceRow(name, tuple(map(cells.get, columns))) for name, cells in by_account.items()]
    if len(rows) > _MAX_ACCOUNTS:
        rows.sort(key=lambda row: min(_WORST_FIRST.index(cell.state) for cell in row.cells if cell is not None))
    return Truncated.from_rows(rows, _MAX_ACCOUNTS)
