"""Headers: invisible signs never count, and one that lacks columns is refused with the cause."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.files.headers import clean_name
from features.files.source import find_tables
from features.files.table_files import read_batches, read_column_types
from features.runtime.errors import DataError
from features.runtime.text import PYTHON
from tests.worlds.sources import required_source, write_csv

STOCK = "listing_id,on_hand_units,inbound_units,event_time,available_at\n"
ROW = "p1-DE,9,0,2024-03-01,2024-03-01\n"


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


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            b"listing_id,on_hand_units,inbound_units,event_time\n1,2,3,4\n",
            (
                "The file stock.csv (table stock) lacks columns: available_at. It has listing_id, "
                "on_hand_units, inbound_units, event_time. "
                "Add the columns; docs/contract.md lists them."
            ),
        ),
        (
            b"Listing ID,On-Hand Units,INBOUND_UNITS,Event Time,'available_at'\n1,2,3,4,5\n",
            (
                "The file stock.csv (table stock) lacks columns: listing_id, on_hand_units, "
                "inbound_units, event_time, available_at. It has Listing ID, On-Hand Units, "
                "INBOUND_UNITS, Event Time, 'available_at'. "
                "Rename `Listing ID` to listing_id, `On-Hand Units` to on_hand_units, "
                "`INBOUND_UNITS` to inbound_units, `Event Time` to event_time, "
                "`'available_at'` to available_at."
            ),
        ),
        (
            f"Stock report\nShop: Lamps & more\n\n{STOCK}{ROW}".encode(),
            (
                "The file stock.csv has other text above its header, which is in line 4. "
                "Run `tail -n +4 {folder}/stock.csv > {folder}/stock.table.csv`, move the original "
                "away, and name the new file stock.csv. Or delete the lines above it in an editor."
            ),
        ),
        (
            "".join(f'"{line}"\n' for line in (STOCK + ROW).splitlines()).encode(),
            (
                "The file stock.csv has each line in quotes, as a single cell: it was saved as CSV "
                f'twice. Export it again. Or: Run `{PYTHON} -c "import csv, sys; '
                '[print(*row) for row in csv.reader(sys.stdin)]" < {folder}/stock.csv > '
                "{folder}/stock.table.csv`, move the original away, and name the new file "
                "stock.csv."
            ),
        ),
        (
            ROW.encode(),
            (
                "The file stock.csv (table stock) has no header: its first line holds values, not "
                "names. Export it with a header; the table needs listing_id, on_hand_units, "
                "inbound_units, event_time, available_at."
            ),
        ),
        (
            STOCK.replace("\n", f"{',' * 3000}x\n").encode(),
            (
                "The file stock.csv has 3,005 columns; at most 2,000 are read. "
                "Export only the columns that the table needs; docs/contract.md lists them."
            ),
        ),
    ],
)
def test_header_that_lacks_columns_is_refused_with_the_cause(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    write_csv(tmp_path, required_source())
    (tmp_path / "stock.csv").write_bytes(content)
    with pytest.raises(DataError) as caught:
        find_tables(tmp_path)
    assert str(caught.value) == sentence.replace("{folder}", str(tmp_path))
