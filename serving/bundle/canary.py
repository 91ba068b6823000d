"""The canary: a few rows with the answers they must get, before a bundle may serve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import numpy as np

from features.runtime.arrays import FloatArray
from serving.errors import CanaryError
from serving.prediction.predict import Models, predict

CANARY: Final = "canary.json"
COVERAGE: Final = 0.8
MAX_ROWS: Final = 256
TOLERANCE: Final = 1e-12
"""On one machine answers agree to the bit; another C library may round `exp` differently."""


class Canary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rows of base features and request fields, and the expected predictions, null as null."""

    columns: dict[str, list[float | None]]
    markets: list[str]
    expected: dict[str, dict[str, list[float]]]
    """Target to `estimate`, `low` and `high`."""


def make_canary(
    models: Models, columns: Mapping[str, FloatArray], markets: Sequence[str]
) -> Canary:
    """Predict the rows of `columns` in `markets` and write down what came out.

    Raises:
        CanaryError: there are no rows, or more than `MAX_ROWS`.
    """
    rows = {len(column) for column in columns.values()}
    if len(rows) != 1 or not 1 <= max(rows) <= MAX_ROWS:
        raise CanaryError(f"columns of {sorted(rows)} rows instead of 1 to {MAX_ROWS}")
    stored = {
        name: [None if np.isnan(value) else float(value) for value in column]
        for name, column in columns.items()
    }
    answers = _predict_answers(models, columns, markets)
    return Canary(columns=stored, markets=list(markets), expected=answers)


def check_canary(models: Models, canary: Canary) -> None:
    """Predict a canary's rows again.

    Raises:
        CanaryError: an answer differs from the expected one, or a column is missing.
    """
    columns = {
        name: np.array([np.nan if value is None else value for value in values], dtype=np.float64)
        for name, values in canary.columns.items()
    }
    try:
        found = _predict_answers(models, columns, canary.markets)
    except (KeyError, ValueError) as error:
        raise CanaryError(f"rows that can't be predicted ({error})") from error
    if found.keys() != canary.expected.keys():
        raise CanaryError(f"targets {sorted(canary.expected)}")
    for target, answers in found.items():
        for part, values in answers.items():
            _compare(f"{target} {part}", values, canary.expected[target].get(part, []))


def _predict_answers(
    models: Models, columns: Mapping[str, FloatArray], markets: Sequence[str]
) -> dict[str, dict[str, list[float]]]:
    """Predict at the usual demand: no calendar makes two loaders differ."""
    predictions = predict(models, columns, markets, coverage=COVERAGE, demand=np.ones(len(markets)))
    return {
        target: {
            "estimate": prediction.estimate.tolist(),
            "low": prediction.low.tolist(),
            "high": prediction.high.tolist(),
        }
        for target, prediction in predictions.targets.items()
    }


def _compare(name: str, found: list[float], expected: list[float]) -> None:
    if len(found) != len(expected):
        raise CanaryError(f"{name} of {len(found)} rows instead of {len(expected)}")
    for answer, wanted in zip(found, expected, strict=True):
        if not abs(answer - wanted) <= TOLERANCE:  # so written, it is true of NaN
            raise CanaryError(f"{name} off by {abs(answer - wanted):.3g}")
