from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.catalogue.catalogue import CATALOGUE
from features.dataset.days import DaySpan, as_of_to_day
from features.online.snapshot import OnlineSnapshot
from serving.bundle.bundle import Bundle
from serving.explanation.answers import ExplainedCandidate, TargetExplanation
from serving.explanation.explain import explain
from serving.explanation.phrases import CALENDAR, FAMILIES, NEW_LISTING
from serving.explanation.statements import MIN_POINTS, OTHER_EFFECTS
from serving.prediction.seasonality import Seasons, Uplift
from serving.scoring.candidates import Candidate
from serving.scoring.score import score
from tests.worlds.serving import AS_OF

ALL = len(CATALOGUE.model_inputs) + len(OTHER_EFFECTS)
WARM = Candidate(
    product_id="mug-1",
    market="GB",
    list_price_minor=499,
    currency="GBP",
    units_offered=100,
    listing_id="mug-1|GB",
    candidate_id="warm",
)
NEW = msgspec.structs.replace(WARM, product_id="new", listing_id=None, candidate_id="new")


def _other(**changes: Any) -> Candidate:  # noqa: ANN401 - any field of a candidate
    return msgspec.structs.replace(WARM, **changes)


def _explanations(candidate: ExplainedCandidate) -> list[TargetExplanation]:
    assert candidate.return_risk is not None
    return [candidate.sell_through, candidate.return_risk]


def _in_season(bundle: Bundle) -> Bundle:
    first, last = ((AS_OF + timedelta(days=n)).strftime("%m-%d") for n in (0, 13))
    uplift = Uplift(name="fair", first=first, last=last, uplift=0.4, markets=("GB",))
    learned = DaySpan(*(as_of_to_day(AS_OF - timedelta(days=n)) for n in (210, 30)))
    seasons = Seasons(learned=learned, uplifts=(uplift,))
    return replace(bundle, manifest=msgspec.structs.replace(bundle.manifest, seasons=seasons))


@settings(max_examples=25)
@given(
    st.lists(
        st.builds(
            _other,
            product_id=st.sampled_from(["mug-1", "new"]),
            listing_id=st.none(),
            list_price_minor=st.integers(1, 10**6),
            units_offered=st.integers(1, 10**6),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_points_add_up_to_the_estimate_that_score_answers(
    bundle: Bundle, snapshot: OnlineSnapshot, candidates: list[Candidate]
) -> None:
    batch = explain(bundle, snapshot, candidates, most=ALL)
    scores = score(bundle, snapshot, candidates, coverage=0.8).candidates
    for explained, scored in zip(batch.candidates, scores, strict=True):
        assert scored.return_risk is not None
        shares = (scored.sell_through, scored.return_risk)
        for target, share in zip(_explanations(explained), shares, strict=True):
            assert target.estimate == share.estimate
            families = sum(family.points for family in target.families)
            features = sum(feature.points for feature in target.features)
            assert target.usual + families / 100 == pytest.approx(share.estimate, abs=1e-9)
            assert features + target.other_points == pytest.approx(families, abs=1e-9)
            assert all(abs(one.points) >= MIN_POINTS for one in target.features)
        assert explained.flags == scored.flags


def test_features_are_the_strongest_and_the_rest_is_their_sum(
    bundle: Bundle, snapshot: OnlineSnapshot
) -> None:
    (whole,) = explain(bundle, snapshot, [NEW], most=ALL).candidates
    (short,) = explain(bundle, snapshot, [NEW], most=3).candidates
    for target, expected in zip(_explanations(short), _explanations(whole), strict=True):
        assert target.features == expected.features[:3]
        rest = sum(feature.points for feature in expected.features[3:]) + expected.other_points
        assert target.other_points == pytest.approx(rest, abs=1e-9)
        strengths = [abs(feature.points) for feature in expected.features]
        assert strengths == sorted(strengths, reverse=True)
        assert target.families == expected.families
        assert {family.family for family in target.families} == set(FAMILIES)


def test_a_larger_lot_costs_points_of_its_own(bundle: Bundle, snapshot: OnlineSnapshot) -> None:
    lots = [1, 10, 100, 1_000, 10_000]
    batch = explain(bundle, snapshot, [_other(units_offered=lot) for lot in lots], most=ALL)
    points = [
        next(one for one in answer.sell_through.features if one.feature == "units_offered").points
        for answer in batch.candidates
    ]
    assert points == sorted(points, reverse=True)
    assert points[0] > 0 > points[-1]


def test_the_calendar_has_points_of_its_own(bundle: Bundle, snapshot: OnlineSnapshot) -> None:
    (usual,) = explain(bundle, snapshot, [WARM], most=ALL).candidates
    (festive,) = explain(_in_season(bundle), snapshot, [WARM], most=ALL).candidates
    effects = {one.feature: one for one in festive.sell_through.features}
    assert CALENDAR not in {one.feature for one in usual.sell_through.features}
    assert effects[CALENDAR].points > 0
    assert effects[CALENDAR].words.en.startswith("demand by the seasonal calendar ")
    assert festive.return_risk == usual.return_risk


def test_only_a_candidate_without_a_history_is_compared_with_new_listings(
    bundle: Bundle, snapshot: OnlineSnapshot
) -> None:
    warm, new = explain(bundle, snapshot, [WARM, NEW], most=ALL).candidates
    usual = bundle.usual.of_market("GB")
    for answer, listing in ((warm, usual.listed), (new, usual.new)):
        medians = dict(zip(CATALOGUE.model_inputs, listing.values, strict=True))
        effects = {one.feature: one for one in answer.sell_through.features}
        assert (NEW_LISTING in effects) == ("cold_start" in answer.flags)
        inputs = medians.keys() & effects.keys()
        assert {name: effects[name].usual for name in inputs} == {
            name: medians[name] for name in inputs
        }
    assert warm.sell_through.usual == new.sell_through.usual


def test_an_explanation_does_not_depend_on_its_neighbours(
    bundle: Bundle, snapshot: OnlineSnapshot
) -> None:
    together = explain(bundle, snapshot, [WARM, NEW, WARM], most=5).candidates
    alone = [explain(bundle, snapshot, [one], most=5).candidates[0] for one in (WARM, NEW, WARM)]
    assert together == alone


def test_without_returns_only_sell_through_is_explained(
    bundle_without_returns: Bundle, snapshot: OnlineSnapshot
) -> None:
    (explained,) = explain(bundle_without_returns, snapshot, [WARM], most=5).candidates
    assert explained.return_risk is None
    assert explained.sell_through.features


def test_a_market_never_learned_from_is_compared_with_all_markets(bundle: Bundle) -> None:
    assert bundle.usual.of_market("XX") == bundle.usual.all_markets
    assert set(bundle.usual.markets) == set(bundle.manifest.markets)
    assert all(np.isfinite(bundle.usual.all_markets.new.parts["sell_through"]))
