"""The data of the pictures: a market's truth, shared values and tables."""

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
    """A market to draw, with its truth and its tables behind SQL."""

    def __init__(self, data: Path) -> None:
        """Open the data and the truth beside it."""
        self._data = data
        self.truth = Truth.open(truth_directory(data))
        self.world = build_world(self.truth.market)

    @property
    def market(self) -> Simulation:
        """Return the configuration."""
        return self.truth.market

    def query(self, query: str) -> dict[str, Any]:
        """Return the columns of a query, null numbers as NaN.

        The query may name the directories {data} and {truth}.
        """
        text = query.format(data=self._data, truth=truth_directory(self._data))
        with duckdb.connect(config={"memory_limit": "2GB"}) as connection:
            columns = connection.execute(text).fetchnumpy()
        return {name: _fill_nulls(values) for name, values in columns.items()}


def _fill_nulls(values: npt.ArrayLike) -> npt.NDArray[Any]:
    is_number = np.ma.asarray(values).dtype.kind == "f"
    return np.ma.filled(values, np.nan) if is_number else np.asarray(values)
