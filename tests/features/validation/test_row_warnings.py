"""Warnings of units that were taken back at once, with the numbers of their rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.validation.validate import validate
from tests.worlds.sources import Row, order, required_source, return_row, write_parquet

FATE = "count as cancelled, neither sold nor returned"
ONE = f"units: 1 row is known within a day of the order (row 2); the units, 2 in all, {FATE}"
SEVERAL = f"(rows 1, 2, 3, 4, 5, …); the units, 7 in all, {FATE}"


@pytest.mark.parametrize(
    ("returns", "ends"),
    [
        ([return_row("l1", 9)], []),
        ([return_row("l1", 2.01)], []),
        ([return_row("l1", 9), return_row("l2", 2, units=2)], [ONE]),
        ([return_row(f"l{line}", 1.1) for line in range(7)], [SEVERAL]),
    ],
)
def test_check_warns_of_units_taken_back_within_a_day(
    tmp_path: Path, returns: list[Row], ends: list[str]
) -> None:
    orders = [order(f"l{line}") for line in range(7)]
    source = {**required_source(), "orders": orders, "returns": returns}
    report = validate(write_parquet(tmp_path / "data", source), tmp_path / "out")
    warnings = report.table("returns").warnings
    assert len(warnings) == len(ends)
    assert all(map(str.endswith, warnings, ends))
