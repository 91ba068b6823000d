"""How each kind of dirt is made: rows of a table that an importer should catch."""

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
"""Tables whose rows are known by a name of their own."""
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
"""The column by which a row hangs on another table's."""
CLOCKS_APART_DAYS: Final = 0.25
A_MOMENT_DAYS: Final = 1 / 7_919
RETURNED_AFTER_DAYS: Final = 12.5
RETURNED_BEFORE_DAYS: Final = 3.25


@dataclass(frozen=True)
class DirtSite:
    """A chunk's table to plant in: its clean rows, the other tables of the chunk, and the dice."""

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

    def new_names(self, kind: str, rows: int) -> pa.Array:
        """Return identifiers that no clean row has."""
        return format_ids(f"DIRT-{kind}-", (np.full(rows, self.chunk), 5), (np.arange(rows), 7))


def _replace_column(table: pa.Table, column: str, values: object) -> pa.Table:
    """Return a table with other values in a column; a single text stands for all rows."""
    field = table.schema.field(column)
    every = pa.repeat(values, table.num_rows) if isinstance(values, str) else pa.array(values)
    return table.set_column(table.schema.get_field_index(column), field, every.cast(field.type))


def _shift_time(table: pa.Table, column: str, days: float) -> pa.Array:
    wait = pa.scalar(round(days * DAY_US), pa.duration("us"))
    return pc.add(table[column], wait).combine_chunks()


def _rename_rows(site: DirtSite, kind: str, rows: int) -> pa.Table:
    """Return some clean rows under names of their own."""
    picked = site.sample_rows(rows)
    if site.name not in OWN_NAME:
        return picked
    names = site.new_names(kind, picked.num_rows)
    return _replace_column(picked, TABLE_BY_NAME[site.name].key[0], names)


def repeat_rows(site: DirtSite, rows: int) -> pa.Table:
    """Repeat rows as they are."""
    return site.sample_rows(rows)


def conflict_pairs(site: DirtSite, rows: int) -> pa.Table:
    """Make pairs of rows with one key and different contents: both go."""
    one = _rename_rows(site, "twin", max(rows // 2, 1))
    column = CONFLICT[site.name]
    other = _replace_column(one, column, pc.add(one[column], 1).combine_chunks())
    return pa.concat_tables([one, other])


def orphan_rows(site: DirtSite, rows: int) -> pa.Table:
    """Make rows that hang on something that doesn't exist."""
    picked = site.sample_rows(rows)
    return _replace_column(picked, PARENT[site.name], site.new_names("orphan", picked.num_rows))


def skew_clocks(site: DirtSite, rows: int) -> pa.Table:
    """Make rows that were known before they happened: two clocks disagree."""
    moved = _rename_rows(site, "skew", rows)
    if site.name not in OWN_NAME:
        moved = _replace_column(
            moved, "event_time", _shift_time(moved, "event_time", A_MOMENT_DAYS)
        )
    return _replace_column(
        moved, "available_at", _shift_time(moved, "event_time", -CLOCKS_APART_DAYS)
    )


def _pick_unreturned_lines(site: DirtSite, rows: int) -> pa.Table:
    """Return some order lines of which nothing came back."""
    orders, returns = site.tables["orders"], site.tables["returns"]
    is_back = pc.is_in(orders["order_line_id"], value_set=returns["order_line_id"])
    kept = np.flatnonzero(~is_back.to_numpy(zero_copy_only=False))
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
    """Make returns of more than was bought."""
    lines = _pick_unreturned_lines(site, rows)
    return _make_returns(site, lines, pc.add(lines["units"], 1), RETURNED_AFTER_DAYS)


def return_before_order(site: DirtSite, rows: int) -> pa.Table:
    """Make returns of what wasn't bought yet."""
    lines = _pick_unreturned_lines(site, rows)
    return _make_returns(site, lines, lines["units"], -RETURNED_BEFORE_DAYS)


def change_currency(site: DirtSite, rows: int) -> pa.Table:
    """Make listings in a currency that isn't their market's."""
    return _replace_column(_rename_rows(site, "currency", rows), "currency", "XAF")


def mistype_currency(site: DirtSite, rows: int) -> pa.Table:
    """Make listings in what isn't a currency."""
    return _replace_column(_rename_rows(site, "mistyped", rows), "currency", "dollars")


def add_personal_data(site: DirtSite, rows: int) -> pa.Table:
    """Make products whose titles hold an e-mail address or a telephone number."""
    planted = _rename_rows(site, "personal", rows)
    titles = [
        f"{title} jo.buyer{place}@example.com" if place % 2 else f"{title} +44 20 7946 {place:04d}"
        for place, title in enumerate(planted["title"].to_pylist())
    ]
    return _replace_column(planted, "title", titles)


def change_category(site: DirtSite, rows: int) -> pa.Table:
    """Make products of categories that nothing else belongs to."""
    planted = _rename_rows(site, "category", rows)
    return _replace_column(
        planted, "category", [f"unseen {place % 3}" for place in range(planted.num_rows)]
    )
