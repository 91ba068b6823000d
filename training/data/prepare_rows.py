"""From source tables to training rows, each stage made once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from features.catalogue.catalogue import CATALOGUE
from features.contract.tables import TABLES
from features.dataset.dataset import open_dataset
from features.dataset.horizons import Horizons
from features.point_in_time.imputed_stock import with_stock
from features.point_in_time.signal_rows import SignalRows, stored_rows
from features.point_in_time.training_rows import build_training_rows
from features.runtime.atomic import replacing
from features.runtime.refusals import storage_errors
from features.validation.report import Report, read_report
from features.validation.source import find_tables
from features.validation.validate import validate
from training.checkpoints.checkpoints import Checkpoints, Reached, file_digest

Tell = Callable[[str], None]
"""Told in a few words what begins."""

VALIDATED: Final = "validated"
TRAINING_ROWS: Final = "training_rows.parquet"
ROW_GROUP_ROWS: Final = 100_000
"""So that the workers of a cluster can each read a part."""
CHECK: Final = "check"
FEATURES: Final = "features"


@dataclass(frozen=True)
class ValidatedTables:
    """The validated tables of a run, opened in the engine by whoever needs their signals first."""

    directory: Path
    horizons: Horizons

    @cached_property
    def signals(self) -> SignalRows:
        """Open the tables, with a stock table made by a rule where the source has none."""
        dataset = with_stock(open_dataset(self.directory), self.horizons)
        return stored_rows(dataset, self.horizons)


@dataclass(frozen=True)
class KnownRows:
    """What the source tables say: their report and the rows to train on."""

    report: Report
    rows: pa.Table
    validated: ValidatedTables
    reused: tuple[str, ...]
    """Names of the stages that an earlier process had finished."""


def known_rows(source: Path, horizons: Horizons, checkpoints: Checkpoints, tell: Tell) -> KnownRows:
    """Check the tables of a source directory and compute the rows to train on.

    What an earlier process made of the same bytes by the same code is used as it is. Rows are
    always those of the file, so that it makes no difference which process computed them.

    Raises:
        DataError: a table is broken as a whole, or a required one has no valid row.
        StorageError: the disk refuses.
    """
    tables = ValidatedTables(checkpoints.run / VALIDATED, horizons)
    path = checkpoints.run / TRAINING_ROWS

    def check() -> None:
        tell(f"{CHECK}: tables against the contract")
        validate(source, tables.directory)

    def compute() -> None:
        tell(f"{FEATURES}: every listing, week by week, as it was known then")
        _write(build_training_rows(tables.signals, CATALOGUE), path)

    checked = checkpoints.reach(CHECK, _facts_of(source), tables.directory, check)
    _tell_if_as_before(CHECK, checked, tell)
    facts = {
        "tables": _tables_of(checked),
        "catalogue": CATALOGUE.fingerprint,
        "horizons": horizons.model_dump(),
    }
    computed = checkpoints.reach(FEATURES, facts, path, compute)
    _tell_if_as_before(FEATURES, computed, tell)
    with storage_errors():
        report, rows = read_report(tables.directory), pq.read_table(path)
    stages = {CHECK: checked, FEATURES: computed}
    reused = tuple(name for name, reached in stages.items() if reached.is_as_before)
    return KnownRows(report, rows, tables, reused)


def _facts_of(source: Path) -> dict[str, object]:
    """Return all that validation sees of a source directory: its name, files and their bytes.

    Raises:
        DataError: the tables can't be found, or their columns can't be read.
    """
    with storage_errors():
        found = find_tables(source)
        files = {
            path.relative_to(source).as_posix(): file_digest(path)
            for table in found.tables
            for path in table.files
        }
    return {"name": found.name, "files": files, "ignored": found.ignored}


def _tables_of(checked: Reached) -> dict[str, str]:
    """Return the digests of the validated tables, without the account and the quarantine."""
    paths = {table.name: f"{VALIDATED}/{table.name}.parquet" for table in TABLES}
    return {name: checked.files[path] for name, path in paths.items() if path in checked.files}


def _write(rows: pa.Table, path: Path) -> None:
    with replacing(path) as file:
        pq.write_table(rows, file, row_group_size=ROW_GROUP_ROWS)


def _tell_if_as_before(stage: str, reached: Reached, tell: Tell) -> None:
    if reached.is_as_before:
        tell(f"{stage}: as before")
