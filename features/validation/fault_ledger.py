"""Record the faulty and removed rows of each table, with reasons, in DuckDB."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.cells.casting import SQL_TYPES
from features.contract.columns import Table, column_kind
from features.runtime.text import escape_glob

MEMORY_LIMIT: Final = "1GB"
"""DuckDB's memory limit; beyond it, DuckDB spills to the disk beside the result."""

IDENTICAL_DUPLICATE: Final = "identical_duplicate"
"""The reason of rows that are dropped and counted, but not quarantined."""

_BEGIN: Final = """
CREATE TABLE faulty_{table} (row_number BIGINT, column_index SMALLINT, reason VARCHAR);
CREATE TABLE removed_{table} (row_number BIGINT, reason VARCHAR);
CREATE VIEW all_{table} AS
    SELECT row_number, column_index, reason FROM faulty_{table}
    UNION ALL
    SELECT row_number, 0, reason FROM removed_{table} WHERE reason <> '{duplicate}';
"""
_CREATE_VIEW: Final = (
    "CREATE VIEW {table} AS SELECT * FROM checked_{table} ANTI JOIN removed_{table}"
    " USING (row_number)"
)
_COUNTS: Final = """
SELECT
    (SELECT count(DISTINCT row_number) FROM all_{table}),
    (SELECT count(*) FROM removed_{table} WHERE reason = '{duplicate}')
"""
_REASONS: Final = """
SELECT reason, count(*), list_sort(min(row_number, {max_examples})) FROM all_{table}
GROUP BY reason ORDER BY min(column_index), reason
"""
_BY_ROW: Final = """
SELECT row_number, string_agg(reason, '; ' ORDER BY column_index, reason) AS reasons
FROM all_{table} GROUP BY row_number ORDER BY row_number
"""
_REMOVED: Final = "SELECT row_number FROM removed_{table} ORDER BY row_number"
_REMOVE: Final = "INSERT INTO removed_{table} SELECT row_number, $reason FROM ({rows})"


class FaultLedger:
    """Record the faults of rows, and offer the surviving rows of each table as a view.

    The view `{table}` of `connection` holds a table's surviving rows with their `row_number`; it
    is empty for a table that the source lacks.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Use a DuckDB connection of `open_ledger`."""
        self.connection = connection

    def begin(self, table: Table) -> None:
        """Create the tables for the faults of a source table."""
        self.connection.execute(_fill_statement(_BEGIN, table))

    def create_view(self, table: Table, checked: Path | None) -> None:
        """Create the view of a table's surviving rows; `checked` is None if the source lacks it."""
        if checked is None:
            columns = ", ".join(["row_number", *_null_columns(table)])
            no_rows = self.connection.sql("SELECT 0 AS row_number").project(columns).limit(0)
            no_rows.create_view(f"checked_{table.name}")
        else:
            self.connection.read_parquet(escape_glob(checked)).create_view(f"checked_{table.name}")
        self.connection.execute(_fill_statement(_CREATE_VIEW, table))

    def record(self, table: Table, faults: pa.Table) -> None:
        """Record faults of single rows; see `features.validation.row_checks.FAULTS`."""
        self.connection.from_arrow(faults).insert_into(f"faulty_{table.name}")

    def remove(self, table: Table, rows: str, reason: str) -> None:
        """Remove the rows whose `row_number` a query over the views returns."""
        statement = _REMOVE.format(table=table.name, rows=rows)
        self.connection.execute(statement, {"reason": reason})

    def counts(self, table: Table) -> tuple[int, int]:
        """Return the numbers of quarantined rows and of rows dropped as duplicates."""
        quarantined, dropped = self.fetch_row(_fill_statement(_COUNTS, table))
        return int(quarantined), int(dropped)

    def fetch_row(self, query: str, values: dict[str, str] | None = None) -> tuple[Any, ...]:
        """Return the only row of a query over the views."""
        (row,) = self.connection.execute(query, values).fetchall()
        return tuple(row)

    def reasons(self, table: Table, max_examples: int) -> list[tuple[str, int, tuple[int, ...]]]:
        """Return each reason with its number of rows and its first row numbers."""
        statement = _REASONS.format(table=table.name, max_examples=max_examples)
        rows_by_reason = self.connection.execute(statement).fetchall()
        return [(reason, rows, tuple(examples)) for reason, rows, examples in rows_by_reason]

    def reasons_by_row(self, table: Table) -> pa.Table:
        """Return (row_number, reasons) of the quarantined rows in order, with joined reasons."""
        return self.connection.sql(_fill_statement(_BY_ROW, table)).to_arrow_table()

    def find_removed_rows(self, table: Table) -> npt.NDArray[np.int64]:
        """Return the numbers of the removed rows in ascending order."""
        removed = self.connection.execute(_fill_statement(_REMOVED, table)).fetchnumpy()[
            "row_number"
        ]
        return np.asarray(removed, dtype=np.int64)


def _fill_statement(statement: str, table: Table) -> str:
    return statement.format(table=table.name, duplicate=IDENTICAL_DUPLICATE)


def _null_columns(table: Table) -> list[str]:
    types = {name: SQL_TYPES[column_kind(column)] for name, column in table.columns.items()}
    return [f'CAST(NULL AS {sql_type}) AS "{name}"' for name, sql_type in types.items()]


@contextmanager
def open_ledger(directory: Path) -> Iterator[FaultLedger]:
    """Open a ledger in memory that spills into `directory`."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY_LIMIT,
        "temp_directory": str(directory),
        "autoinstall_known_extensions": "false",  # a check needs no network
    }
    with duckdb.connect(config=config) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield FaultLedger(connection)
