from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from serving.prediction.booster import Booster
from training.boosting.objectives import booster_parameters
from training.portfolio.staged_fit import Inputs, StagedFit
from training.settings import TrainingSettings

PARAMETERS = {
    **booster_parameters([0, 0], TrainingSettings()),
    "min_data_in_leaf": 5,
    "feature_fraction": 1.0,  # else some rounds, which see the codes alone, grow no tree
}


def _draw_rows(seed: int, rows: int = 400, *, native: int = 1) -> StagedFit:
    rng = np.random.default_rng(seed)
    number, level = rng.standard_normal(rows), rng.integers(0, 40, rows)
    share = expit(number + np.where(level % 2, 1.0, -1.0))
    matrix = np.column_stack([number, np.where(rng.random(rows) < 0.1, np.nan, level)])
    return StagedFit(
        inputs=Inputs(matrix=matrix, offset=np.full(rows, 0.2), native=native),
        label=rng.binomial(1, share).astype(float),
        weight=np.ones(rows),
        parameters=PARAMETERS,
    )


@pytest.mark.parametrize("native", [0, 1])
def test_stages_are_what_the_booster_of_that_many_trees_predicts(native: int) -> None:
    rows, others = _draw_rows(0, native=native), _draw_rows(1, native=native)
    stages = rows.predict_stages(3, others, (0, 5, 20))
    assert stages[0] == pytest.approx(expit(0.2))
    for trees, stage in zip((5, 20), stages[1:], strict=True):
        predicted = Booster(rows.fit(3, trees)).predict(others.inputs.matrix)
        odds = others.inputs.offset + np.log(predicted / (1 - predicted))
        np.testing.assert_allclose(stage, expit(odds), rtol=1e-9)


def test_stages_after_the_last_gain_repeat_it() -> None:
    stages = _draw_rows(0).predict_stages(0, _draw_rows(1), (100, 1000, 2000))
    np.testing.assert_array_equal(stages[1], stages[2])


def test_text_of_a_booster_is_the_same_again() -> None:
    assert _draw_rows(0).fit(1, 10) == _draw_rows(0).fit(1, 10)
