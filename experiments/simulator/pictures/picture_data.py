"""A market to draw: its truth, what its chunks share, and its data behind SQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from experiments.simulator.configuration.configuration import Simulation
from experiments.simulator.mechanisms.plan import build_world
from experiments.simulator.tables.writing import truth_directory
from experiments.simulator.truth.reader import Truth


class PictureData:
    """A market to draw: its truth, what its chunks share, and its data behind SQL."""

    def __init__(self, data: Path) -> None:
        """Open the data and the truth beside them."""
        self._data = data
        self.truth = Truth.open(truth_directory(data))
        self.world = build_world(self.truth.market)

    @property
    def market(self) -> Simulation:
        """Return the configuration."""
        return self.truth.market

    def rows(self, query: str) -> dict[str, Any]:
        """Return the columns of a query, null numbers as NaN; it may name {data} and {truth}."""
        text = query.format(data=self._data, truth=truth_directory(self._data))
        with duckdb.connect(config={"memory_limit": "2GB"}) as connection:
            found = connection.execute(text).fetchnumpy()
        return {name: _fill_masked(values) for name, values in found.items()}


def _fill_masked(values: npt.ArrayLike) -> npt.NDArray[Any]:
    is_number = np.ma.asarray(values).dtype.kind == "f"
    return np.ma.filled(values, np.nan) if is_number else np.asarray(values)
