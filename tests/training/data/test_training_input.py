from __future__ import annotations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from features.catalogue.catalogue import CATALOGUE
from serving.prediction.init_score import LOT, ORDER_SIZE
from training.data.training_input import BLOCK_ROWS, TrainingInput

SIZES = st.integers(0, BLOCK_ROWS + 100)


@settings(max_examples=5)
@given(size=SIZES, seed=st.integers(0, 99))
@example(size=0, seed=0)
@example(size=BLOCK_ROWS, seed=1)
@example(size=2 * BLOCK_ROWS + 1, seed=2)
def test_design_matrix_of_some_rows_is_theirs_in_that_of_all(
    size: int, seed: int, training_input: TrainingInput
) -> None:
    training_set, parameters = training_input.training_set, training_input.parameters
    rows = np.random.default_rng(seed).choice(training_set.rows, size)
    matrix = training_input.design_matrix(rows)
    assert matrix.flags.c_contiguous
    whole = CATALOGUE.design_matrix(training_set.columns, parameters)
    assert matrix.tobytes() == whole[rows].tobytes()


def test_lots_are_columns_of_the_design_matrix(training_input: TrainingInput) -> None:
    matrix = training_input.design_matrix(training_input.training_set.rows)
    for values, name in zip(training_input.lots, (LOT, ORDER_SIZE), strict=True):
        assert values.tobytes() == matrix[:, CATALOGUE.model_inputs.index(name)].tobytes()
