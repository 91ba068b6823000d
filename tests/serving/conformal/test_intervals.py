from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.conformal.cell_residuals import MAX_CELLS, MAX_STORED, CellResiduals
from serving.conformal.cells import (
    EVIDENCE_AMOUNTS,
    ROOT,
    IntervalContext,
    MondrianCell,
    OwnEvidence,
    leaf_cells,
)
from serving.conformal.intervals import ConformalResiduals
from serving.errors import BrokenFileError
from tests.worlds.conformal import DIFFICULTY, MARKETS, Rows, draw, learn

NONE, SOME, MUCH = EVIDENCE_AMOUNTS
shares = st.floats(0, 1)
coverages = st.floats(0.5, 0.95)
some_units = st.floats(1, 1e6)
codes = st.integers(0, len(EVIDENCE_AMOUNTS) * (len(MARKETS) + 1) - 1)
CELLS = leaf_cells((*MARKETS, "ZZ"))


@cache
def _residuals(seed: int) -> ConformalResiduals:
    return learn(draw(np.random.default_rng(seed), 3_000))


def _at(code: int, exposure: float, rows: int = 1) -> IntervalContext:
    return IntervalContext(np.full(rows, code), CELLS, np.full(rows, exposure))


@given(estimate=shares, coverage=coverages, code=codes, exposure=some_units, seed=st.integers(0, 5))
def test_interval_holds_the_estimate_within_the_shares(
    estimate: float, coverage: float, code: int, exposure: float, seed: int
) -> None:
    low, high = _residuals(seed).interval(
        np.array([estimate]), _at(code, exposure), coverage=coverage
    )
    assert 0 <= low[0] <= estimate <= high[0] <= 1


@given(estimate=shares, first=coverages, second=coverages, code=codes, exposure=some_units)
def test_interval_of_higher_coverage_holds_that_of_lower(
    estimate: float, first: float, second: float, code: int, exposure: float
) -> None:
    narrow, wide = (
        _residuals(0).interval(np.array([estimate]), _at(code, exposure), coverage=coverage)
        for coverage in sorted((first, second))
    )
    assert wide[0][0] <= narrow[0][0]
    assert narrow[1][0] <= wide[1][0]


@given(estimate=shares, coverage=coverages, code=codes, first=some_units, second=some_units)
def test_interval_of_more_units_lies_within_that_of_fewer(
    estimate: float, coverage: float, code: int, first: float, second: float
) -> None:
    fewer, more = (
        _residuals(3).interval(np.array([estimate]), _at(code, exposure), coverage=coverage)
        for exposure in sorted((first, second))
    )
    assert fewer[0][0] <= more[0][0]
    assert more[1][0] <= fewer[1][0]


@given(
    first=shares,
    second=shares,
    coverage=coverages,
    code=codes,
    exposure=some_units,
    threshold=st.floats(0.01, 1),
)
def test_interval_and_probability_grow_with_the_estimate(
    first: float, second: float, coverage: float, code: int, exposure: float, threshold: float
) -> None:
    residuals, context = _residuals(1), _at(code, exposure, 2)
    estimates = np.array(sorted((first, second)))
    low, high = residuals.interval(estimates, context, coverage=coverage)
    probability = residuals.prob_at_least(estimates, context, threshold=threshold)
    slack = 1e-12  # two estimates one rounding apart may swap in the last bit
    assert low[0] <= low[1] + slack
    assert high[0] <= high[1] + slack
    assert probability[0] <= probability[1] + 1 / MAX_STORED


@given(estimate=shares, coverage=coverages, seed=st.integers(0, 5), exposure=some_units)
def test_interval_of_a_cold_start_holds_those_of_its_market(
    estimate: float, coverage: float, seed: int, exposure: float
) -> None:
    for market in range(len(MARKETS) + 1):
        context = IntervalContext(
            np.arange(len(EVIDENCE_AMOUNTS)) + market * len(EVIDENCE_AMOUNTS),
            CELLS,
            np.full(len(EVIDENCE_AMOUNTS), exposure),
        )
        estimates = np.full(len(EVIDENCE_AMOUNTS), estimate)
        low, high = _residuals(seed).interval(estimates, context, coverage=coverage)
        assert low[0] == low.min()
        assert high[0] == high.max()


@given(estimate=shares, code=codes, thresholds=st.lists(st.floats(0.01, 1), min_size=2))
def test_probability_falls_with_the_threshold(
    estimate: float, code: int, thresholds: list[float]
) -> None:
    found = [
        _residuals(2).prob_at_least(np.array([estimate]), _at(code, 9.0), threshold=t)[0]
        for t in sorted(thresholds)
    ]
    assert found == sorted(found, reverse=True)
    assert all(0 < probability < 1 for probability in found)


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9])
def test_interval_covers_exchangeable_outcomes_of_every_cell_as_often_as_it_says(
    coverage: float,
) -> None:
    rng = np.random.default_rng(7)
    covered: dict[MondrianCell, list[float]] = {cell: [] for cell in leaf_cells(MARKETS)}
    for _ in range(60):
        learned, fresh = learn(draw(rng, 7_000)), draw(rng, 3_000)
        assert not learned.is_merged(fresh.context).any()
        low, high = learned.interval(fresh.estimate, fresh.context, coverage=coverage)
        inside = (low <= fresh.outcome) & (fresh.outcome <= high)
        for code, found in enumerate(covered.values()):
            found.append(float(inside[fresh.context.codes == code].mean()))
    for (evidence, _), found in covered.items():
        error = np.std(found) / math.sqrt(len(found))
        assert np.mean(found) >= coverage - 3 * error
        assert evidence == NONE or np.mean(found) <= coverage + 0.02 + 3 * error


def test_probability_of_what_came_is_uniform() -> None:
    rng = np.random.default_rng(8)
    rows = draw(rng, 6_000)
    cold = rows.context.codes % len(EVIDENCE_AMOUNTS) == 0
    outcome = np.clip(rows.estimate + rng.normal(0, 0.05 + 0.1 * cold), 0.001, 0.999)
    known, fresh = np.arange(4_000), np.arange(4_000, 6_000)
    learned = learn(Rows(rows.estimate[known], outcome[known], rows.context.select(known)))
    found = [
        learned.prob_at_least(
            rows.estimate[[row]],
            rows.context.select(np.array([row])),
            threshold=float(outcome[row]),
        )[0]
        for row in fresh
    ]
    expected = np.linspace(0.1, 0.9, 9)
    np.testing.assert_allclose(np.quantile(found, expected), expected, rtol=0, atol=0.04)


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ([], "no cell of all rows"),
        ([(SOME,)], "no cell of all rows"),
        ([ROOT, (SOME, "DE")], "without its parent"),
        ([ROOT, ("DE",)], "no such evidence"),
        ([ROOT, (SOME,), (SOME, "DE"), (SOME, "DE", "x")], "too deep"),
        ([ROOT, (SOME,), *((SOME, f"M{i}") for i in range(MAX_CELLS))], "more than"),
    ],
)
def test_residuals_of_other_cells_are_refused(cells: list[MondrianCell], fault: str) -> None:
    one = CellResiduals.from_residuals(np.array([0.0]))
    with pytest.raises(BrokenFileError) as caught:
        ConformalResiduals(dict.fromkeys(cells, one), DIFFICULTY)
    assert fault in caught.value.problem


def test_amounts_of_evidence_go_from_least_to_most() -> None:
    assert tuple(OwnEvidence) == EVIDENCE_AMOUNTS == ("none", "some", "much")
