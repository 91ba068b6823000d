"""Stylised facts that the market aims at, and their measurement in its data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from experiments.simulator.configuration.categories import CATEGORIES, CONSUMABLE
from experiments.simulator.tables.writing import truth_directory
from features.contract.tables import TABLES
from features.runtime.text import escape_glob


@dataclass(frozen=True)
class Fact:
    """A number that the data should show, with a tolerance on the medium preset.

    `query` reads the tables of the contract, `moments` and `candidates` of the truth, and three
    views: `lines` (order lines with category, delivery and returned units), `mature_lines` (those
    whose returns are complete) and `buyers`.
    """

    name: str
    aim: float
    tolerance: float
    query: str


_CONSUMABLES: Final = ", ".join(
    f"'{leaf.name}'" for leaf in CATEGORIES if leaf.repurchase > CONSUMABLE
)
_SIZED: Final = ", ".join(f"'{leaf.name}'" for leaf in CATEGORIES if leaf.is_sized)
_ELECTRIC: Final = ", ".join(f"'{leaf.name}'" for leaf in CATEGORIES if leaf.is_electric)
_RATE: Final = "sum(back) FILTER (WHERE {0}) / sum(units) FILTER (WHERE {0})"

_LINES: Final = """
CREATE VIEW lines AS
SELECT orders.*, products.category, deliveries.event_time AS delivered_at,
    coalesce(came_back.units, 0) AS back,
    date_diff('second', orders.event_time, deliveries.event_time) > 86400 * promised_days AS is_late
FROM orders JOIN listings USING (listing_id) JOIN products USING (product_id)
JOIN deliveries USING (order_line_id)
LEFT JOIN (SELECT order_line_id, sum(units) AS units FROM returns GROUP BY ALL) AS came_back
    USING (order_line_id)
"""
_MATURE: Final = """
CREATE VIEW mature_lines AS
SELECT * FROM lines WHERE event_time < (SELECT max(event_time) FROM orders) - INTERVAL 60 DAY
"""
_BUYERS: Final = """
CREATE VIEW buyers AS
WITH first AS (SELECT listing_id, buyer_key, min(event_time) AS started FROM orders GROUP BY ALL),
again AS (
    SELECT DISTINCT listing_id, buyer_key FROM orders JOIN first USING (listing_id, buyer_key)
    WHERE event_time > started AND event_time <= started + INTERVAL 90 DAY
)
SELECT category, again.buyer_key IS NOT NULL AS came_again
FROM first LEFT JOIN again USING (listing_id, buyer_key)
JOIN listings USING (listing_id) JOIN products USING (product_id)
WHERE started < (SELECT max(event_time) FROM orders) - INTERVAL 90 DAY
"""
_FIRST_SET: Final = """
(SELECT listing_id, arg_min(value, event_time) AS met FROM localisation
 WHERE attribute = '{attribute}' GROUP BY ALL HAVING count(*) = 1)
"""


def _gap(attribute: str, categories: str) -> str:
    return f"""
SELECT {_RATE.format("met = 0")} / ({_RATE.format("met = 1")})
FROM mature_lines JOIN {_FIRST_SET.format(attribute=attribute)} USING (listing_id)
WHERE category IN ({categories})
"""  # noqa: S608 - parts are constants of this file


FACTS: Final = (
    Fact(
        "Repurchase of consumables within 90 days",
        0.23,
        0.02,
        f"SELECT avg(came_again::INT) FROM buyers WHERE category IN ({_CONSUMABLES})",  # noqa: S608 - likewise
    ),
    Fact(
        "Repurchase of other goods within 90 days",
        0.04,
        0.02,
        f"SELECT avg(came_again::INT) FROM buyers WHERE category NOT IN ({_CONSUMABLES})",  # noqa: S608 - likewise
    ),
    Fact("Units returned", 0.07, 0.02, "SELECT sum(back) / sum(units) FROM mature_lines"),
    Fact(
        "Units returned of apparel with sizes",
        0.18,
        0.03,
        f"SELECT sum(back) / sum(units) FROM mature_lines WHERE category IN ({_SIZED})",  # noqa: S608 - likewise
    ),
    Fact("Returns of apparel without a size chart, times", 1.8, 0.25, _gap("size_chart", _SIZED)),
    Fact(
        "Returns of appliances with a wrong plug, times", 3.8, 0.6, _gap("plug_voltage", _ELECTRIC)
    ),
    Fact(
        "Late parcels",
        0.12,
        0.05,
        "SELECT avg(is_late::INT) FROM lines",
    ),
    Fact(
        "Low stars after late parcels, times",
        1.18,
        0.06,
        "SELECT avg((rating <= 2)::INT) FILTER (WHERE is_late)"
        " / avg((rating <= 2)::INT) FILTER (WHERE NOT is_late)"
        " FROM reviews JOIN lines USING (order_line_id)",
    ),
    Fact(
        "Returns after late parcels, times",
        1.3,
        0.06,
        f"SELECT {_RATE.format('is_late')} / ({_RATE.format('NOT is_late')}) FROM mature_lines",  # noqa: S608 - likewise
    ),
    Fact(
        "Days from delivery to return, median",
        6.7,
        0.5,
        "SELECT median(date_diff('second', delivered_at, returns.event_time)) / 86400"
        " FROM returns JOIN mature_lines USING (order_line_id)",
    ),
    Fact("Units a line", 1.12, 0.02, "SELECT avg(units) FROM orders"),
    Fact(
        "Order lines that a creator led to",
        0.08,
        0.03,
        "SELECT avg((creator_id IS NOT NULL)::INT) FROM orders",
    ),
    Fact(
        "Followers of the largest hundredth of creators",
        0.23,
        0.06,
        "WITH last AS"
        " (SELECT creator_id, max(followers) AS followers FROM creator_stats GROUP BY ALL)"
        " SELECT sum(followers) FILTER (WHERE place > 0.99) / sum(followers)"
        " FROM (SELECT *, percent_rank() OVER (ORDER BY followers) AS place FROM last)",
    ),
    Fact(
        "Sell-through in 28 days, mean",
        0.42,
        0.05,
        "SELECT avg(realised_sell_through) FROM moments",
    ),
    Fact(
        "Lots sold out in 28 days",
        0.17,
        0.05,
        "SELECT avg((realised_sell_through = 1)::INT) FROM moments"
        " WHERE realised_sell_through IS NOT NULL",
    ),
    Fact(
        "Candidates listed",
        0.40,
        0.05,
        "SELECT avg(is_listed::INT) FROM candidates",
    ),
)


def measure(data: Path) -> dict[str, float]:
    """Return the value of each fact in the data of a simulated market."""
    with duckdb.connect(config={"memory_limit": "2GB"}) as connection:
        _create_views(connection, data)
        return {fact.name: _query_number(connection, fact.query) for fact in FACTS}


def _query_number(connection: duckdb.DuckDBPyConnection, query: str) -> float:
    (row,) = connection.execute(query).fetchall()
    return float(row[0])


def _create_views(connection: duckdb.DuckDBPyConnection, data: Path) -> None:
    folders = [data / table.name for table in TABLES]
    folders += [truth_directory(data) / name for name in ("moments", "candidates")]
    for folder in folders:
        connection.read_parquet(f"{escape_glob(folder)}/*.parquet").create_view(folder.name)
    for view in (_LINES, _MATURE, _BUYERS):
        connection.execute(view)
