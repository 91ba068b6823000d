"""What boosters minimise: the cross-entropy of shares that a margin is bent into."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.catalogue.catalogue import CATALOGUE
from serving.demand.lot_demand import share_of_margin
from serving.prediction.demand_curve import MAX_SHARPNESS, MIN_SHARPNESS
from serving.prediction.init_score import LOT
from tests.worlds.training import QUICK
from training.boosting.objectives import (
    MIN_HESSIAN,
    DemandObjective,
    booster_parameters,
    objective_of,
    target_parameters,
)

margins = st.floats(-20, 20)
labels = st.floats(0, 1)
sharpnesses = st.floats(MIN_SHARPNESS, MAX_SHARPNESS)


def _loss(margin: np.longdouble, label: float, sharpness: float) -> np.longdouble:
    """Return the cross-entropy in long doubles, without the code under test."""
    bent = np.longdouble(sharpness) * margin
    log_share = -np.logaddexp(np.longdouble(0), -bent) / sharpness
    log_rest = np.log(-np.expm1(log_share))
    return np.longdouble(-(label * log_share + (1 - label) * log_rest))


def _derivatives(margin: float, label: float, sharpness: float) -> tuple[float, float]:
    gradient, hessian = DemandObjective(sharpness).derivatives(np.array([margin]), np.array(label))
    return float(gradient[0]), float(hessian[0])


@given(margin=margins, label=labels, sharpness=sharpnesses)
def test_gradient_is_the_slope_of_the_loss(margin: float, label: float, sharpness: float) -> None:
    step = np.longdouble(1e-5)
    if sharpness * margin > 20:  # the share of what is left loses its digits
        margin = 20 / sharpness
    rise = _loss(margin + step, label, sharpness) - _loss(margin - step, label, sharpness)
    gradient, _ = _derivatives(margin, label, sharpness)
    assert gradient == pytest.approx(float(rise / (2 * step)), rel=1e-5, abs=1e-7)


@given(margin=margins, sharpness=sharpnesses)
def test_hessian_is_the_mean_square_of_the_gradient_where_the_share_is_right(
    margin: float, sharpness: float
) -> None:
    """The expected second derivative of a log likelihood is its Fisher information."""
    share = float(share_of_margin(np.array([margin]), sharpness)[0])
    (sold, hessian), (unsold, _) = (_derivatives(margin, label, sharpness) for label in (1.0, 0.0))
    information = share * sold**2 + (1 - share) * unsold**2
    assert hessian == pytest.approx(max(information, MIN_HESSIAN), rel=1e-6, abs=1e-9)


@given(margin=st.floats(-1e6, 1e6), label=labels, sharpness=sharpnesses)
def test_derivatives_are_finite_wherever_the_margin_is(
    margin: float, label: float, sharpness: float
) -> None:
    gradient, hessian = _derivatives(margin, label, sharpness)
    assert np.isfinite([gradient, hessian]).all()
    assert hessian >= MIN_HESSIAN


def test_sharpness_of_one_grows_the_trees_of_lightgbm_s_cross_entropy() -> None:
    rng = np.random.default_rng(4)
    inputs = rng.random((2_000, 4))
    label = np.clip(inputs[:, 0] + rng.normal(0, 0.2, 2_000), 0, 1)
    weight, offset = rng.integers(1, 5, 2_000).astype(float), rng.normal(0, 1, 2_000)
    # Drawn rows and inputs make near ties that the last bits decide.
    whole = {"bagging_share": 1.0, "feature_share": 1.0}
    parameters = booster_parameters([0] * 4, QUICK.model_copy(update=whole))

    def grow(objective: dict[str, Any]) -> np.ndarray:
        rows = lightgbm.Dataset(inputs, label, weight=weight, init_score=offset)
        booster = lightgbm.train({**parameters, **objective}, rows, num_boost_round=30)
        return np.asarray(booster.predict(inputs, raw_score=True))

    own, library = grow({"objective": DemandObjective(1.0)}), grow({})
    assert library.std() > 0.3
    np.testing.assert_allclose(own, library, atol=1e-7)


def test_only_sell_through_bends_its_margin() -> None:
    sharp = QUICK.model_copy(update={"sharpness": 2.0})
    assert objective_of("sell_through", sharp) == DemandObjective(2.0)
    assert objective_of("return_risk", sharp) is None
    logistic = QUICK.model_copy(update={"sharpness": 1.0})
    assert objective_of("sell_through", logistic) is None


def test_lot_is_the_one_input_that_trees_may_not_use() -> None:
    gains = target_parameters("sell_through", CATALOGUE, QUICK)["feature_contri"]
    assert [name for name, gain in zip(CATALOGUE.model_inputs, gains, strict=True) if not gain] == [
        LOT
    ]
