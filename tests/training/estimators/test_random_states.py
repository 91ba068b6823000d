from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.base import clone

from tests.worlds.makers import draw_shares
from training.estimators.base import ShareModel
from training.estimators.boosted import SellThroughModel
from training.estimators.shrinkage import ShrinkageModel

MARKET = draw_shares(300)
MODELS = [ShrinkageModel(), SellThroughModel(boosters=1, trees=10)]


def _fitted(model: ShareModel, random_state: object) -> ShareModel:
    estimator: ShareModel = clone(model).set_params(random_state=random_state)
    return estimator.fit(MARKET.X, MARKET.y)


def _bounds(model: ShareModel) -> list[float]:
    """Return upper bounds, which depend on the slice that was drawn."""
    _, high = model.predict_interval(MARKET.X)
    return list(high)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
@pytest.mark.parametrize("kind", [np.random.RandomState, np.random.default_rng])
def test_state_of_the_same_seed_repeats_the_fit_and_moves_on(
    kind: Callable[[int], object], model: ShareModel
) -> None:
    state = kind(5)
    first, second = _fitted(model, state), _fitted(model, state)
    again = _fitted(model, kind(5))
    assert first.seed_ == again.seed_ != second.seed_
    assert _bounds(first) == _bounds(again) != _bounds(second)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_none_draws_afresh_and_the_seed_drawn_repeats_it(model: ShareModel) -> None:
    first, second = _fitted(model, None), _fitted(model, None)
    assert first.seed_ != second.seed_
    assert _bounds(_fitted(model, first.seed_)) == _bounds(first)


@pytest.mark.parametrize("number", [0, 7, np.int64(7)])
def test_number_is_the_seed_itself(number: int) -> None:
    model = _fitted(MODELS[0], number)
    assert model.seed_ == number
    assert _bounds(model) == _bounds(_fitted(MODELS[0], int(number)))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
@pytest.mark.parametrize("other", [-1, 1.0, "1", True, [1]])
def test_what_no_number_is_drawn_from_is_refused(other: object, model: ShareModel) -> None:
    with pytest.raises(
        ValueError, match="must be a whole number from 0 up, None, or a numpy Random"
    ):
        _fitted(model, other)
