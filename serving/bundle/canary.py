"""The canary: rows with the answers that a bundle must give before it may serve."""

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
"""On one machine answers agree bit by bit; another C library may round `exp` differently."""


class Canary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rows of base features and request fields, with the predictions that they must get."""

    columns: dict[str, list[float | None]]
    """By name; None is null."""
    markets: list[str]
    expected: dict[str, dict[str, list[float]]]
    """Target to `estimate`, `low` and `high`."""


def make_canary(
    models: Models, columns: Mapping[str, FloatArray], markets: Sequence[str]
) -> Canary:
    """Predict the rows of `columns` in `markets`, and return both as a canary.

    Raises:
        CanaryError: there are no rows, or more than `MAX_ROWS`.
    """
    _check_rows({name: len(column) for name, column in columns.items()}, len(markets))
    stored = {
        name: [None if np.isnan(value) else float(value) for value in column]
        for name, column in columns.items()
    }
    answers = _predict_answers(models, columns, markets)
    return Canary(columns=stored, markets=list(markets), expected=answers)


def check_canary(models: Models, canary: Canary) -> None:
    """Predict a canary's rows again and compare.

    Raises:
        CanaryError: an answer differs from the expected one, or a column is missing.
    """
    columns = {
        name: np.array([np.nan if value is None else value for value in values], dtype=np.float64)
        for name, values in canary.columns.items()
    }
    _check_rows({name: len(values) for name, values in columns.items()}, len(canary.markets))
    try:
        answers = _predict_answers(models, columns, canary.markets)
    except (KeyError, ValueError) as error:
        raise CanaryError(f"its rows can't be predicted ({error})") from error
    if answers.keys() != canary.expected.keys():
        raise CanaryError(f"it has answers for the targets {sorted(canary.expected)}")
    for target, parts in answers.items():
        for part, actual in parts.items():
            _compare(f"{target} {part}", actual, canary.expected[target].get(part, []))


def _check_rows(lengths: Mapping[str, int], market_count: int) -> None:
    """Check that there are rows, and no column shorter than another: no answer would be compared.

    Raises:
        CanaryError: there are none, too many, or columns of unequal length.
    """
    rows = {*lengths.values(), market_count}
    if len(rows) != 1 or not lengths or not 1 <= market_count <= MAX_ROWS:
        raise CanaryError(f"its columns have {sorted(rows)} rows instead of 1 to {MAX_ROWS}")


def _predict_answers(
    models: Models, columns: Mapping[str, FloatArray], markets: Sequence[str]
) -> dict[str, dict[str, list[float]]]:
    """Predict at the usual demand, so that the answers don't depend on a calendar."""
    predictions = predict(models, columns, markets, coverage=COVERAGE, demand=np.ones(len(markets)))
    return {
        target: {
            "estimate": prediction.estimate.tolist(),
            "low": prediction.low.tolist(),
            "high": prediction.high.tolist(),
        }
        for target, prediction in predictions.targets.items()
    }


def _compare(name: str, actual: list[float], expected: list[float]) -> None:
    if len(actual) != len(expected):
        raise CanaryError(f"{name} has {len(actual)} rows instead of {len(expected)}")
    for actual_value, expected_value in zip(actual, expected, strict=True):
        difference = abs(actual_value - expected_value)
        if not difference <= TOLERANCE:  # written so that NaN fails too
            raise CanaryError(f"{name} is off by {difference:.3g}")
