"""A line of far too many units counts as what is large among the lines known before it."""

from __future__ import annotations

from collections.abc import Iterator

import ibis
import numpy as np
import pandas as pd
import pytest
from ibis.backends.duckdb import Backend

from features.dataset.limited_units import limit_units
from features.validation.far_values import MAX_LINE_RATIO, MIN_LINES

START = pd.Timestamp("2024-01-01")
LINES = 2 * MIN_LINES
"""Half of them on each of two days, three units at most."""
LIMIT = MAX_LINE_RATIO * 4
"""Three units, rounded up to a power of two."""
MAD = LINES - 1
"""The position of the last line."""


@pytest.fixture(scope="module")
def connection() -> Iterator[Backend]:
    engine = ibis.duckdb.connect()
    yield engine
    engine.disconnect()


def lines(**units: int) -> pd.DataFrame:
    """Return order lines; `units` are of the lines named `l` and their position."""
    position = np.arange(LINES)
    names = [f"l{i}" for i in position]
    known = START + pd.to_timedelta(position // MIN_LINES, unit="D") + pd.Timedelta(hours=9)
    usual = dict(zip(names, (position % 3 + 1).tolist(), strict=True))
    return pd.DataFrame(
        {"order_line_id": names, "units": list((usual | units).values()), "available_at": known}
    )


def limit(
    connection: Backend, orders: pd.DataFrame, returned: int = 1
) -> tuple[dict[str, int], int]:
    """Return the units of each line, and the units returned of the last one."""
    back = pd.DataFrame({"order_line_id": [f"l{MAD}"], "units": [returned]})
    tables = {"orders": ibis.memtable(orders), "returns": ibis.memtable(back)}
    limited = limit_units(connection, tables)
    frames = {name: connection.to_pyarrow(table).to_pandas() for name, table in limited.items()}
    return dict(zip(frames["orders"].order_line_id, frames["orders"].units, strict=True)), int(
        frames["returns"].units.iloc[0]
    )


@pytest.mark.parametrize(
    ("units", "returned", "kept", "back"),
    [
        (3, 3, 3, 3),
        (LIMIT, LIMIT, LIMIT, LIMIT),
        (LIMIT + 1, LIMIT + 1, LIMIT, LIMIT),
        (1_000_000, 1_000_000, LIMIT, LIMIT),
        (1_000_000, 500_000, LIMIT, LIMIT // 2),
        (1_000_000, 1, LIMIT, 0),
    ],
)
def test_large_line_counts_as_its_limit_and_its_returns_in_proportion(
    connection: Backend, units: int, returned: int, kept: int, back: int
) -> None:
    orders = lines(**{f"l{MAD}": units})
    limited, still_back = limit(connection, orders, returned)
    assert limited == dict(zip(orders.order_line_id, orders.units, strict=True)) | {f"l{MAD}": kept}
    assert still_back == back


def test_line_before_enough_others_are_known_has_no_limit(connection: Backend) -> None:
    limited, _ = limit(connection, lines(l0=1_000_000))
    assert limited["l0"] == 1_000_000


def test_limit_of_a_day_comes_from_earlier_days_alone(connection: Backend) -> None:
    of_the_same_day = {f"l{i}": 64 for i in range(MIN_LINES, LINES)}
    limited, _ = limit(connection, lines(**of_the_same_day))
    assert limited[f"l{MAD}"] == LIMIT


def test_table_without_large_lines_stays_the_same_object(connection: Backend) -> None:
    tables = {"orders": ibis.memtable(lines())}
    assert limit_units(connection, tables) is tables
