"""The data sets to compare on, and their training rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from experiments.benchmarks.markets import ensure_valid_market, market_name
from experiments.simulator.configuration.configuration import Simulation
from features.dataset.horizons import Horizons
from features.runtime.errors import SettingsError
from features.runtime.progress import ProgressCallback
from training.checkpoints.checkpoints import Checkpoints
from training.checkpoints.code_version import code_version
from training.checkpoints.run_lock import run_lock
from training.data.prepare_rows import VALIDATED, PreparedRows, prepare_rows


class NoSourcesError(SettingsError):
    """Refuse a comparison on no data."""

    def __init__(self) -> None:
        super().__init__(
            problem="There is neither a market nor a data set to compare on.",
            hint="Give --data, or --seeds 1 or more.",
        )


@dataclass(frozen=True)
class Source:
    """A data set; sources of equal `data` are repetitions of each other."""

    data: str
    directory: Path
    """The directory of the source tables, or where to simulate them."""
    market: Simulation | None = None

    @property
    def seed(self) -> int | None:
        """Return the seed of a simulated market, None for other data."""
        return None if self.market is None else self.market.seed


def market_source(market: Simulation, work: Path) -> Source:
    """Return a simulated market as a data set whose tables are kept in `work`."""
    data = f"simulated market of {market.products:,} products and {market.days} days"
    return Source(data, work / f"objectives-{market_name(market)}", market)


def rows_directory(source: Source, work: Path) -> Path:
    """Return the directory of a data set's rows, another one for each path of the same name."""
    path = source.directory.resolve()
    return work / f"{path.name}-{crc32(str(path).encode()):08x}-rows"


def load_rows(
    source: Source, work: Path, horizons: Horizons, *, progress: ProgressCallback
) -> PreparedRows:
    """Return the training rows of a data set; they are kept in `work` for later runs.

    Raises:
        DataError: a table is broken as a whole, or a required table has no valid row.
        StorageError: the disk refuses, or another process uses the data set.
    """
    run = rows_directory(source, work)
    with run_lock(run):
        if source.market is not None:
            progress("the market")
            ensure_valid_market(source.market, source.directory, run / VALIDATED)
        checkpoints = Checkpoints(run, code_version(), progress)
        return prepare_rows(source.directory, horizons, checkpoints, progress)
