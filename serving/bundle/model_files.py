"""Write and read the models of a bundle: boosters as LightGBM text, all else as JSON."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from itertools import count, takewhile
from typing import Annotated, Any, Final, TypeVar

import msgspec
import numpy as np

from features.catalogue.catalogue import Catalogue
from features.declarations.targets import Target
from serving.bundle.manifest import canonical_json
from serving.conformal.calibration_sample import CalibrationSample
from serving.conformal.cell_residuals import CellResiduals, MondrianResiduals
from serving.conformal.cells import EVIDENCE_AMOUNTS, MondrianCell, OwnEvidence
from serving.conformal.demand_tails import DemandTails
from serving.conformal.difficulty import DifficultyEstimate
from serving.conformal.intervals import ConformalResiduals
from serving.errors import BrokenFileError, MissingFileError
from serving.prediction.booster import Booster, parse_feature_names
from serving.prediction.calibration import CalibrationCurve
from serving.prediction.demand_curve import DemandCurve
from serving.prediction.predict import Models
from serving.prediction.target_model import DemandModel, ShareModel, TargetModel

CALIBRATION: Final = "calibration.json"
CONFORMAL: Final = "conformal.json"
POOLING: Final = "pooling.json"
SELECTION: Final = "selection.json"

MAX_COUNT: Final = 1 << 53
"""The most rows of a cell; a float can't count beyond it one by one."""

ALL_ROWS: Final = "all"
"""The root of the paths that name cells in conformal.json."""

T = TypeVar("T")


class StoredCurve(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The calibration curve of return risk in calibration.json."""

    x: list[float]
    y: list[float]


class StoredDemandCurve(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The demand curve of sell-through in calibration.json."""

    shift: float
    stretch: float
    sharpness: float


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
            for target, stored in _by_target(self).items()
        }


class StoredSample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The calibration sample of a target in selection.json."""

    estimate: list[float]
    outcome: list[float]
    evidence: list[OwnEvidence]
    listings: list[int]


def model_files(models: Models) -> dict[str, bytes]:
    """Return the files that hold the models, by name."""
    curves: dict[Target, Any] = {}
    conformal: dict[Target, Any] = {}
    for target, model in models.targets.items():
        curves[target], conformal[target] = _encode(model)
    files = {
        f"{target}.{position}.txt": booster.text.encode()
        for target, model in models.targets.items()
        for position, booster in enumerate(model.boosters)
    }
    samples = {
        target: _encode_sample(model.calibration_sample) for target, model in models.targets.items()
    }
    files[CALIBRATION] = canonical_json(StoredCurves(**curves))
    files[CONFORMAL] = canonical_json(StoredConformal(**conformal))
    files[SELECTION] = canonical_json(samples)
    files[POOLING] = canonical_json(dict(models.parameters))
    return files


def _encode(model: TargetModel) -> tuple[Any, Any]:
    """Return what calibration.json and conformal.json hold of a model."""
    cells = _encode_cells(model.residuals)
    if isinstance(model, DemandModel):
        curve = model.curve
        stored = StoredDemandCurve(curve.shift, curve.stretch, curve.sharpness)
        return stored, StoredTails(cells)
    if isinstance(model, ShareModel):
        difficulty = model.conformal.difficulty
        knots = (difficulty.estimates, difficulty.sizes, difficulty.units, difficulty.factors)
        return (
            StoredCurve(model.calibration.x.tolist(), model.calibration.y.tolist()),
            StoredResiduals(StoredDifficulty(*(curve.tolist() for curve in knots)), cells),
        )
    raise TypeError(model)


def load_models(
    files: Mapping[str, bytes], catalogue: Catalogue, targets: Collection[Target]
) -> Models:
    """Load the models of `targets` from verified files.

    Raises:
        BundleRefusedError: a file is missing, isn't of its form, or has other targets.
    """
    curves = read_json(files, CALIBRATION, StoredCurves)
    conformal = read_json(files, CONFORMAL, StoredConformal)
    samples = read_json(files, SELECTION, dict[Target, StoredSample])
    found: dict[str, Collection[Target]] = {
        CALIBRATION: _by_target(curves),
        CONFORMAL: _by_target(conformal),
        SELECTION: samples,
    }
    for name, stored in found.items():
        if set(stored) != set(targets):
            raise BrokenFileError(name, f"it has the targets {sorted(stored)}")
    models: dict[Target, TargetModel] = {
        "sell_through": DemandModel(
            target="sell_through",
            boosters=_load_boosters(files, "sell_through", catalogue),
            calibration_sample=_decode_sample(samples["sell_through"]),
            curve=DemandCurve(**msgspec.structs.asdict(curves.sell_through)),
            tails=DemandTails(_decode_cells(conformal.sell_through.cells)),
        )
    }
    if curves.return_risk is not None and conformal.return_risk is not None:
        models["return_risk"] = ShareModel(
            target="return_risk",
            boosters=_load_boosters(files, "return_risk", catalogue),
            calibration_sample=_decode_sample(samples["return_risk"]),
            calibration=CalibrationCurve(
                np.array(curves.return_risk.x), np.array(curves.return_risk.y)
            ),
            conformal=_decode_residuals(conformal.return_risk),
        )
    parameters = read_json(files, POOLING, dict[str, float])
    if set(parameters) != set(catalogue.parameters):
        reason = f"it has {len(parameters)} parameters, not the {len(catalogue.parameters)} needed"
        raise BrokenFileError(POOLING, reason)
    return Models(catalogue=catalogue, parameters=parameters, targets=models)


def _by_target(stored: StoredCurves | StoredConformal) -> dict[Target, Any]:
    """Return what is stored of each target that is there."""
    by_target: dict[Target, Any] = {"sell_through": stored.sell_through}
    if stored.return_risk is not None:
        by_target["return_risk"] = stored.return_risk
    return by_target


def booster_names(files: Container[str], target: Target) -> list[str]:
    """Return the file names of a target's boosters, numbered from 0 without a gap."""
    names = (f"{target}.{position}.txt" for position in count())
    return list(takewhile(lambda name: name in files, names))


def read_json(files: Mapping[str, bytes], name: str, form: type[T]) -> T:
    """Decode a JSON file of a bundle strictly.

    Raises:
        MissingFileError: the bundle has no such file.
        BrokenFileError: it isn't JSON of this form.
    """
    if name not in files:
        raise MissingFileError(name)
    try:
        return msgspec.json.decode(files[name], type=form)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BrokenFileError(name, str(error)) from error


def _load_boosters(
    files: Mapping[str, bytes], target: Target, catalogue: Catalogue
) -> tuple[Booster, ...]:
    names = booster_names(files, target)
    if not names:
        raise MissingFileError(f"{target}.0.txt")
    texts = [_decode_model_text(files[name], name, catalogue) for name in names]
    return tuple(Booster(text) for text in texts)


def _decode_model_text(data: bytes, name: str, catalogue: Catalogue) -> str:
    """Decode a model's text and check what it declares before LightGBM reads it."""
    if not data.isascii() or b"\0" in data or not data.startswith(b"tree\n"):
        raise BrokenFileError(name, "it is not LightGBM text")
    text = data.decode("ascii")
    if parse_feature_names(text) != catalogue.model_inputs:
        raise BrokenFileError(name, "its input columns aren't the catalogue's")
    return text


def _encode_cells(residuals: MondrianResiduals) -> StoredCells:
    return {
        "/".join((ALL_ROWS, *cell)): StoredCell(stored.count, stored.values.tolist())
        for cell, stored in residuals.cells.items()
    }


def _decode_cells(stored: StoredCells) -> dict[MondrianCell, CellResiduals]:
    return {
        _parse_cell(path): CellResiduals(np.array(cell.values), cell.count)
        for path, cell in stored.items()
    }


def _decode_residuals(stored: StoredResiduals) -> ConformalResiduals:
    difficulty = stored.difficulty
    knots = (difficulty.estimates, difficulty.sizes, difficulty.units, difficulty.factors)
    return ConformalResiduals(
        cells=_decode_cells(stored.cells),
        difficulty=DifficultyEstimate(*(np.array(curve) for curve in knots)),
    )


def _encode_sample(sample: CalibrationSample) -> StoredSample:
    return StoredSample(
        sample.estimate.tolist(),
        sample.outcome.tolist(),
        [EVIDENCE_AMOUNTS[index] for index in sample.evidence.tolist()],
        sample.listings.tolist(),
    )


def _decode_sample(stored: StoredSample) -> CalibrationSample:
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
