"""The data sets to compare on, and their training rows at earlier ends of the data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import pyarrow as pa
import pyarrow.compute as pc

from experiments.benchmarks.markets import ensure_valid_market, market_name
from experiments.simulator.configuration.configuration import Simulation
from features.dataset.horizons import Horizons
from features.declarations.targets import TARGETS
from features.point_in_time.training_rows import CUT_OFF
from features.point_in_time.visibility import AS_OF
from features.runtime.errors import SettingsError
from features.runtime.progress import ProgressCallback
from training.checkpoints.checkpoints import Checkpoints
from training.checkpoints.code_version import code_version
from training.checkpoints.run_lock import run_lock
from training.data.prepare_rows import VALIDATED, prepare_rows


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
) -> pa.Table:
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
        return prepare_rows(source.directory, horizons, checkpoints, progress).read_rows()


def read_cut_off_day(rows: pa.Table) -> int:
    """Return the day up to which the source data of training rows are complete."""
    return int(rows.schema.metadata[CUT_OFF])


def restrict_to_cut_off(rows: pa.Table, cut_off_day: int, horizons: Horizons) -> pa.Table:
    """Return the rows of moments until `cut_off_day`, with the labels that were final by then.

    The features of a row depend on its own past only and stay as they are. A label counts as final
    once its target's maturity is over. So does a return risk that waited longer for a late parcel:
    the rows don't hold when its last window closed.
    """
    until = rows.filter(pc.less_equal(rows[AS_OF], cut_off_day))
    for target in TARGETS:
        name = f"{target}_is_mature"
        over = pc.less_equal(pc.add(until[AS_OF], horizons.maturity_days(target)), cut_off_day)
        is_final = pc.and_(until[name], over)
        until = _replace_column(until, name, is_final)
        until = _replace_column(until, target, pc.if_else(is_final, until[target], None))
    return until.replace_schema_metadata({**rows.schema.metadata, CUT_OFF: str(cut_off_day)})


def _replace_column(rows: pa.Table, name: str, column: pa.ChunkedArray) -> pa.Table:
    return rows.set_column(rows.column_names.index(name), name, column)
