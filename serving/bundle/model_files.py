"""The models' part of a bundle: boosters as LightGBM text, everything else as JSON."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from itertools import count, takewhile
from typing import Annotated, Final, TypeVar

import msgspec
import numpy as np

from features.catalogue.catalogue import Catalogue
from features.declarations.targets import Target
from serving.bundle.manifest import canonical_json
from serving.conformal.calibration_sample import CalibrationSample
from serving.conformal.cells import EVIDENCE_AMOUNTS, MondrianCell, OwnEvidence
from serving.conformal.difficulty import DifficultyEstimate
from serving.conformal.intervals import CellResiduals, ConformalResiduals
from serving.errors import BrokenFileError, MissingFileError
from serving.prediction.booster import Booster, parse_feature_names
from serving.prediction.calibration import CalibrationCurve
from serving.prediction.predict import Models
from serving.prediction.target_model import TargetModel

CALIBRATION: Final = "calibration.json"
CONFORMAL: Final = "conformal.json"
POOLING: Final = "pooling.json"
SELECTION: Final = "selection.json"

MAX_COUNT: Final = 1 << 53
"""Rows of a cell: as many as floats count one by one."""

ALL_ROWS: Final = "all"
"""The root of the paths that name cells in conformal.json."""

T = TypeVar("T")


class StoredCurve(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The calibration curve of a target in calibration.json."""

    x: list[float]
    y: list[float]


class StoredCell(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The residuals of a cell in conformal.json."""

    count: Annotated[int, msgspec.Meta(ge=1, le=MAX_COUNT)]
    values: list[float]


class StoredDifficulty(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the residuals of a target are measured in, in conformal.json."""

    estimates: list[float]
    sizes: list[float]
    units: list[float]
    factors: list[float]


class StoredResiduals(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The residuals of a target in conformal.json; cells by path, such as `all/some/DE`."""

    difficulty: StoredDifficulty
    cells: dict[str, StoredCell]


class StoredSample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The past decisions of a target in selection.json."""

    estimate: list[float]
    outcome: list[float]
    evidence: list[OwnEvidence]
    listings: list[int]


def model_files(models: Models) -> dict[str, bytes]:
    """Return the files that hold the models, by name."""
    curves_by_target, residuals, calibration_sample = {}, {}, {}
    files = {}
    for target, model in models.targets.items():
        for position, booster in enumerate(model.boosters):
            files[f"{target}.{position}.txt"] = booster.text.encode()
        curves_by_target[target] = StoredCurve(
            model.calibration.x.tolist(), model.calibration.y.tolist()
        )
        residuals[target] = _encode_residuals(model.residuals)
        calibration_sample[target] = _encode_sample(model.calibration_sample)
    files[CALIBRATION] = canonical_json(curves_by_target)
    files[CONFORMAL] = canonical_json(residuals)
    files[SELECTION] = canonical_json(calibration_sample)
    files[POOLING] = canonical_json(dict(models.parameters))
    return files


def load_models(
    files: Mapping[str, bytes], catalogue: Catalogue, targets: Collection[Target]
) -> Models:
    """Load the models of `targets` out of verified files.

    Raises:
        BundleRefusedError: a file is missing, not of its form, or about other targets.
    """
    curves_by_target = read_json(files, CALIBRATION, dict[Target, StoredCurve])
    residuals = read_json(files, CONFORMAL, dict[Target, StoredResiduals])
    calibration_sample = read_json(files, SELECTION, dict[Target, StoredSample])
    for name, stored in (
        (CALIBRATION, curves_by_target),
        (CONFORMAL, residuals),
        (SELECTION, calibration_sample),
    ):
        if set(stored) != set(targets):
            raise BrokenFileError(name, f"targets {sorted(stored)}")
    models = {
        target: TargetModel(
            target=target,
            boosters=_load_boosters(files, target, catalogue),
            calibration=CalibrationCurve(
                np.array(curves_by_target[target].x), np.array(curves_by_target[target].y)
            ),
            residuals=_decode_residuals(residuals[target]),
            calibration_sample=_decode_sample(calibration_sample[target]),
        )
        for target in targets
    }
    parameters = read_json(files, POOLING, dict[str, float])
    return Models(catalogue=catalogue, parameters=parameters, targets=models)


def booster_names(files: Container[str], target: Target) -> list[str]:
    """Return the names of a target's boosters, numbered from 0 without a gap."""
    names = (f"{target}.{position}.txt" for position in count())
    return list(takewhile(lambda name: name in files, names))


def read_json(files: Mapping[str, bytes], name: str, form: type[T]) -> T:
    """Decode a file of a bundle strictly.

    Raises:
        MissingFileError: the bundle lacks it.
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
    """Decode a model's text and look at what it declares before LightGBM does."""
    if not data.isascii() or b"\0" in data or not data.startswith(b"tree\n"):
        raise BrokenFileError(name, "no LightGBM text")
    text = data.decode("ascii")
    if parse_feature_names(text) != catalogue.model_inputs:
        raise BrokenFileError(name, "other input columns than the catalogue's")
    return text


def _encode_residuals(residuals: ConformalResiduals) -> StoredResiduals:
    cells = {
        "/".join((ALL_ROWS, *cell)): StoredCell(one.count, one.values.tolist())
        for cell, one in residuals.cells.items()
    }
    difficulty = residuals.difficulty
    curves = (difficulty.estimates, difficulty.sizes, difficulty.units, difficulty.factors)
    return StoredResiduals(StoredDifficulty(*(one.tolist() for one in curves)), cells)


def _decode_residuals(stored: StoredResiduals) -> ConformalResiduals:
    cells = {_parse_cell(path): one for path, one in stored.cells.items()}
    difficulty = stored.difficulty
    curves = (difficulty.estimates, difficulty.sizes, difficulty.units, difficulty.factors)
    return ConformalResiduals(
        DifficultyEstimate(*(np.array(one) for one in curves)),
        {cell: CellResiduals(np.array(one.values), one.count) for cell, one in cells.items()},
    )


def _encode_sample(calibration_sample: CalibrationSample) -> StoredSample:
    evidence = [EVIDENCE_AMOUNTS[place] for place in calibration_sample.evidence.tolist()]
    listings = calibration_sample.listings.tolist()
    return StoredSample(
        calibration_sample.estimate.tolist(),
        calibration_sample.outcome.tolist(),
        evidence,
        listings,
    )


def _decode_sample(stored: StoredSample) -> CalibrationSample:
    evidence = [EVIDENCE_AMOUNTS.index(one) for one in stored.evidence]
    return CalibrationSample(
        np.array(stored.estimate),
        np.array(stored.outcome),
        np.array(evidence, dtype=np.int64),
        np.array(stored.listings, dtype=np.int64),
    )


def _parse_cell(path: str) -> MondrianCell:
    root, *cell = path.split("/")
    if root != ALL_ROWS:
        raise BrokenFileError(CONFORMAL, f"a cell {path[:80]!r}")
    return tuple(cell)
