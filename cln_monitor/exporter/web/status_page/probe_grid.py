"""How the probes stand: a cell for each, by account, and CLN itself with its flags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cln_monitor.durations import format_age
from cln_monitor.policy import severity_of_failure

from . import formatting
from .formatting import Truncated
from .probe_status import ProbeStatus

_MOST_ACCOUNTS, _MOST_FLAGS = 25, 20
_WORST_FIRST = ("critical", "warning", "waiting", "ok", "info")


@dataclass(frozen=True, slots=True)
class Cell:
    """How a probe of an account stands. ``state``: ``ok``, ``warning``, ``critical``, ``waiting`` or ``info``.

    A probe of a product that the account does not have is ``info``: not available, and nothing that fails.
    """

    probe: str
    state: str
    text: str
    link: str
    read: str
    due: str


@dataclass(frozen=True, slots=True)
class AccountRow:
    """The probes of an account, in the order of the columns; None for one that is off."""

    account: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class CloudRow:
    """CLN itself behind one API root: the probe, and its flags with whether each is good."""

    api: str
    cell: Cell
    flags: tuple[tuple[str, str, bool], ...]


def _cell(seen: ProbeStatus) -> Cell:
    view, ages = seen.view, seen.ages
    if view.last_run is None:
        state, text = "waiting", "waiting"
    elif view.failure is not None:
        state, text = severity_of_failure(view.failure.reason).word, view.failure.reason
    elif view.observation is not None and view.observation.expired_parts:
        state, text = "warning", "too old"
    elif seen.late is not None:
        state, text = "warning", "late"
    elif not seen.is_available:
        state, text = "info", "not available"
    else:
        state, text = "ok", "ok"
    if ages.last_success is not None:
        read = f"read {format_age(ages.last_success)} ago"
    else:
        read = "not read yet" if view.last_run is None else "never read completely" if seen.has_data else "never read"
    due = 0.0 if ages.last_run is None else view.interval - ages.last_run
    return Cell(
        probe=view.probe,
        state=state,
        text=text,
        link=seen.json_path,
        read=read,
        due=f"next in {format_age(due)}" if due >= 1 else "next is due",
    )


def standing_of_clouds(seen: Sequence[ProbeStatus]) -> list[CloudRow]:
    """Return how CLN itself stands, behind each API root."""
    return [_cloud(each) for each in seen if not each.view.account]


def _cloud(seen: ProbeStatus) -> CloudRow:
    observation = seen.view.observation
    flags = [flag for part in observation.parts for flag in part.value] if observation else []
    flags = sorted(flags, key=lambda flag: bool(flag.good))[:_MOST_FLAGS]
    told = tuple((formatting.short(flag.name), str(flag.value).lower(), bool(flag.good)) for flag in flags)
    return CloudRow(seen.view.api, _cell(seen), told)


def standing_of_accounts(seen: Sequence[ProbeStatus], columns: Sequence[str]) -> Truncated:
    """Return how the probes of each account stand: in the order of the configuration where all fit, else the worst."""
    by_account: dict[str, dict[str, Cell]] = {}
    for each in seen:
        by_account.setdefault(each.view.account, {})[each.view.probe] = _cell(each)
    rows = [AccountRow(name, tuple(map(cells.get, columns))) for name, cells in by_account.items()]
    if len(rows) > _MOST_ACCOUNTS:
        rows.sort(key=lambda row: min(_WORST_FIRST.index(cell.state) for cell in row.cells if cell is not None))
    return Truncated.of(rows, _MOST_ACCOUNTS)
