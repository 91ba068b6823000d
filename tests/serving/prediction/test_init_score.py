"""The margin that trees start from: a formula's log odds, or minus the logarithm of the lot."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from features.catalogue.catalogue import CATALOGUE
from features.runtime.arrays import FloatArray
from serving.demand.lot_demand import share_of_margin
from serving.prediction.init_score import LOT, MIN_INIT_SHARE, ORDER_SIZE, init_score
from serving.prediction.target_model import corrected_share

NAMES = CATALOGUE.model_inputs


def _matrix(**columns: list[float]) -> FloatArray:
    matrix = np.full((len(next(iter(columns.values()))), len(NAMES)), np.nan)
    for name, values in columns.items():
        matrix[:, NAMES.index(name)] = values
    return matrix


@pytest.mark.parametrize(
    ("share", "start", "wanted"),
    [
        (0.5, 0.07, 0.07),
        (0.07, 0.5, 0.07),
        (0.25, 0.25, 0.1),
        (0.75, 0.75, 0.9),
        (0.5, 0.0, MIN_INIT_SHARE),
        (0.5, 1.0, 1 - MIN_INIT_SHARE),
        (0.0, 0.0, 0.0),
        (1.0, 1.0, 1.0),
    ],
)
def test_return_risk_has_the_odds_of_trees_and_formula_multiplied(
    share: float, start: float, wanted: float
) -> None:
    with np.errstate(divide="ignore"):
        trees = logit(np.array([share]))
    matrix = _matrix(expected_return_rate_180d=[start])
    actual = corrected_share(trees, matrix, NAMES)
    assert actual.item() == pytest.approx(wanted, rel=1e-12)


def test_start_of_return_risk_is_the_log_odds_of_the_formula() -> None:
    rng = np.random.default_rng(0)
    start, trees = rng.uniform(0, 1, 500), rng.normal(0, 2, 500)
    matrix = _matrix(expected_return_rate_180d=start.tolist())
    offset = init_score("return_risk", matrix, NAMES)
    kept = np.clip(start, MIN_INIT_SHARE, 1 - MIN_INIT_SHARE)
    np.testing.assert_allclose(offset, logit(kept), atol=1e-12)
    np.testing.assert_allclose(
        corrected_share(trees, matrix, NAMES), expit(trees + offset), rtol=1e-9
    )


@pytest.mark.parametrize(
    ("lot", "order_size", "widened"),
    [(1, 1, 1), (20, 1, 20), (20, 3.5, 22.5), (20, np.nan, 20), (20, 0.5, 20), (1e9, 12, 1e9 + 11)],
)
def test_start_of_sell_through_is_minus_the_logarithm_of_the_widened_lot(
    lot: float, order_size: float, widened: float
) -> None:
    matrix = _matrix(**{LOT: [lot], ORDER_SIZE: [order_size]})
    offset = init_score("sell_through", matrix, NAMES)
    np.testing.assert_allclose(offset, [-np.log(widened)], rtol=1e-14)
    demand = np.log(widened)  # trees that add it make the odds even
    np.testing.assert_allclose(share_of_margin(demand + offset, 1.0), [0.5], rtol=1e-14)
