"""Table panels: their columns, order, and headers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import common, table
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common as kinds
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from .panels import COUNT, Look, Steps, looks, now, thresholds, with_common_options

DAYS = "suffix:days"
"""The unit of ages: the same scale in all rows, so that they are easy to compare."""
_NO_VALUE = model.SpecialValueMap(
    options=model.DashboardSpecialValueMapOptions(
        match=model.SpecialValueMatch.NA_N, result=model.ValueMappingResult(text="–", index=1)
    )
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its field, its header, and its appearance.

    ``field`` is a label or ``Value``, followed by ``#`` and the letter of the query if there are several. ``shown``
    maps values to texts; ``shown`` and ``steps`` can color the text. A ``bar`` shows a share between 0 and 1. A
    ``hidden`` column is used only in links.
    """

    field: str
    head: str
    unit: str = ""
    decimals: int | None = None
    width: int | None = None
    shown: Mapping[str, Look | str] | None = None
    steps: Steps | None = None
    unlimited: bool = False
    bar: bool = False
    right: bool = False
    hidden: bool = False
    link: str = ""

    @property
    def is_value(self) -> bool:
        """Whether it shows the value of a query instead of a label."""
        return self.field.startswith("Value")

    def properties(self) -> list[model.DynamicConfigValue]:
        """Return the overrides of the column."""
        found: dict[str, object | None] = {
            # A label may look like a number: license type 5010 would be shown as "5.01 K".
            "unit": self.unit or (COUNT if self.is_value else "string"),
            "decimals": self.decimals,
            "noValue": "–",  # otherwise an empty cell shows the text for an empty table
            "custom.width": self.width,
            "custom.align": "right" if self.right else None,
            "mappings": self._mappings() or None,
            "thresholds": thresholds(self.steps).build() if self.steps else None,
            "color": {"mode": "thresholds"} if self.steps else None,
            "custom.cellOptions": self._cell(),
            "min": 0 if self.bar else None,
            "max": 1 if self.bar else None,
            # The first is for Grafana 10 and 11, the second for later versions.
            "custom.hidden": self.hidden or None,
            "custom.hideFrom": {"viz": True, "tooltip": False, "legend": False} if self.hidden else None,
            "links": [{"title": "Details", "url": self.link, "targetBlank": False}] if self.link else None,
        }
        return [
            model.DynamicConfigValue(id_val=name, value=value) for name, value in found.items() if value is not None
        ]

    def _mappings(self) -> list[model.ValueMapping]:
        """Return the value mappings. Unlimited is +Inf in metrics, or negative here to be sorted last."""
        unlimited = model.ValueMappingResult(text="unlimited", color="text", index=0)
        ranges = [
            model.RangeMap(options=model.DashboardRangeMapOptions(from_val=from_, to=to, result=unlimited))
            for from_, to in ((1e300, None), (None, -0.5))
        ]
        return [
            *([looks(self.shown)] if self.shown else []),
            *(ranges if self.unlimited else []),
            *([_NO_VALUE] if self.is_value else []),
        ]

    def _cell(self) -> Mapping[str, str] | None:
        """Return the cell type, None for plain text."""
        if self.bar:
            return {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"}
        colored = self.steps or any(isinstance(look, tuple) for look in (self.shown or {}).values())
        return {"type": "color-text"} if colored else None


def rows(
    title: str,
    description: str,
    queries: Sequence[str],
    columns: Sequence[Column],
    *,
    size: tuple[int, int],
    none: str,
    sort: Sequence[tuple[str, bool]] = (),
    order: str = "",
    link: str = "",
) -> table.Panel:
    """Return a table with a row per series; series of several ``queries`` with the same labels share a row.

    ``sort`` has pairs of a header and whether the order is descending; ``order`` is a hidden label to sort by.
    ``none`` is the text of an empty table.
    """
    fields = [column.field for column in columns]
    targets: list[Builder[Dataquery]] = [
        now(query, ref=chr(ord("A") + index)).format(PromQueryFormat.TABLE) for index, query in enumerate(queries)
    ]
    panel = with_common_options(table.Panel(), title, description, targets, size=size, unit=COUNT, none=none, link=link)
    if len(queries) > 1:
        panel.with_transformation(model.DataTransformerConfig(id_val="merge", options={}))
    if order:
        sort_by = {"fields": {}, "sort": [{"field": order}]}
        panel.with_transformation(model.DataTransformerConfig(id_val="sortBy", options=sort_by))
    panel.with_transformation(
        model.DataTransformerConfig(
            id_val="organize",
            options={
                # The product, if there is only one.
                "excludeByName": {"Time": True}
                | ({} if "family" in fields else {"family": True})
                | ({order: True} if order else {}),
                "includeByName": {},
                "indexByName": {field: index for index, field in enumerate(fields)},
                "renameByName": {column.field: column.head for column in columns},
            },
        )
    )
    panel.sort_by([common.TableSortByFieldState().display_name(head).desc(desc) for head, desc in sort])
    panel.show_header(True).cell_height(kinds.TableCellHeight.SM).footer(common.TableFooterOptions().show(False))
    for column in columns:
        if properties := column.properties():
            panel.override_by_name(column.head, properties)
    return panel
