"""Read the rows of a decision log in a period, a bounded batch at a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.runtime.refusals import raise_storage_errors
from serving.decision_log.chain_files import HOUR, LogFile, list_files, read_facts
from serving.decision_log.errors import BrokenLogFileError
from serving.decision_log.verify import list_chains
from serving.scoring.candidates import MAX_CANDIDATES


@dataclass(frozen=True)
class Period:
    """Times from `begin` on and before `end`, by the clock of the service; None has no bound."""

    begin: dt.datetime | None = None
    end: dt.datetime | None = None

    def may_hold(self, file: LogFile) -> bool:
        """Return False if the hour of a file lies outside."""
        begin = dt.datetime.strptime(file.hour, HOUR).replace(tzinfo=dt.UTC)
        is_early = self.begin is not None and begin + dt.timedelta(hours=1) <= self.begin
        return not is_early and (self.end is None or begin < self.end)

    def select(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the rows inside."""
        time = batch.column("time")
        if self.begin is not None:
            batch = batch.filter(pc.greater_equal(time, pa.scalar(self.begin, time.type)))
            time = batch.column("time")
        if self.end is not None:
            batch = batch.filter(pc.less(time, pa.scalar(self.end, time.type)))
        return batch


def find_files(directory: Path, period: Period) -> list[LogFile]:
    """Return the files that may hold rows of a period, a chain after the other.

    Raises:
        NotALogError: the directory holds no log.
        StorageError: the disk refuses.
    """
    with raise_storage_errors():
        files = [file for chain in list_chains(directory) for file in list_files(chain)]
    return [file for file in files if period.may_hold(file)]


def read_rows(
    file: LogFile, period: Period, columns: Sequence[str] | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield a file's rows in a period, at most as many at once as a request may have.

    Raises:
        BrokenLogFileError: it is no part of a decision log.
        StorageError: the disk refuses, or the file was deleted meanwhile.
    """
    with raise_storage_errors():
        read_facts(file.path)
        try:
            with pq.ParquetFile(file.path) as opened:
                for batch in opened.iter_batches(MAX_CANDIDATES, columns=columns):
                    yield period.select(batch)
        except pa.ArrowException as error:
            raise BrokenLogFileError(file.path, "its rows can't be read") from error
