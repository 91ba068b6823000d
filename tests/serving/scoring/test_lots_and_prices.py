"""What must hold of the answers to any candidate, whatever lot or price it asks about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.online.snapshot import OnlineSnapshot
from serving.bundle.bundle import Bundle
from serving.scoring.answers import ScoredCandidate
from serving.scoring.candidates import Candidate
from serving.scoring.score import score
from tests.worlds.serving import CATEGORIES, LISTINGS, MARKETS, PRODUCTS

LOTS: Final = (1, 2, 3, 7, 20, 60, 500, 10_000, 10**6, 10**9)
PRICES: Final = (1, 99, 500, 1_999, 10_000, 10**6, 10**9)
ROUNDING: Final = 1e-12
EXAMPLES: Final = 30

ScoreAll = Callable[..., list[ScoredCandidate]]


@st.composite
def candidates(draw: st.DrawFn) -> Candidate:
    """Draw candidates with and without a history, of known and of unknown products."""
    listing = draw(st.sampled_from([None, *sorted(LISTINGS)]))
    market = draw(st.sampled_from(sorted(MARKETS))) if listing is None else LISTINGS[listing].market
    known = st.sampled_from([*sorted(PRODUCTS), "new", "newer"])
    return Candidate(
        product_id=draw(known) if listing is None else LISTINGS[listing].product_id,
        market=market,
        list_price_minor=draw(st.integers(1, 10**6)),
        currency=MARKETS[market],
        units_offered=draw(st.integers(1, 10**6)),
        listing_id=listing,
        category=draw(st.sampled_from([None, *CATEGORIES])),
    )


coverages = st.floats(0.5, 0.95)


@pytest.fixture(scope="module")
def score_all(bundle: Bundle, snapshot: OnlineSnapshot) -> ScoreAll:
    def score_all(
        candidate: Candidate, field: str, values: tuple[int, ...], coverage: float
    ) -> list[ScoredCandidate]:
        batch = [msgspec.structs.replace(candidate, **{field: value}) for value in values]
        return score(bundle, snapshot, batch, coverage=coverage).candidates

    return score_all


def _ends(answers: list[ScoredCandidate]) -> np.ndarray:
    shares = [answer.sell_through for answer in answers]
    return np.array([[share.low, share.estimate, share.high] for share in shares])


@given(candidate=candidates(), coverage=coverages)
@settings(max_examples=EXAMPLES)
def test_larger_lot_sells_no_larger_share_and_no_fewer_units(
    candidate: Candidate, coverage: float, score_all: ScoreAll
) -> None:
    ends = _ends(score_all(candidate, "units_offered", LOTS, coverage))
    assert ((ends >= 0) & (ends <= 1)).all()
    assert (np.diff(ends) >= 0).all()
    assert (np.diff(ends, axis=0) <= ROUNDING).all()
    units = ends * np.array(LOTS)[:, None]
    assert (units[1:] >= units[:-1] * (1 - ROUNDING)).all()
    assert (ends[-1] < 1e-3).all()


@given(candidate=candidates(), coverage=coverages)
@settings(max_examples=EXAMPLES)
def test_higher_price_sells_no_larger_share(
    candidate: Candidate, coverage: float, score_all: ScoreAll
) -> None:
    ends = _ends(score_all(candidate, "list_price_minor", PRICES, coverage))
    assert (np.diff(ends, axis=0) <= ROUNDING).all()


@given(candidate=candidates(), first=coverages, second=coverages)
@settings(max_examples=EXAMPLES)
def test_interval_of_higher_coverage_holds_that_of_lower(
    candidate: Candidate, first: float, second: float, score_all: ScoreAll
) -> None:
    narrow, wide = (
        _ends(score_all(candidate, "units_offered", LOTS, coverage))
        for coverage in sorted((first, second))
    )
    assert (wide[:, 0] <= narrow[:, 0]).all()
    assert (wide[:, 2] >= narrow[:, 2]).all()
    np.testing.assert_array_equal(wide[:, 1], narrow[:, 1])


@given(candidate=candidates())
@settings(max_examples=EXAMPLES)
def test_lot_or_price_far_beyond_all_learned_is_flagged_and_answered(
    candidate: Candidate, score_all: ScoreAll
) -> None:
    for field in ("units_offered", "list_price_minor"):
        (answer,) = score_all(candidate, field, (10**9,), 0.8)
        assert f"out_of_range:{field}" in answer.flags
        risk = answer.return_risk
        assert risk is not None
        assert 0 <= risk.low <= risk.estimate <= risk.high <= 1
