"""The data sets to compare on, each with its training rows made once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import pyarrow as pa

from experiments.benchmarks.features.markets import ensure_validated
from experiments.simulator.configuration.configuration import Simulation
from features.dataset.horizons import Horizons
from features.runtime.progress import ProgressCallback
from training.checkpoints.checkpoints import Checkpoints
from training.checkpoints.code_version import code_version
from training.checkpoints.run_lock import run_lock
from training.data.prepare_rows import VALIDATED, prepare_rows


@dataclass(frozen=True)
class Source:
    """A data set; those of equal `data` are repetitions of each other."""

    data: str
    directory: Path
    """Where its source tables are, or are to be simulated."""
    market: Simulation | None = None

    @property
    def seed(self) -> int | None:
        """Return the seed of a simulated market."""
        return None if self.market is None else self.market.seed


def market_source(market: Simulation, work: Path) -> Source:
    """Return a simulated market as a data set whose tables are kept in `work`."""
    name = f"{market.products}-{market.days}-{market.seed}"
    data = f"simulated market of {market.products:,} products and {market.days} days"
    return Source(data, work / f"objectives-{name}", market)


def rows_directory(source: Source, work: Path) -> Path:
    """Return where a data set's rows are kept: namesakes in other places have others."""
    place = source.directory.resolve()
    return work / f"{place.name}-{crc32(str(place).encode()):08x}-rows"


def load_rows(
    source: Source, work: Path, horizons: Horizons, *, progress: ProgressCallback
) -> pa.Table:
    """Return the rows to train on; a later run finds them in `work`.

    Raises:
        DataError: a table is broken as a whole, or a required one has no valid row.
        StorageError: the disk refuses, or another process is at work on the data set.
    """
    run = rows_directory(source, work)
    with run_lock(run):
        if source.market is not None:
            progress("the market")
            ensure_validated(source.market, source.directory, run / VALIDATED)
        checkpoints = Checkpoints(run, code_version(), progress)
        return prepare_rows(source.directory, horizons, checkpoints, progress).rows
