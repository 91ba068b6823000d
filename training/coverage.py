"""How often intervals hold, and how wide they are, in every cell and beside the plain ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from features.declarations import FloatArray
from serving.cells import ROOT, BoolArray, Cell
from serving.footing import Footing
from serving.residuals import CellResiduals
from serving.target_model import TargetModel
from training.forecast import Forecast
from training.material import Material
from training.split import Division

LEAST_CELL_ROWS: Final = 200
"""Of fewer rows, a share of 80 % is known no better than to three in a hundred."""

MOST_CELLS: Final = 40
"""Cells reported one by one, the largest."""

EVERYONE: Final = "all"


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """The intervals of a cell's rows, in the latest slice."""

    rows: int
    coverage: float
    """Share of rows within their interval."""
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
    large = [code for code in np.argsort(-sizes, kind="stable") if sizes[code] >= LEAST_CELL_ROWS]
    masks = {ROOT: np.ones(own.codes.shape, dtype=np.bool_)}
    masks |= {own.cells[code]: own.codes == code for code in large[:MOST_CELLS]}
    cells: Mapping[Cell, object] = model.residuals.cells
    return {
        " ".join(cell) or EVERYONE: _measured(
            division.latest.label, said, plain, mask=mask, is_merged=cell not in cells
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


def _measured(
    label: FloatArray,
    said: Forecast,
    plain: tuple[FloatArray, FloatArray],
    *,
    mask: BoolArray,
    is_merged: bool,
) -> Coverage:
    bounds = ((said.low[mask], said.high[mask]), (plain[0][mask], plain[1][mask]))
    inside = [float(((low <= label[mask]) & (label[mask] <= high)).mean()) for low, high in bounds]
    width = [float((high - low).mean()) for low, high in bounds]
    return Coverage(
        rows=int(mask.sum()),
        coverage=inside[0],
        width=width[0],
        plain_coverage=inside[1],
        plain_width=width[1],
        is_merged=is_merged,
    )
