from __future__ import annotations

import math

import numpy as np
import pytest

from features.runtime.arrays import FloatArray
from serving.conformal.cell_residuals import MAX_STORED, CellResiduals
from serving.errors import BrokenFileError


def _naive_reach(residuals: FloatArray, coverage: float) -> float:
    """Take the finite-sample rank among all residuals' sizes, one by one."""
    ordered = sorted(abs(one) for one in residuals.tolist())
    rank = math.ceil((len(ordered) + 1) * coverage)
    return math.inf if rank > len(ordered) else ordered[rank - 1]


@pytest.mark.parametrize("count", [1, 5, 38, 39, 200, MAX_STORED])
@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9, 0.95])
def test_reach_of_unthinned_residuals_is_that_of_the_naive_rank(
    count: int, coverage: float
) -> None:
    residuals = np.random.default_rng(count).normal(0.1, 1, count)
    assert CellResiduals.from_residuals(residuals).quantile(coverage) == _naive_reach(
        residuals, coverage
    )


@pytest.mark.parametrize("count", [MAX_STORED + 1, 1_500, 2_001, 5_000, 123_457])
@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.95, 0.999])
@pytest.mark.parametrize("shift", [0.1, 5.0])
def test_reach_of_thinned_residuals_errs_to_the_safe_side_by_a_few_thousandths(
    count: int, coverage: float, shift: float
) -> None:
    residuals = np.random.default_rng(count).normal(shift, 1, count)
    cell = CellResiduals.from_residuals(residuals)
    assert cell.values.size == MAX_STORED
    exact = _naive_reach(residuals, coverage)
    assert (
        exact
        <= cell.quantile(coverage)
        <= _naive_reach(residuals, min(coverage + 0.004, 1 - 1 / count))
    )


def test_reach_beyond_what_the_rows_can_tell_is_infinite() -> None:
    assert CellResiduals.from_residuals(np.linspace(-1, 1, 10)).quantile(0.95) == math.inf


@pytest.mark.parametrize(
    ("values", "count", "fault"),
    [
        ([], 0, "no residuals"),
        ([0.0, np.nan], 2, "isn't finite"),
        ([1.0, 0.0], 2, "out of order"),
        ([0.0, 1.0], 3, "wrong count"),
    ],
)
def test_residuals_of_another_form_are_refused(values: list[float], count: int, fault: str) -> None:
    with pytest.raises(BrokenFileError) as caught:
        CellResiduals(np.array(values), count)
    assert fault in caught.value.problem
