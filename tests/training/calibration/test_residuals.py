"""Which cells get residuals of their own, and which rows selection compares candidates with."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.conformal.cell_residuals import MAX_CELLS, CellResiduals
from serving.conformal.cells import (
    EVIDENCE_AMOUNTS,
    ROOT,
    IntervalContext,
    MondrianCell,
    ancestors,
    leaf_cells,
)
from tests.worlds.conformal import DIFFICULTY, MARKETS, Rows, draw, learn
from training.calibration.residuals import MIN_CELL_LISTINGS

NONE, SOME, MUCH = EVIDENCE_AMOUNTS
CELLS = leaf_cells((*MARKETS, "ZZ"))


def _at(code: int, exposure: float) -> IntervalContext:
    return IntervalContext(np.full(1, code), CELLS, np.full(1, exposure))


def _naive_resolve(cell: MondrianCell, counts: dict[MondrianCell, int]) -> MondrianCell:
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
    learned = learn(drawn, listings)
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
        resolved = learned.resolve_cell(cell)
        assert resolved == _naive_resolve(cell, counts)
        assert learned.is_merged(_at(code, 1.0)).tolist() == [resolved != cell]
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
    learned = learn(rows, listing)
    assert ((NONE,) in learned.cells) == is_apart
    assert ((NONE, "DE") in learned.cells) == is_apart


@given(seed=st.integers(0, 50), times=st.integers(2, 9), coverage=st.floats(0.5, 0.95))
def test_saying_every_row_of_some_listings_again_sets_no_cell_apart(
    seed: int, times: int, coverage: float
) -> None:
    rng = np.random.default_rng(seed)
    drawn = draw(rng, 700)
    listings = rng.permutation(700) // 2
    again = np.repeat(np.arange(700), np.where(listings % 3 == 0, times, 1))
    repeated = Rows(drawn.estimate[again], drawn.outcome[again], drawn.context.select(again))
    once, often = learn(drawn, listings), learn(repeated, listings[again])
    assert list(once.cells) == list(often.cells)
    assert often.is_merged(drawn.context).tolist() == once.is_merged(drawn.context).tolist()
    assert 0 < often.cells[ROOT].quantile(coverage) < math.inf


def test_rows_of_one_listing_are_never_enough() -> None:
    drawn = draw(np.random.default_rng(0), 5_000)
    assert list(learn(drawn, np.zeros(5_000, np.int64)).cells) == [ROOT]


def test_cells_stay_bounded_and_keep_the_largest() -> None:
    markets = tuple(f"M{place}" for place in range(MAX_CELLS))
    sizes = MIN_CELL_LISTINGS + np.arange(MAX_CELLS) % 7
    picked = np.repeat(np.arange(MAX_CELLS) * len(EVIDENCE_AMOUNTS) + 1, sizes)
    context = IntervalContext(picked, leaf_cells(markets), np.ones(picked.size))
    zeros = np.zeros(picked.size)
    learned = learn(Rows(zeros, zeros, context))
    assert len(learned.cells) == MAX_CELLS
    assert learned.cells[SOME,].count == learned.cells[ROOT].count == picked.size
    dropped = [place for place, market in enumerate(markets) if (SOME, market) not in learned.cells]
    assert {int(sizes[place]) for place in dropped} == {MIN_CELL_LISTINGS}
