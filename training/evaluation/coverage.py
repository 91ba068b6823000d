"""How often intervals hold, and how wide they are, in every cell and beside the plain ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from features.runtime.arrays import BoolArray, FloatArray, IntArray
from serving.conformal.cells import ROOT, Cell, Footing
from serving.conformal.intervals import CellResiduals
from serving.prediction.target_model import TargetModel
from training.data.time_split import Division
from training.data.training_input import Material
from training.metrics.bootstrap import cluster_sums
from training.metrics.metrics import Forecast

LEAST_CELL_ROWS: Final = 200
"""Of fewer rows, a share of 80 % is known no better than to three in a hundred, were they all of
different listings; `Coverage.error` says how well it is known as they are."""

MOST_CELLS: Final = 40
"""Cells reported one by one, the largest."""

EVERYONE: Final = "all"


@dataclass(frozen=True)
class _Rows:
    """Rows of the latest slice with what was said of them, each array of shape (rows,)."""

    label: FloatArray
    said: Forecast
    plain: tuple[FloatArray, FloatArray]
    """Low and high of plain intervals."""
    listings: IntArray

    def where(self, mask: BoolArray) -> _Rows:
        """Return the rows that a mask picks."""
        low, high = self.plain
        return _Rows(
            self.label[mask], self.said.where(mask), (low[mask], high[mask]), self.listings[mask]
        )


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """The intervals of a cell's rows, in the latest slice."""

    rows: int
    listings: int
    coverage: float
    """Share of rows within their interval."""
    error: float
    """Standard error of that share, as listings come by chance and all rows of one together
    (Liang and Zeger 1986, "Longitudinal data analysis using generalized linear models"): so much
    a coverage differs from what holds in the long run, and twice as much in one case of 20. That
    the residuals behind the intervals came by chance too, from about as many listings, is not
    in it."""
    width: float
    """Mean width."""
    plain_coverage: float
    plain_width: float
    """The same of plain split-conformal intervals: one width for every row, learned from the
    same rows, cut off at 0 and 1 (Lei et al. 2018)."""
    is_merged: bool
    """Whether the intervals rest on a wider cell."""


def coverage_by_cell(
    model: TargetModel, material: Material, division: Division, *, footing: Footing, said: Forecast
) -> dict[str, Coverage]:
    """Measure all rows of the latest slice, then each large cell of own evidence and market.

    `footing` is that of the whole training set; `said` the model's forecast of the latest rows.
    """
    level = material.recipe.settings.interval_level
    plain = _plain(model, material, division, said=said.estimate, level=level)
    own = footing.where(division.latest.rows)
    sizes = np.bincount(own.codes, minlength=len(own.cells))
    listings = material.training_set.listings[division.latest.rows]
    large = [code for code in np.argsort(-sizes, kind="stable") if sizes[code] >= LEAST_CELL_ROWS]
    masks = {ROOT: np.ones(own.codes.shape, dtype=np.bool_)}
    masks |= {own.cells[code]: own.codes == code for code in large[:MOST_CELLS]}
    cells: Mapping[Cell, object] = model.residuals.cells
    return {
        " ".join(cell) or EVERYONE: _measured(
            _Rows(division.latest.label, said, plain, listings).where(mask),
            is_merged=cell not in cells,
        )
        for cell, mask in masks.items()
    }


def _plain(
    model: TargetModel, material: Material, division: Division, *, said: FloatArray, level: float
) -> tuple[FloatArray, FloatArray]:
    """Return low and high of plain intervals around the estimates `said`."""
    conformal = division.conformal
    estimate = model.predict(material.matrix[conformal.rows])
    reach = CellResiduals.of(conformal.label - estimate).reach(level)
    return np.maximum(said - reach, 0.0), np.minimum(said + reach, 1.0)


def _measured(rows: _Rows, *, is_merged: bool) -> Coverage:
    inside = (rows.said.low <= rows.label) & (rows.label <= rows.said.high)
    low, high = rows.plain
    return Coverage(
        rows=rows.label.size,
        listings=np.unique(rows.listings).size,
        coverage=float(inside.mean()),
        error=error_of_share(inside, rows.listings),
        width=float((rows.said.high - rows.said.low).mean()),
        plain_coverage=float(((low <= rows.label) & (rows.label <= high)).mean()),
        plain_width=float((high - low).mean()),
        is_merged=is_merged,
    )


def error_of_share(is_held: BoolArray, clusters: IntArray) -> float:
    """Return the standard error of a share of rows that come in clusters, shape (rows,) each.

    0 where there is but one cluster: nothing is known of how they differ.
    """
    (sums,) = cluster_sums([is_held - is_held.mean()], np.ones(is_held.size), clusters).T
    few = sums.size / max(sums.size - 1, 1)
    return float(np.sqrt(few * (sums**2).sum()) / is_held.size)
