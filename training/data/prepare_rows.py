"""Prepare training rows from source tables, and reuse the stages that are finished."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from features.catalogue.catalogue import CATALOGUE
from features.contract.tables import TABLES
from features.dataset.dataset import open_dataset
from features.dataset.horizons import Horizons
from features.files.source import find_tables
from features.point_in_time.imputed_stock import ensure_stock
from features.point_in_time.signal_rows import SignalRows, build_stored_rows
from features.point_in_time.training_rows import CUT_OFF, build_training_rows
from features.runtime.atomic import write_atomically
from features.runtime.progress import ProgressCallback
from features.runtime.refusals import raise_storage_errors
from features.validation.report import ValidationReport, read_report
from features.validation.validate import validate
from training.checkpoints.checkpoints import Checkpoints, StageResult, file_digest

VALIDATED: Final = "validated"
TRAINING_ROWS: Final = "training_rows.parquet"
ROW_GROUP_ROWS: Final = 100_000
"""Each worker of a cluster reads whole row groups."""
CHECK: Final = "check"
FEATURES: Final = "features"


@dataclass(frozen=True)
class ValidatedTables:
    """The validated tables of a run, which are open only while their signals are needed."""

    directory: Path
    horizons: Horizons

    @contextmanager
    def open_signals(self) -> Iterator[SignalRows]:
        """Open the tables for a block; a rule imputes the stock table if the source has none.

        The engine gives back its memory at the end. Models fit in it, while the tables wait.
        """
        dataset = open_dataset(self.directory)
        try:
            yield build_stored_rows(ensure_stock(dataset, self.horizons), self.horizons)
        finally:
            dataset.connection.disconnect()


@dataclass(frozen=True)
class PreparedRows:
    """The file of the training rows with the validation report of their source tables."""

    report: ValidationReport
    path: Path
    row_count: int
    metadata: Mapping[bytes, bytes]
    """Of the rows' schema (features/point_in_time/training_rows.py)."""
    validated: ValidatedTables
    reused: tuple[str, ...]
    """Names of the stages that an earlier process had finished."""

    def read_rows(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Read the rows from their file: all columns, or those that are named.

        Raises:
            StorageError: the file can't be read.
        """
        with raise_storage_errors():
            return pq.read_table(self.path, columns=None if columns is None else list(columns))

    @property
    def cut_off_day(self) -> int:
        """Return the last day whose orders the data can hold in full."""
        return int(self.metadata[CUT_OFF])


def prepare_rows(
    source: Path, horizons: Horizons, checkpoints: Checkpoints, progress: ProgressCallback
) -> PreparedRows:
    """Check the tables of a source directory and compute the training rows.

    Results that an earlier process computed from the same bytes with the same code are reused.
    Rows are always read back from their file, so that it makes no difference which process wrote
    it.

    Raises:
        DataError: a table is broken as a whole, or a required one has no valid row.
        StorageError: the disk refuses.
    """
    tables = ValidatedTables(checkpoints.run / VALIDATED, horizons)
    path = checkpoints.run / TRAINING_ROWS

    def check() -> None:
        progress(f"{CHECK}: tables against the contract")
        validate(source, tables.directory)

    def compute() -> None:
        progress(f"{FEATURES}: weekly rows of every listing, as known at the time")
        with tables.open_signals() as signals:
            _write_rows(build_training_rows(signals, CATALOGUE), path)

    checked = checkpoints.run_stage(CHECK, _source_facts(source), tables.directory, check)
    _report_reuse(CHECK, checked, progress)
    facts = {
        "tables": _table_digests(checked),
        "catalogue": CATALOGUE.fingerprint,
        "horizons": horizons.model_dump(),
    }
    computed = checkpoints.run_stage(FEATURES, facts, path, compute)
    _report_reuse(FEATURES, computed, progress)
    with raise_storage_errors():
        report = read_report(tables.directory)
        with pq.ParquetFile(path) as file:
            row_count, metadata = file.metadata.num_rows, file.schema_arrow.metadata
    stages = {CHECK: checked, FEATURES: computed}
    reused = tuple(name for name, result in stages.items() if result.is_reused)
    return PreparedRows(report, path, row_count, metadata, tables, reused)


def _source_facts(source: Path) -> dict[str, object]:
    """Return everything that validation depends on: the directory's name and its files' digests.

    Raises:
        DataError: the tables can't be found, or their columns can't be read.
    """
    with raise_storage_errors():
        tables = find_tables(source)
        files = {
            path.relative_to(source).as_posix(): file_digest(path)
            for table in tables.tables
            for path in table.files
        }
    return {"name": tables.name, "files": files, "ignored": tables.ignored}


def _table_digests(checked: StageResult) -> dict[str, str]:
    """Return the digests of the validated tables, without those of report and quarantine."""
    paths = {table.name: f"{VALIDATED}/{table.name}.parquet" for table in TABLES}
    return {name: checked.files[path] for name, path in paths.items() if path in checked.files}


def _write_rows(rows: pa.Table, path: Path) -> None:
    with write_atomically(path) as file:
        pq.write_table(rows, file, row_group_size=ROW_GROUP_ROWS)


def _report_reuse(stage: str, result: StageResult, progress: ProgressCallback) -> None:
    if result.is_reused:
        progress(f"{stage}: reused")
