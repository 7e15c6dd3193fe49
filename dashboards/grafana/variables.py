"""The variables at the top of a dashboard, and the dashboard around its panels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as model

from .links import TAG, TITLES, among_all
from .panels import DATASOURCE
from .queries import FAMILIES

Panel = Builder[model.Panel]
Item = Panel | list[Panel] | str

_COLUMNS = 24
_ALL = model.VariableOption(selected=True, text=["All"], value=["$__all"])

Variable = Builder[model.VariableModel]


def datasource() -> Variable:
    """Return the choice of the Prometheus."""
    return build.DatasourceVariable("datasource").label("Data source").type("prometheus")


def of_label(name: str, label: str, metric: str, of: str = "") -> Variable:
    """Return the choice among the values of a label of ``metric``; All also takes what lacks it."""
    return (
        build.QueryVariable(name)
        .label(label)
        .datasource(DATASOURCE)
        .query(f"label_values({metric}, {of or name})")
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(_ALL)
    )


def account() -> Variable:
    """Return the choice of accounts."""
    return of_label("account", "Account", "cln_probe_interval_seconds")


def product(*families: str) -> Variable:
    """Return the choice of product families, as they are called in the names of metrics."""
    return (
        build.CustomVariable("product")
        .label("Product")
        .values(", ".join(f"{FAMILIES[family]} : {family}" for family in families))
        .multi(True)
        .include_all(True)
        .current(_ALL)
    )


def dashboard(uid: str, description: str, variables: Sequence[Variable], content: Sequence[Item]) -> model.Dashboard:
    """Return a dashboard. In its ``content`` a list is a column of panels, a text the title of a row."""
    made = (
        build.Dashboard(TITLES[uid])
        .uid(uid)
        .description(description)
        .tags([TAG])
        .editable()
        .refresh("1m")
        .time("now-6h", "now")
        .timezone("browser")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .variables([datasource(), *variables])
        .links([among_all()])
    )
    for item in _placed(content):
        if isinstance(item, build.Row):
            made.with_row(item)
        else:
            made.with_panel(item)
    built = made.build()
    ids = count(1)
    for each in built.panels or []:
        each.id_val = next(ids)
    return built


def _placed(content: Sequence[Item]) -> Iterator[build.Row | Panel]:
    """Yield all panels and rows, each at its place: from left to right, and below what is above."""
    x = y = bottom = 0
    for item in content:
        if isinstance(item, str):
            x, y = 0, bottom
            yield build.Row(item).grid_pos(model.GridPos(h=1, w=_COLUMNS, x=x, y=y))
            y = bottom = y + 1
            continue
        if x >= _COLUMNS:
            x, y = 0, bottom
        top, width = y, 0
        for panel in item if isinstance(item, list) else [item]:
            size = panel.build().grid_pos or model.GridPos()
            panel.build().grid_pos = model.GridPos(h=size.h, w=size.w, x=x, y=top)
            top, width = top + size.h, size.w
            yield panel
        x += width
        bottom = max(bottom, top)
