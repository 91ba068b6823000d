from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.runtime.arrays import IntArray
from serving.conformal.cells import (
    EVIDENCE_AMOUNTS,
    ROOT,
    IntervalContext,
    MondrianCell,
    OwnEvidence,
    ancestors,
    leaf_cells,
)
from serving.conformal.intervals import (
    MAX_CELLS,
    MAX_STORED,
    MIN_CELL_LISTINGS,
    CellResiduals,
    ConformalResiduals,
    fit_residuals,
)
from serving.errors import BrokenFileError
from tests.worlds.conformal import DIFFICULTY, MARKETS, Rows, draw

NONE, SOME, MUCH = EVIDENCE_AMOUNTS
shares = st.floats(0, 1)
levels = st.floats(0.5, 0.95)
some_units = st.floats(1, 1e6)
codes = st.integers(0, len(EVIDENCE_AMOUNTS) * (len(MARKETS) + 1) - 1)
CELLS = leaf_cells((*MARKETS, "ZZ"))


def _learn(rows: Rows, listings: IntArray | None = None) -> ConformalResiduals:
    """Learn from rows that are one a listing unless something else is said."""
    known = np.arange(rows.estimate.size) if listings is None else listings
    return fit_residuals(
        rows.estimate, rows.outcome, rows.context, difficulty=DIFFICULTY, listings=known
    )


@cache
def _learned(seed: int) -> ConformalResiduals:
    return _learn(draw(np.random.default_rng(seed), 3_000))


def _at(code: int, exposure: float, rows: int = 1) -> IntervalContext:
    return IntervalContext(np.full(rows, code), CELLS, np.full(rows, exposure))


@given(estimate=shares, coverage=levels, code=codes, exposure=some_units, seed=st.integers(0, 5))
def test_interval_holds_the_estimate_within_the_shares(
    estimate: float, coverage: float, code: int, exposure: float, seed: int
) -> None:
    low, high = _learned(seed).interval(
        np.array([estimate]), _at(code, exposure), coverage=coverage
    )
    assert 0 <= low[0] <= estimate <= high[0] <= 1


@given(estimate=shares, first=levels, second=levels, code=codes, exposure=some_units)
def test_interval_of_a_higher_level_holds_that_of_a_lower(
    estimate: float, first: float, second: float, code: int, exposure: float
) -> None:
    narrow, wide = (
        _learned(0).interval(np.array([estimate]), _at(code, exposure), coverage=coverage)
        for coverage in sorted((first, second))
    )
    assert wide[0][0] <= narrow[0][0]
    assert narrow[1][0] <= wide[1][0]


@given(estimate=shares, coverage=levels, code=codes, first=some_units, second=some_units)
def test_interval_of_more_units_lies_within_that_of_fewer(
    estimate: float, coverage: float, code: int, first: float, second: float
) -> None:
    fewer, more = (
        _learned(3).interval(np.array([estimate]), _at(code, exposure), coverage=coverage)
        for exposure in sorted((first, second))
    )
    assert fewer[0][0] <= more[0][0]
    assert more[1][0] <= fewer[1][0]


@given(
    first=shares,
    second=shares,
    coverage=levels,
    code=codes,
    exposure=some_units,
    threshold=st.floats(0.01, 1),
)
def test_interval_and_probability_grow_with_the_estimate(
    first: float, second: float, coverage: float, code: int, exposure: float, threshold: float
) -> None:
    residuals, context = _learned(1), _at(code, exposure, 2)
    estimates = np.array(sorted((first, second)))
    low, high = residuals.interval(estimates, context, coverage=coverage)
    probability = residuals.prob_at_least(estimates, context, threshold=threshold)
    slack = 1e-12  # two estimates one rounding apart may swap in the last bit
    assert low[0] <= low[1] + slack
    assert high[0] <= high[1] + slack
    assert probability[0] <= probability[1] + 1 / MAX_STORED


@given(estimate=shares, coverage=levels, seed=st.integers(0, 5), exposure=some_units)
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
        low, high = _learned(seed).interval(estimates, context, coverage=coverage)
        assert low[0] == low.min()
        assert high[0] == high.max()


@given(estimate=shares, code=codes, thresholds=st.lists(st.floats(0.01, 1), min_size=2))
def test_probability_falls_with_the_threshold(
    estimate: float, code: int, thresholds: list[float]
) -> None:
    found = [
        _learned(2).prob_at_least(np.array([estimate]), _at(code, 9.0), threshold=t)[0]
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
        learned, fresh = _learn(draw(rng, 7_000)), draw(rng, 3_000)
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
    learned = _learn(Rows(rows.estimate[known], outcome[known], rows.context.select(known)))
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


def _naive_resting(cell: MondrianCell, counts: dict[MondrianCell, int]) -> MondrianCell:
    """Walk up until there are listings enough."""
    while cell and counts.get(cell, 0) < MIN_CELL_LISTINGS:
        cell = cell[:-1]
    return cell


@pytest.mark.parametrize("rows", [100, 500, 1_000, 2_000, 6_000])
@pytest.mark.parametrize("rows_a_listing", [1, 4])
def test_cells_of_few_listings_and_unseen_markets_rest_on_the_cell_above(
    rows: int, rows_a_listing: int
) -> None:
    rng = np.random.default_rng(rows)
    drawn = draw(rng, rows)
    listings = rng.permutation(rows) // rows_a_listing
    learned = _learn(drawn, listings)
    residuals = (drawn.outcome - drawn.estimate) / DIFFICULTY.sigma(
        drawn.estimate, drawn.context.exposure
    )
    held: dict[MondrianCell, list[float]] = {}
    seen: dict[MondrianCell, set[int]] = {}
    for code, residual, listing in zip(
        drawn.context.codes, residuals.tolist(), listings.tolist(), strict=True
    ):
        for cell in ancestors(drawn.context.cells[code]):
            held.setdefault(cell, []).append(residual)
            seen.setdefault(cell, set()).add(listing)
    counts = {cell: len(found) for cell, found in seen.items()}
    for code, cell in enumerate(CELLS):
        resting = learned.resolve_cell(cell)
        assert resting == _naive_resting(cell, counts)
        assert learned.is_merged(_at(code, 1.0)).tolist() == [resting != cell]
    for cell, one in learned.cells.items():
        assert one.count == len(held[cell])
        assert one.quantile(0.8) == CellResiduals.from_residuals(np.array(held[cell])).quantile(0.8)


@pytest.mark.parametrize(
    ("listings", "is_apart"), [(MIN_CELL_LISTINGS, True), (MIN_CELL_LISTINGS - 1, False)]
)
@pytest.mark.parametrize("rows_a_listing", [1, 3, 20])
def test_cell_is_large_from_its_least_number_of_listings_on(
    listings: int, rows_a_listing: int, *, is_apart: bool
) -> None:
    rng = np.random.default_rng(3)
    listing = np.repeat(np.arange(1_000), rows_a_listing)
    context = IntervalContext(np.where(listing < listings, 0, 1), CELLS, np.ones(listing.size))
    rows = Rows(rng.random(listing.size), rng.random(listing.size), context)
    learned = _learn(rows, listing)
    assert ((NONE,) in learned.cells) == is_apart
    assert ((NONE, "DE") in learned.cells) == is_apart


@given(seed=st.integers(0, 50), times=st.integers(2, 9), coverage=levels)
def test_saying_every_row_of_some_listings_again_sets_no_cell_apart(
    seed: int, times: int, coverage: float
) -> None:
    rng = np.random.default_rng(seed)
    drawn = draw(rng, 700)
    listings = rng.permutation(700) // 2
    again = np.repeat(np.arange(700), np.where(listings % 3 == 0, times, 1))
    repeated = Rows(drawn.estimate[again], drawn.outcome[again], drawn.context.select(again))
    once, often = _learn(drawn, listings), _learn(repeated, listings[again])
    assert list(once.cells) == list(often.cells)
    assert often.is_merged(drawn.context).tolist() == once.is_merged(drawn.context).tolist()
    assert 0 < often.cells[ROOT].quantile(coverage) < math.inf


def test_rows_of_one_listing_are_never_enough() -> None:
    drawn = draw(np.random.default_rng(0), 5_000)
    assert list(_learn(drawn, np.zeros(5_000, np.int64)).cells) == [ROOT]


def test_cells_stay_bounded_and_keep_the_largest() -> None:
    markets = tuple(f"M{place}" for place in range(MAX_CELLS))
    sizes = MIN_CELL_LISTINGS + np.arange(MAX_CELLS) % 7
    picked = np.repeat(np.arange(MAX_CELLS) * len(EVIDENCE_AMOUNTS) + 1, sizes)
    context = IntervalContext(picked, leaf_cells(markets), np.ones(picked.size))
    zeros = np.zeros(picked.size)
    learned = _learn(Rows(zeros, zeros, context))
    assert len(learned.cells) == MAX_CELLS
    assert learned.cells[SOME,].count == learned.cells[ROOT].count == picked.size
    dropped = [place for place, market in enumerate(markets) if (SOME, market) not in learned.cells]
    assert {int(sizes[place]) for place in dropped} == {MIN_CELL_LISTINGS}


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
        ConformalResiduals(DIFFICULTY, dict.fromkeys(cells, one))
    assert fault in caught.value.problem


def test_levels_of_evidence_go_from_least_to_most() -> None:
    assert tuple(OwnEvidence) == EVIDENCE_AMOUNTS == ("none", "some", "much")
