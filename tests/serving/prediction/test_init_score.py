"""Trees multiply the odds of their start, as an offset of the log odds does in the fit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from features.catalogue.catalogue import CATALOGUE
from features.declarations.targets import Target
from serving.prediction.init_score import apply_init_score, init_column, init_share
from training.boosting.fit_boosters import init_score

NAMES = CATALOGUE.model_inputs
COLUMN = NAMES.index("expected_return_rate_180d")


def _matrix(*starts: float) -> np.ndarray:
    matrix = np.full((len(starts), len(NAMES)), np.nan)
    matrix[:, COLUMN] = starts
    return matrix


@pytest.mark.parametrize(
    ("share", "start", "wanted"),
    [
        (0.5, 0.07, 0.07),
        (0.07, 0.5, 0.07),
        (0.25, 0.25, 0.1),
        (0.75, 0.75, 0.9),
        (0.5, 0.0, 0.001),
        (0.5, 1.0, 0.999),
        (0.0, 0.0, 0.0),
        (1.0, 1.0, 1.0),
    ],
)
def test_share_has_the_odds_of_trees_and_start_multiplied(
    share: float, start: float, wanted: float
) -> None:
    actual = apply_init_score(np.array([share]), _matrix(start), COLUMN)
    assert actual.item() == pytest.approx(wanted, rel=1e-12)


def test_share_is_that_of_the_offset_that_the_trees_grew_on() -> None:
    rng = np.random.default_rng(0)
    trees, matrix = rng.normal(0, 2, 500), _matrix(*rng.uniform(0, 1, 500))
    offset = init_score("return_risk", matrix, NAMES)
    assert offset is not None
    np.testing.assert_allclose(
        apply_init_score(expit(trees), matrix, COLUMN), expit(trees + offset), rtol=1e-9
    )
    np.testing.assert_allclose(offset, logit(init_share(matrix, COLUMN)), atol=1e-12)


@pytest.mark.parametrize(
    ("target", "names", "column"),
    [
        ("return_risk", NAMES, COLUMN),
        ("return_risk", ("units_offered",), None),
        ("sell_through", NAMES, None),
    ],
)
def test_start_is_the_formulas_column_if_there_is_one(
    target: Target, names: tuple[str, ...], column: int | None
) -> None:
    assert init_column(target, names) == column
    if column is None:
        assert apply_init_score(np.array([0.2]), _matrix(0.9), column).item() == 0.2
        assert init_score(target, _matrix(0.9), names) is None
