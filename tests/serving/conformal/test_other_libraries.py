"""Our intervals beside those of two libraries for conformal prediction."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from features.runtime.arrays import BoolArray, FloatArray
from serving.conformal.cells import EVIDENCE_AMOUNTS
from tests.worlds.conformal import DIFFICULTY, Rows, draw, learn

MISSING = "the extra dev has it"
COVERAGES = (0.5, 0.75, 0.875, 0.9375)
"""Binary fractions: at 0.8, rounding alone makes crepes take the next rank at times."""


def _worlds() -> tuple[Rows, Rows]:
    """Draw calibration rows, with no cell so large that it is thinned, and fresh ones."""
    rng = np.random.default_rng(5)
    known = draw(rng, 7_000)
    assert np.bincount(known.context.codes).max() <= 1_001
    return known, draw(rng, 1_000)


def _ours(known: Rows, fresh: Rows, coverage: float) -> tuple[FloatArray, FloatArray]:
    return learn(known).interval(fresh.estimate, fresh.context, coverage=coverage)


def _scale(rows: Rows) -> FloatArray:
    return DIFFICULTY.sigma(rows.estimate, rows.context.exposure)


def _with_history(rows: Rows) -> BoolArray:
    """Leave cold starts out: theirs are the widest of their market, by design."""
    has_history: BoolArray = rows.context.codes % len(EVIDENCE_AMOUNTS) != 0
    return has_history


@pytest.mark.parametrize("coverage", COVERAGES)
def test_intervals_are_those_of_crepes_mondrian_normalised(coverage: float) -> None:
    crepes = pytest.importorskip("crepes", reason=MISSING)
    known, fresh = _worlds()
    regressor = crepes.ConformalRegressor().fit(
        known.outcome - known.estimate, sigmas=_scale(known), bins=known.context.codes
    )
    expected = regressor.predict_int(
        fresh.estimate,
        sigmas=_scale(fresh),
        bins=fresh.context.codes,
        confidence=coverage,
        y_min=0.0,
        y_max=1.0,
    )
    picked = _with_history(fresh)
    for found, wanted in zip(_ours(known, fresh, coverage), expected.T, strict=True):
        np.testing.assert_allclose(found[picked], wanted[picked], rtol=0, atol=1e-12)


class _First:
    """A fitted regressor, as scikit-learn would have it, that returns its first column."""

    n_features_in_ = 1

    def fit(self, inputs: FloatArray, outcome: FloatArray) -> _First:
        assert len(inputs) == len(outcome)
        return self

    def predict(self, inputs: FloatArray) -> FloatArray:
        first: FloatArray = inputs[:, 0]
        return first


@pytest.mark.parametrize("coverage", COVERAGES)
def test_intervals_are_those_of_mapie_in_each_cell(coverage: float) -> None:
    regression: Any = pytest.importorskip("mapie.regression", reason=MISSING)
    known, fresh = _worlds()
    ours = _ours(known, fresh, coverage)
    for code in np.unique(fresh.context.codes[_with_history(fresh)]).tolist():
        rows, asked = known.context.codes == code, fresh.context.codes == code
        scale, new_scale = _scale(known)[rows], _scale(fresh)[asked]
        mapie = regression.SplitConformalRegressor(
            _First(), confidence_level=coverage, conformity_score="absolute", prefit=True
        )
        mapie.conformalize((known.estimate[rows] / scale)[:, None], known.outcome[rows] / scale)
        said = mapie.predict_interval((fresh.estimate[asked] / new_scale)[:, None])[1][:, :, 0]
        wanted = np.clip(said * new_scale[:, None], 0, 1)
        for found, expected in zip(ours, wanted.T, strict=True):
            np.testing.assert_allclose(found[asked], expected, rtol=0, atol=1e-12)
