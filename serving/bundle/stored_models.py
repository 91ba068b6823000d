"""The stored forms of a target's curve, residuals and past decisions; all of them are JSON."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
import numpy as np

from features.declarations.targets import Target
from serving.conformal.calibration_sample import CalibrationSample
from serving.conformal.cell_residuals import CellResiduals, MondrianResiduals
from serving.conformal.cells import EVIDENCE_AMOUNTS, MondrianCell, OwnEvidence
from serving.conformal.difficulty import DifficultyEstimate
from serving.conformal.intervals import ConformalResiduals
from serving.errors import BrokenFileError
from serving.prediction.target_model import DemandModel, ShareModel, TargetModel

CALIBRATION: Final = "calibration.json"
CONFORMAL: Final = "conformal.json"
SELECTION: Final = "selection.json"

MAX_COUNT: Final = 1 << 53
"""The most rows of a cell; a float can't count beyond it one by one."""

ALL_ROWS: Final = "all"
"""The root of the paths that name cells in conformal.json."""


class StoredCurve(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The calibration curve of return risk in calibration.json."""

    x: list[float]
    y: list[float]


class StoredDemandCurve(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The demand curve of sell-through in calibration.json."""

    shift: float
    stretch: float
    sharpness: float
    chance: float


class StoredCurves(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """calibration.json, by target."""

    sell_through: StoredDemandCurve
    return_risk: StoredCurve | None = None


class StoredCell(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The residuals of a cell in conformal.json."""

    count: Annotated[int, msgspec.Meta(ge=1, le=MAX_COUNT)]
    values: list[float]


class StoredDifficulty(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The difficulty estimate of return risk in conformal.json; residuals are divided by it."""

    estimates: list[float]
    sizes: list[float]
    units: list[float]
    factors: list[float]


StoredCells = dict[str, StoredCell]
"""Cells by path, such as `all/some/DE`."""


class StoredTails(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far out the units sold fell, in conformal.json."""

    cells: StoredCells


class StoredResiduals(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The residuals of return risk in conformal.json."""

    difficulty: StoredDifficulty
    cells: StoredCells


class StoredConformal(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """conformal.json, by target."""

    sell_through: StoredTails
    return_risk: StoredResiduals | None = None

    def cell_counts(self) -> dict[str, dict[str, int]]:
        """Return the calibration rows of each cell, by target."""
        return {
            target: {path: cell.count for path, cell in stored.cells.items()}
            for target, stored in by_target(self).items()
        }


class StoredSample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The calibration sample of a target in selection.json."""

    estimate: list[float]
    outcome: list[float]
    evidence: list[OwnEvidence]
    listings: list[int]


def encode_model(model: TargetModel) -> tuple[Any, Any]:
    """Return what calibration.json and conformal.json hold of a model."""
    cells = _encode_cells(model.residuals)
    if isinstance(model, DemandModel):
        curve = model.curve
        stored = StoredDemandCurve(curve.shift, curve.stretch, curve.sharpness, curve.chance)
        return stored, StoredTails(cells)
    if isinstance(model, ShareModel):
        difficulty = model.conformal.difficulty
        knots = (difficulty.estimates, difficulty.sizes, difficulty.units, difficulty.factors)
        return (
            StoredCurve(model.calibration.x.tolist(), model.calibration.y.tolist()),
            StoredResiduals(StoredDifficulty(*(curve.tolist() for curve in knots)), cells),
        )
    raise TypeError(model)


def by_target(stored: StoredCurves | StoredConformal) -> dict[Target, Any]:
    """Return what is stored of each target that is there."""
    parts: dict[Target, Any] = {"sell_through": stored.sell_through}
    if stored.return_risk is not None:
        parts["return_risk"] = stored.return_risk
    return parts


def _encode_cells(residuals: MondrianResiduals) -> StoredCells:
    return {
        "/".join((ALL_ROWS, *cell)): StoredCell(stored.count, stored.values.tolist())
        for cell, stored in residuals.cells.items()
    }


def decode_cells(stored: StoredCells) -> dict[MondrianCell, CellResiduals]:
    """Return the residuals of each cell.

    Raises:
        BrokenFileError: a path names no cell, or values can't be residuals.
    """
    return {
        _parse_cell(path): CellResiduals(np.array(cell.values), cell.count)
        for path, cell in stored.items()
    }


def decode_residuals(stored: StoredResiduals) -> ConformalResiduals:
    """Return the residuals of return risk with their difficulty.

    Raises:
        BrokenFileError: they can't be such residuals.
    """
    difficulty = stored.difficulty
    knots = (difficulty.estimates, difficulty.sizes, difficulty.units, difficulty.factors)
    return ConformalResiduals(
        cells=decode_cells(stored.cells),
        difficulty=DifficultyEstimate(*(np.array(curve) for curve in knots)),
    )


def encode_sample(sample: CalibrationSample) -> StoredSample:
    """Return what selection.json holds of a target."""
    return StoredSample(
        sample.estimate.tolist(),
        sample.outcome.tolist(),
        [EVIDENCE_AMOUNTS[index] for index in sample.evidence.tolist()],
        sample.listings.tolist(),
    )


def decode_sample(stored: StoredSample) -> CalibrationSample:
    """Return the past decisions.

    Raises:
        BrokenFileError: there are none, or they can't be such rows.
    """
    if not stored.estimate:
        raise BrokenFileError(SELECTION, "it has no past decisions")
    evidence = [EVIDENCE_AMOUNTS.index(amount) for amount in stored.evidence]
    return CalibrationSample(
        np.array(stored.estimate),
        np.array(stored.outcome),
        np.array(evidence, dtype=np.int64),
        np.array(stored.listings, dtype=np.int64),
    )


def _parse_cell(path: str) -> MondrianCell:
    root, *cell = path.split("/")
    if root != ALL_ROWS:
        raise BrokenFileError(CONFORMAL, f"it has a cell {path[:80]!r}")
    return tuple(cell)
