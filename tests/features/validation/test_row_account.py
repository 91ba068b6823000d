"""Validation accounts for every row: read = valid + dropped + quarantined, for any dirt."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.validation.report import ValidationReport
from features.validation.validate import validate
from tests.worlds.sources import REQUIRED, Row, small_source, write_csv

DIRT: dict[str, list[object]] = {
    "order_line_id": ["l1", "l2", "n1", "n2", None, "?!"],
    "listing_id": ["p1-DE", "p1-GB", "gone", None],
    "units": [1, 2, 0, "x", None, 2.5],
    "event_time": ["2024-03-02", "2024-03-05T00:00:00+08:00", "never", None, "1980-01-01"],
    "available_at": ["2024-03-03", "2024-03-06", None, "?"],
    "reason": ["size", "late; broken", None],
}
DIRTY_ROWS = st.lists(
    st.fixed_dictionaries({name: st.sampled_from(values) for name, values in DIRT.items()}),
    max_size=12,
)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=15
)
@given(orders=DIRTY_ROWS, returns=DIRTY_ROWS, broken_lines=st.integers(0, 2))
def test_validation_of_random_dirty_tables_accounts_for_every_row(
    tmp_path: Path, orders: list[Row], returns: list[Row], broken_lines: int
) -> None:
    clean = small_source()
    source = {name: clean[name] for name in (*REQUIRED, "returns")}
    source["orders"] += [{**clean["orders"][0], **without(row, "reason")} for row in orders]
    source["returns"] += [without(row, "listing_id") for row in returns]
    data = write_csv(tmp_path / "data", source)
    with (data / "returns.csv").open("a", encoding="utf-8") as file:
        file.write("short,row\n" * broken_lines)
    report = validate(data, tmp_path / "out")
    read = {"orders": 3 + len(orders), "returns": 2 + len(returns) + broken_lines}
    for name, rows in read.items():
        assert_accounted(report, tmp_path / "out", name, rows)
    assert json.loads((tmp_path / "out" / "report.json").read_text()) == json.loads(
        report.to_json()
    )


def without(row: Row, name: str) -> Row:
    return {key: cell for key, cell in row.items() if key != name}


def assert_accounted(report: ValidationReport, out: Path, name: str, rows_read: int) -> None:
    """Check the account of a table against the files."""
    account = report.table(name)
    assert account.rows_read == rows_read
    assert account.rows_valid + account.rows_dropped + account.rows_quarantined == rows_read
    valid = out / f"{name}.parquet"
    assert (pq.read_table(valid).num_rows if valid.exists() else 0) == account.rows_valid
    quarantine = out / "quarantine" / f"{name}.parquet"
    reasons = pq.read_table(quarantine)["quarantine_reason"] if quarantine.exists() else []
    assert len(reasons) == account.rows_quarantined
    counted = sum(found.rows for found in account.quarantined)
    assert counted == sum(len(str(reason).split("; ")) for reason in reasons)
