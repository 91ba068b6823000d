"""Names in a header: invisible signs and blanks at the ends never count."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.files.headers import clean_name
from features.files.table_files import read_batches, read_column_types


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("order_id", "order_id"),
        ("\ufefforder_id", "order_id"),
        (" order_id\t", "order_id"),
        ("\u00a0order_id\u00a0", "order_id"),
        ("\u3000order_id", "order_id"),
        ("order\u200b_id", "order_id"),
        ("\u202aorder_id\u202c", "order_id"),
        ("Gro\u0308ße", "Größe"),
        ("क्\u200dष", "क्\u200dष"),
        (" ", ""),
        ("Order ID", "Order ID"),
    ],
)
def test_name_is_cleaned_of_what_nobody_sees(name: str, cleaned: str) -> None:
    assert clean_name(name) == cleaned == clean_name(cleaned)


def test_files_give_clean_names_with_their_types_and_rows(tmp_path: Path) -> None:
    csv, parquet = tmp_path / "a.csv", tmp_path / "a.parquet"
    csv.write_text("\ufeff order_id,units\u00a0\n7,1\n8,2\n9,3\n", encoding="utf-8")
    pq.write_table(
        pa.table({" order_id": ["7", "8", "9"], "units\u00a0": ["1", "2", "3"]}), parquet
    )
    for file in (csv, parquet):
        assert [name for name, _ in read_column_types(file)] == ["order_id", "units"]
        batches = list(read_batches(file, 4, batch_rows=2))
        assert [batch.row_numbers.tolist() for batch in batches] == [[5, 6], [7]]
        assert batches[1].cells.to_pylist() == [{"order_id": "9", "units": "3"}]
