"""Write and read the models of a bundle: boosters as LightGBM text, all else as JSON."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from itertools import count, takewhile
from typing import Any, Final, TypeVar

import msgspec
import numpy as np

from features.catalogue.catalogue import Catalogue
from features.declarations.targets import Target
from serving.bundle.manifest import canonical_json
from serving.bundle.stored_models import (
    CALIBRATION,
    CONFORMAL,
    SELECTION,
    StoredConformal,
    StoredCurves,
    StoredSample,
    by_target,
    decode_cells,
    decode_residuals,
    decode_sample,
    encode_model,
    encode_sample,
)
from serving.conformal.demand_tails import DemandTails
from serving.errors import BrokenFileError, MissingFileError
from serving.prediction.booster import Booster, parse_feature_names
from serving.prediction.calibration import CalibrationCurve
from serving.prediction.demand_curve import DemandCurve
from serving.prediction.predict import Models
from serving.prediction.target_model import DemandModel, ShareModel, TargetModel

POOLING: Final = "pooling.json"

T = TypeVar("T")


def model_files(models: Models) -> dict[str, bytes]:
    """Return the files that hold the models, by name."""
    curves: dict[Target, Any] = {}
    conformal: dict[Target, Any] = {}
    for target, model in models.targets.items():
        curves[target], conformal[target] = encode_model(model)
    files = {
        f"{target}.{position}.txt": booster.text.encode()
        for target, model in models.targets.items()
        for position, booster in enumerate(model.boosters)
    }
    samples = {
        target: encode_sample(model.calibration_sample) for target, model in models.targets.items()
    }
    files[CALIBRATION] = canonical_json(StoredCurves(**curves))
    files[CONFORMAL] = canonical_json(StoredConformal(**conformal))
    files[SELECTION] = canonical_json(samples)
    files[POOLING] = canonical_json(dict(models.parameters))
    return files


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
        CALIBRATION: by_target(curves),
        CONFORMAL: by_target(conformal),
        SELECTION: samples,
    }
    for name, stored in found.items():
        if set(stored) != set(targets):
            raise BrokenFileError(name, f"it has the targets {sorted(stored)}")
    models: dict[Target, TargetModel] = {
        "sell_through": DemandModel(
            target="sell_through",
            boosters=_load_boosters(files, "sell_through", catalogue),
            calibration_sample=decode_sample(samples["sell_through"]),
            curve=DemandCurve(**msgspec.structs.asdict(curves.sell_through)),
            tails=DemandTails(decode_cells(conformal.sell_through.cells)),
        )
    }
    if curves.return_risk is not None and conformal.return_risk is not None:
        models["return_risk"] = ShareModel(
            target="return_risk",
            boosters=_load_boosters(files, "return_risk", catalogue),
            calibration_sample=decode_sample(samples["return_risk"]),
            calibration=CalibrationCurve(
                np.array(curves.return_risk.x), np.array(curves.return_risk.y)
            ),
            conformal=decode_residuals(conformal.return_risk),
        )
    parameters = _load_parameters(files, catalogue)
    return Models(catalogue=catalogue, parameters=parameters, targets=models)


def _load_parameters(files: Mapping[str, bytes], catalogue: Catalogue) -> dict[str, float]:
    parameters = read_json(files, POOLING, dict[str, float])
    if set(parameters) != set(catalogue.parameters):
        reason = f"it has {len(parameters)} parameters, not the {len(catalogue.parameters)} needed"
        raise BrokenFileError(POOLING, reason)
    return parameters


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
