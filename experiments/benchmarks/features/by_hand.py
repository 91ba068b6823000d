"""Compute the windowed features of listings by SQL written by hand: a file in `sql/` a signal.

Each file reads the tables of the contract and `spine` (listing_id, as_of_day). It holds the days
of the default horizons as literals and names its columns as the catalogue does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pyarrow as pa

from features.dataset.dataset import Dataset

QUERIES: Final = tuple(sorted((Path(__file__).parent / "sql").glob("*.sql")))

DAY_OF: Final = """
CREATE OR REPLACE TEMP MACRO day_of(t) AS (epoch_us(t) + 86399999999) // 86400000000
"""
"""SQL that numbers the first midnight at or after a time."""


def compute_windows_by_sql(dataset: Dataset) -> pa.Table:
    """Return the rows of `spine` with every feature that the files compute, as float64.

    The data set's own connection runs the queries, so that both ways have the same limits.
    """
    duck = dataset.connection.con
    duck.execute(DAY_OF)
    columns: list[str] = []
    for query in QUERIES:
        name = query.stem
        text = query.read_text(encoding="utf-8")
        duck.execute(f"CREATE OR REPLACE TEMP TABLE by_hand_{name} AS {text}")
        described = duck.table(f"by_hand_{name}").columns[2:]
        columns += [f"COALESCE({column}, 0)::DOUBLE AS {column}" for column in described]
    joins = "\n".join(
        f"LEFT JOIN by_hand_{query.stem} USING (listing_id, as_of_day)" for query in QUERIES
    )
    names = ", ".join(["listing_id", "as_of_day", *columns])
    text = f"SELECT {names} FROM spine {joins}"  # noqa: S608 - from files beside this one
    result: pa.Table = duck.sql(text).to_arrow_table()
    return result
