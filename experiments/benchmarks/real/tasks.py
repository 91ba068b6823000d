"""The data sets to compare on, each with its settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from experiments.benchmarks.objectives.sources import (
    Source,
    load_rows,
    market_source,
    rows_directory,
)
from experiments.benchmarks.real.by_hand import DECISION, Tables, hand_written_features
from experiments.simulator.configuration.configuration import configure
from features.catalogue.catalogue import CATALOGUE
from features.contract.tables import TABLES
from features.dataset.horizons import Horizons
from features.declarations.targets import Target
from features.importers.online_retail.buyers import PUBLISHED_KEY
from features.importers.online_retail.importer import import_lines
from features.importers.online_retail.source import digest, read_source
from features.importers.online_retail.storage import is_import, write_import
from features.point_in_time.visibility import AS_OF
from features.runtime.atomic import write_directory
from features.runtime.progress import ProgressCallback
from features.runtime.settings import load_section
from training.data.prepare_rows import VALIDATED, PreparedRows
from training.data.training_input import TrainingRecipe
from training.settings import TrainingSettings


@dataclass(frozen=True)
class Task:
    """A data set and how to train on it."""

    source: Source
    recipe: TrainingRecipe

    @property
    def name(self) -> str:
        """Return the name in progress reports."""
        seed = self.source.seed
        return self.source.data if seed is None else f"{self.source.data}, seed {seed}"

    def load_rows(self, work: Path, progress: ProgressCallback) -> PreparedRows:
        """Prepare the training rows; they are kept in `work` for later runs.

        Raises:
            DataError: a table is broken as a whole, or a required table has no valid row.
            StorageError: the disk refuses, or another process uses the data set.
        """
        return load_rows(self.source, work, self.recipe.horizons, progress=progress)

    def load_tables(self, work: Path) -> dict[str, pd.DataFrame]:
        """Return the validated tables behind the training rows, after `load_rows`."""
        directory = rows_directory(self.source, work) / VALIDATED
        paths = {table.name: directory / f"{table.name}.parquet" for table in TABLES}
        return {name: pd.read_parquet(path) for name, path in paths.items() if path.is_file()}


def data_task(text: str, work: Path, progress: ProgressCallback) -> Task:
    """Return the task of `DIR`, `DIR=settings.toml` or the file of Online Retail.

    A file is imported into `work` first.

    Raises:
        DataError: the file isn't Online Retail.
        SettingsError: the settings can't be used.
    """
    path, separator, settings = text.rpartition("=")
    if not separator or not settings.endswith(".toml"):
        path, settings = text, ""
    directory = Path(path)
    if directory.is_file():
        directory = _import_retail(directory, work / f"{directory.stem}-tables", progress)
    recipe = load_recipe(Path(settings) if settings else None)
    return Task(Source(Path(path).stem, directory), recipe)


def market_tasks(preset: str, seeds: int, work: Path) -> list[Task]:
    """Return the simulated markets of a preset, one a seed."""
    markets = [configure(preset, seed=seed) for seed in range(seeds)]
    return [Task(market_source(market, work), load_recipe(None)) for market in markets]


def load_recipe(settings: Path | None) -> TrainingRecipe:
    """Return the product's catalogue with the settings of a file, or with the defaults.

    Raises:
        SettingsError: the file can't be read, a name is unknown or a value is invalid.
    """
    horizons = load_section(Horizons, "horizons", settings)
    training = load_section(TrainingSettings, "training", settings)
    return TrainingRecipe(horizons, CATALOGUE, training)


def features_by_hand(
    rows: pa.Table, tables: Tables, target: Target, horizons: Horizons
) -> pd.DataFrame:
    """Return the features written by hand of training rows, in their order."""
    decisions = rows.select([*DECISION, "sell_through", "sell_through_is_mature"]).to_pandas()
    final = decisions[decisions["sell_through_is_mature"]]
    outcomes = pd.DataFrame(
        {
            "listing_id": final["listing_id"],
            "day": final[AS_OF] + horizons.sell_through_maturity_days,
            "share": final["sell_through"],
        }
    )
    return hand_written_features(
        decisions[list(DECISION)], tables, outcomes, target=target, horizons=horizons
    )


def _import_retail(file: Path, out: Path, progress: ProgressCallback) -> Path:
    """Return the directory of the imported tables; the import is done anew."""
    progress(f"importing {file.name}")
    with write_directory(out, is_import) as partial:
        imported = import_lines(
            read_source(file),
            key=PUBLISHED_KEY,
            source_sha256=digest(file),
            order=None,
            progress=progress,
        )
        write_import(imported, partial)
    return out
