"""Read the candidates of a file with the same reading of files and cells as `xuanpin check`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import duckdb
import pandera.pandas as pandera
import pyarrow as pa

from features.cells.casting import cast_cells, find_unreadable, simplify
from features.cells.faults import explain_unreadable
from features.contract.columns import (
    CURRENCIES,
    MARKETS,
    Table,
    choice,
    count,
    identifier,
    money,
)
from features.contract.errors import DuplicateColumnsError, UnreadableFileError
from features.files.file_format import DOWNLOAD_AGAIN, FileFormat, detect_format
from features.files.source import check_columns
from features.files.table_files import read_batches, read_column_types
from serving.batch.errors import NoCandidateFileError
from serving.batch.formulas import remove_guards, remove_name_guards
from serving.scoring.candidates import Candidate, parse_candidate
from serving.scoring.refusals import Detail, Loc

BATCH_ROWS: Final = 2_000
"""Rows that are cast at once: a query costs as much as reading hundreds of rows."""

CANDIDATES: Final = Table(
    name="candidates",
    row="a product in a market, at a price and in a quantity",
    key=(),
    schema=pandera.DataFrameSchema(
        {
            "product_id": identifier("the product"),
            "market": choice("ISO 3166 country to sell it in", MARKETS),
            "list_price_minor": money("its price"),
            "currency": choice("the market's currency", CURRENCIES),
            "units_offered": count("size of the lot", unit="units", minimum=1),
            "listing_id": identifier("the listing, if it is live", required=False),
            "category": identifier("leaf category of a new product", required=False),
            "supplier_id": identifier("supplier of a new product", required=False),
            "creator_id": identifier("creator of the next video", required=False),
            "candidate_id": identifier("the caller's own name of the row", required=False),
        }
    ),
)
"""The columns of a file of candidates; tests hold that they are the fields of `Candidate`."""

MALFORMED: Final = Detail(("row",), "wrong_number_of_cells")
_UNREADABLE: Final = ()
"""Stands for a cell that is no number: no field of a candidate accepts it."""


@dataclass(frozen=True)
class CandidateRows:
    """Some rows of a file: all their cells, and each row's candidate or its first fault."""

    cells: pa.Table
    candidates: list[Candidate | Detail]
    first_row: int
    """The number of the first row, counted from 1."""


@dataclass(frozen=True)
class CandidateFile:
    """A file whose columns have been checked."""

    path: Path
    columns: pa.Schema
    is_csv: bool

    def batches(self) -> Iterator[CandidateRows]:
        """Read all rows in order, at most `BATCH_ROWS` at a time.

        Raises:
            UnreadableFileError: the file isn't in the format of its name.
        """
        with _connect() as connection:
            for batch in read_batches(self.path, 0, BATCH_ROWS):
                cells = self._restore(batch.cells)
                candidates = _parse_rows(connection, cells, batch.is_malformed.tolist())
                yield CandidateRows(cells, candidates, int(batch.row_numbers[0]))

    def _restore(self, cells: pa.Table) -> pa.Table:
        """Return the cells as they were before they were written as CSV."""
        if not self.is_csv:
            return cells
        return pa.table([remove_guards(column) for column in cells.columns], schema=self.columns)


def open_candidates(path: Path) -> CandidateFile:
    """Check the columns of a file without reading its rows.

    Raises:
        NoCandidateFileError: there is no such file.
        UnreadableFileError: the file isn't in the format of its name.
        MissingColumnsError: a required column is missing.
        DuplicateColumnsError: two columns have the same name.
        WrongTypeError: a column has a type that can't hold its values.
    """
    if not path.is_file():
        raise NoCandidateFileError(path)
    check_columns(CANDIDATES, path, partitions={})
    columns = pa.schema(read_column_types(path))
    if not columns.names:
        raise UnreadableFileError(path, "all its lines are blank", DOWNLOAD_AGAIN)
    is_csv = detect_format(path) is FileFormat.CSV
    return CandidateFile(path, _restore_names(path, columns) if is_csv else columns, is_csv)


def _restore_names(path: Path, columns: pa.Schema) -> pa.Schema:
    """Return the columns with their names as they were before they were written as CSV."""
    names = remove_name_guards(columns.names)
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise DuplicateColumnsError(path, repeated)
    return pa.schema([(name, pa.string()) for name in names])


@contextmanager
def _connect() -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an engine for small queries: threads would cost more than they save."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": 1,
        "autoinstall_known_extensions": "false",  # a file of candidates needs no network
    }
    with duckdb.connect(config=config) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def _parse_rows(
    connection: duckdb.DuckDBPyConnection, cells: pa.Table, is_malformed: list[bool]
) -> list[Candidate | Detail]:
    """Return each row's candidate, or its first fault of form with its reason."""
    typed = cast_cells(connection, CANDIDATES, cells)
    unreadable = find_unreadable(CANDIDATES, cells, typed)
    columns = _fill_unreadable(cells, typed, unreadable)
    reasons: dict[tuple[Loc, int], str] = {
        ((fault.column,), row): fault.reason
        for fault in explain_unreadable(CANDIDATES, cells, unreadable)
        for row in _true_rows(fault.cells)
    }
    rows = zip(*columns.values(), is_malformed, strict=True)
    candidates = [
        MALFORMED
        if malformed
        else parse_candidate(
            {name: value for name, value in zip(columns, row, strict=True) if value is not None}
        )
        for *row, malformed in rows
    ]
    return [
        replace(candidate, reason=reasons.get((candidate.loc, row), ""))
        if reasons and isinstance(candidate, Detail)
        else candidate
        for row, candidate in enumerate(candidates)
    ]


def _fill_unreadable(
    cells: pa.Table, typed: pa.Table, unreadable: dict[str, pa.ChunkedArray]
) -> dict[str, list[Any]]:
    """Return the values of each field of a candidate; None for an empty cell.

    A text that is no identifier stays as it is: the candidate refuses it as one of a request.
    """
    columns = {name: typed[name].to_pylist() for name in typed.column_names}
    for name, mask in unreadable.items():
        is_text = pa.types.is_string(typed.schema.field(name).type)
        texts = simplify(cells[name]) if is_text else ()
        for row in _true_rows(mask):
            columns[name][row] = texts[row].as_py() if is_text else _UNREADABLE
    return columns


def _true_rows(mask: pa.ChunkedArray) -> list[int]:
    rows: list[int] = mask.to_numpy().nonzero()[0].tolist()
    return rows
