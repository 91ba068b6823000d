"""Plant each kind of dirt: rows of a table that an importer should catch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from experiments.simulator.configuration.clock import DAY_US
from experiments.simulator.configuration.identifiers import format_ids
from features.contract.tables import TABLE_BY_NAME

OWN_NAME: Final = frozenset({"products", "listings", "orders", "reviews", "videos"})
"""Tables whose rows have an identifier."""
CONFLICT: Final = {
    "products": "unit_cost_minor",
    "listings": "list_price_minor",
    "orders": "unit_price_minor",
}
"""The column in which the rows of a conflicting pair differ."""
PARENT: Final = {
    "deliveries": "order_line_id",
    "returns": "order_line_id",
    "video_stats": "video_id",
    "stock": "listing_id",
    "prices": "listing_id",
}
"""The column that names a row of the parent table."""
CLOCKS_APART_DAYS: Final = 0.25
A_MOMENT_DAYS: Final = 1 / 7_919
RETURNED_AFTER_DAYS: Final = 12.5
RETURNED_BEFORE_DAYS: Final = 3.25


@dataclass(frozen=True)
class DirtSite:
    """A table of a chunk to plant dirt in, with the other tables and the random numbers."""

    chunk: int
    name: str
    tables: dict[str, pa.Table]
    rng: np.random.Generator

    @property
    def clean(self) -> pa.Table:
        """Return the clean rows."""
        return self.tables[self.name]

    def sample_rows(self, rows: int) -> pa.Table:
        """Return some clean rows, each at most once."""
        picked = self.rng.permutation(self.clean.num_rows)[:rows]
        return self.clean.take(pa.array(np.sort(picked)))

    def format_new_ids(self, kind: str, rows: int) -> pa.Array:
        """Return identifiers that no clean row has."""
        return format_ids(f"DIRT-{kind}-", (np.full(rows, self.chunk), 5), (np.arange(rows), 7))


def _replace_column(table: pa.Table, column: str, values: object) -> pa.Table:
    """Return a table with other values in a column; a text is the value of all rows."""
    field = table.schema.field(column)
    column_values = (
        pa.repeat(values, table.num_rows) if isinstance(values, str) else pa.array(values)
    )
    return table.set_column(
        table.schema.get_field_index(column), field, column_values.cast(field.type)
    )


def _shift_time(table: pa.Table, column: str, days: float) -> pa.Array:
    wait = pa.scalar(round(days * DAY_US), pa.duration("us"))
    return pc.add(table[column], wait).combine_chunks()


def _rename_rows(site: DirtSite, kind: str, rows: int) -> pa.Table:
    """Return some clean rows under new identifiers."""
    picked = site.sample_rows(rows)
    if site.name not in OWN_NAME:
        return picked
    names = site.format_new_ids(kind, picked.num_rows)
    return _replace_column(picked, TABLE_BY_NAME[site.name].key[0], names)


def repeat_rows(site: DirtSite, rows: int) -> pa.Table:
    """Return identical copies of some rows."""
    return site.sample_rows(rows)


def conflict_pairs(site: DirtSite, rows: int) -> pa.Table:
    """Return pairs of rows with equal keys and different contents; the check removes both."""
    first = _rename_rows(site, "twin", max(rows // 2, 1))
    column = CONFLICT[site.name]
    second = _replace_column(first, column, pc.add(first[column], 1).combine_chunks())
    return pa.concat_tables([first, second])


def orphan_rows(site: DirtSite, rows: int) -> pa.Table:
    """Return rows without a parent row."""
    picked = site.sample_rows(rows)
    return _replace_column(
        picked, PARENT[site.name], site.format_new_ids("orphan", picked.num_rows)
    )


def skew_clocks(site: DirtSite, rows: int) -> pa.Table:
    """Return rows that were known before they happened, as two clocks disagree."""
    skewed = _rename_rows(site, "skew", rows)
    if site.name not in OWN_NAME:
        skewed = _replace_column(
            skewed, "event_time", _shift_time(skewed, "event_time", A_MOMENT_DAYS)
        )
    return _replace_column(
        skewed, "available_at", _shift_time(skewed, "event_time", -CLOCKS_APART_DAYS)
    )


def _pick_unreturned_lines(site: DirtSite, rows: int) -> pa.Table:
    """Return some order lines without a return."""
    orders, returns = site.tables["orders"], site.tables["returns"]
    is_returned = pc.is_in(orders["order_line_id"], value_set=returns["order_line_id"])
    kept = np.flatnonzero(~is_returned.to_numpy(zero_copy_only=False))
    return orders.take(pa.array(np.sort(site.rng.permutation(kept)[:rows])))


def _make_returns(site: DirtSite, lines: pa.Table, units: pa.ChunkedArray, days: float) -> pa.Table:
    columns = {
        "order_line_id": lines["order_line_id"],
        "units": units,
        "reason": pa.repeat("changed_mind", lines.num_rows),
        "event_time": _shift_time(lines, "event_time", days),
        "available_at": _shift_time(lines, "event_time", days + 1),
    }
    return pa.table(columns).cast(site.clean.schema)


def return_excess(site: DirtSite, rows: int) -> pa.Table:
    """Return rows that return more units than the line has."""
    lines = _pick_unreturned_lines(site, rows)
    return _make_returns(site, lines, pc.add(lines["units"], 1), RETURNED_AFTER_DAYS)


def return_before_order(site: DirtSite, rows: int) -> pa.Table:
    """Return rows that return units before their order."""
    lines = _pick_unreturned_lines(site, rows)
    return _make_returns(site, lines, lines["units"], -RETURNED_BEFORE_DAYS)


def change_currency(site: DirtSite, rows: int) -> pa.Table:
    """Return listings in a currency that isn't their market's."""
    return _replace_column(_rename_rows(site, "currency", rows), "currency", "XAF")


def mistype_currency(site: DirtSite, rows: int) -> pa.Table:
    """Return listings with a currency that doesn't exist."""
    return _replace_column(_rename_rows(site, "mistyped", rows), "currency", "dollars")


def add_personal_data(site: DirtSite, rows: int) -> pa.Table:
    """Return products whose titles hold an e-mail address or a telephone number."""
    planted = _rename_rows(site, "personal", rows)
    titles = [
        f"{title} jo.buyer{index}@example.com" if index % 2 else f"{title} +44 20 7946 {index:04d}"
        for index, title in enumerate(planted["title"].to_pylist())
    ]
    return _replace_column(planted, "title", titles)


def change_category(site: DirtSite, rows: int) -> pa.Table:
    """Return products of categories that no clean product has."""
    planted = _rename_rows(site, "category", rows)
    return _replace_column(
        planted, "category", [f"unseen {index % 3}" for index in range(planted.num_rows)]
    )
