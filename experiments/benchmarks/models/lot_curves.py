"""Compare expected units over lots from 1 to 10,000 with the truth's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from experiments.simulator.truth.reader import Truth
from features.declarations.targets import Target
from features.runtime.arrays import FloatArray, IntArray
from serving.prediction.init_score import LOT
from training.fit.train import TrainOutput

LOTS: Final = np.array([1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 10_000.0])
MAX_ROWS: Final = 300
"""Rows drawn of each group: the truth is evaluated one by one."""
DECISIONS: Final = "decisions"
CANDIDATES: Final = "candidates"
SELLING: Final[Target] = "sell_through"


@dataclass(frozen=True, kw_only=True)
class LotError:
    """How far expected units are from the true expectation, for one lot over some rows."""

    lot: float
    rows: int
    true_units: float
    """Mean true expectation."""
    mean_absolute_error: float
    bias: float
    """Mean of expected units minus true ones."""


def compare_lots(trained: TrainOutput, truth: Truth) -> dict[str, list[LotError]]:
    """Compare for decisions of the latest slice, and for copies of them without a history."""
    split = trained.splits[SELLING]
    groups = {DECISIONS: split.latest.rows, CANDIDATES: split.latest_masked.rows}
    return {
        name: measure_errors(
            predict_units(trained, sampled), look_up_units(trained, truth, sampled)
        )
        for name, rows in groups.items()
        if (sampled := draw_rows(rows)).size
    }


def draw_rows(rows: IntArray) -> IntArray:
    """Return at most `MAX_ROWS` of some rows, drawn at random and the same in every run."""
    if rows.size <= MAX_ROWS:
        return rows
    return np.sort(np.random.default_rng(0).choice(rows, MAX_ROWS, replace=False))


def predict_units(trained: TrainOutput, rows: IntArray) -> FloatArray:
    """Return the units that the model expects each lot to sell, shape (rows, lots)."""
    training_input, model = trained.training_input, trained.fitted[SELLING].model
    matrix, uplift = training_input.design_matrix(rows), training_input.demand[rows]
    place, units = model.names.index(LOT), []
    for lot in LOTS:
        matrix[:, place] = lot
        units.append(model.predict(matrix, uplift).share * lot)
    return np.column_stack(units)


def look_up_units(trained: TrainOutput, truth: Truth, rows: IntArray) -> FloatArray:
    """Return the units that each lot sells on average, shape (rows, lots)."""
    training_set = trained.training_input.training_set
    names, codes = training_set.keys["listing_id"].names, training_set.listings
    units = np.empty((rows.size, LOTS.size))
    for position in np.argsort(codes[rows], kind="stable"):  # the truth keeps the last chunk
        row = rows[position]
        day = int(training_set.as_of_day[row])
        units[position] = truth.expect_units(names[codes[row]], LOTS, as_of_day=day)
    return units


def measure_errors(expected: FloatArray, true: FloatArray) -> list[LotError]:
    """Return the error of each lot; the arrays have shape (rows, lots)."""
    return [
        LotError(
            lot=float(lot),
            rows=len(true),
            true_units=float(true[:, place].mean()),
            mean_absolute_error=float(np.abs(expected[:, place] - true[:, place]).mean()),
            bias=float((expected[:, place] - true[:, place]).mean()),
        )
        for place, lot in enumerate(LOTS)
    ]


def pool_seeds(seeds: Sequence[Mapping[str, Sequence[LotError]]]) -> dict[str, list[LotError]]:
    """Return the errors of each group and lot over all seeds, each row once."""
    groups = dict.fromkeys(name for seed in seeds for name in seed)
    return {
        name: [
            _pool(errors)
            for errors in zip(*(seed[name] for seed in seeds if name in seed), strict=True)
        ]
        for name in groups
    }


def _pool(errors: Sequence[LotError]) -> LotError:
    def mean(figure: str) -> float:
        values = [getattr(error, figure) for error in errors]
        return float(np.average(values, weights=[error.rows for error in errors]))

    return LotError(
        lot=errors[0].lot,
        rows=sum(error.rows for error in errors),
        true_units=mean("true_units"),
        mean_absolute_error=mean("mean_absolute_error"),
        bias=mean("bias"),
    )
