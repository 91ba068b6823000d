from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.declarations.targets import TARGETS, Target
from features.online.snapshot import OnlineSnapshot
from features.runtime.arrays import FloatArray
from serving.bundle.bundle import Bundle
from serving.conformal.calibration_sample import MAX_ROWS, CalibrationSample
from serving.conformal.cells import EVIDENCE_AMOUNTS
from serving.errors import BrokenFileError
from serving.scoring import selection
from serving.scoring.candidates import Candidate
from serving.scoring.design_effect import design_effect
from serving.scoring.score import score
from serving.scoring.selection import (
    MIN_SAMPLE_ROWS,
    NoSelectionReason,
    SelectionRequest,
    benjamini_hochberg_threshold,
    choose,
    conformal_p_values,
    likelihood_ratios,
    select,
)
from training.calibration.residuals import subsample

shares = st.integers(0, 20).map(lambda twentieth: twentieth / 20)
"""Coarse, so that estimates tie."""
asks = st.builds(
    SelectionRequest,
    target=st.sampled_from(TARGETS),
    threshold=shares,
    bad_share=st.floats(0.01, 0.9),
)
candidates = st.lists(
    st.tuples(st.one_of(shares, st.just(float("nan"))), st.integers(0, len(EVIDENCE_AMOUNTS) - 1)),
    min_size=1,
    max_size=40,
)
seeds = st.integers(0, 3)


def _past(seed: int, rows: int = 900) -> CalibrationSample:
    """Draw decisions with few cold starts, so that cold starts are compared with all."""
    rng = np.random.default_rng(seed)
    estimate = rng.integers(0, 21, rows) / 20
    outcome = np.clip(estimate + rng.normal(0, 0.2, rows), 0, 1)
    evidence = rng.choice(len(EVIDENCE_AMOUNTS), rows, p=[0.1, 0.5, 0.4])
    return CalibrationSample(estimate, outcome, evidence, rng.integers(0, rows // 2, rows))


def _some(calibration_sample: CalibrationSample, rows: np.ndarray) -> CalibrationSample:
    return CalibrationSample(*(column[rows] for column in vars(calibration_sample).values()))


def _columns(drawn: list[tuple[float, int]]) -> tuple[FloatArray, np.ndarray]:
    estimate, evidence = zip(*drawn, strict=True)
    return np.array(estimate), np.array(evidence)


def _naive_choice(
    drawn: list[tuple[float, int]], calibration_sample: CalibrationSample, request: SelectionRequest
) -> list[bool]:
    """Count one by one, then try lists from the longest down."""
    rows = list(
        zip(
            calibration_sample.estimate,
            calibration_sample.outcome,
            calibration_sample.evidence,
            calibration_sample.listings,
            strict=True,
        )
    )
    p_values = []
    for estimate, evidence in drawn:
        alike = [row for row in rows if row[2] == evidence]
        alike = alike if len(alike) >= MIN_SAMPLE_ROWS else rows
        risky = request.target == "return_risk"
        is_bad = [
            came > request.threshold if risky else came < request.threshold for _, came, *_ in alike
        ]
        bad = [row[0] for row, is_one in zip(alike, is_bad, strict=True) if is_one]
        as_good = sum((value <= estimate) if risky else (value >= estimate) for value in bad)
        effect = design_effect(np.array(is_bad), np.array([row[3] for row in alike]))
        p_value = (effect + as_good) / (effect + len(alike))
        p_values.append(p_value if np.isfinite(estimate) else None)
    known = sorted(p for p in p_values if p is not None)
    for length in range(len(known), 0, -1):
        if known[length - 1] <= request.bad_share * length / len(known):
            return [p is not None and p <= known[length - 1] for p in p_values]
    return [False] * len(drawn)


@given(drawn=candidates, request=asks, seed=seeds)
def test_choice_is_that_of_counting_one_by_one(
    drawn: list[tuple[float, int]], request: SelectionRequest, seed: int
) -> None:
    calibration_sample = _past(seed)
    chosen = choose(*_columns(drawn), calibration_sample, request)
    assert chosen.is_chosen.tolist() == _naive_choice(drawn, calibration_sample, request)
    assert (chosen.reason is None) == chosen.is_chosen.any()


@given(drawn=candidates, request=asks, seed=seeds, other=st.floats(0.01, 0.9))
def test_larger_bad_share_drops_nobody(
    drawn: list[tuple[float, int]], request: SelectionRequest, seed: int, other: float
) -> None:
    lower, higher = sorted((request.bad_share, other))
    narrow, wide = (
        choose(*_columns(drawn), _past(seed), replace(request, bad_share=share)).is_chosen
        for share in (lower, higher)
    )
    assert not (narrow & ~wide).any()


@given(drawn=candidates, request=asks, seed=seeds, order=st.randoms(use_true_random=False))
def test_choice_doesnt_depend_on_the_order(
    drawn: list[tuple[float, int]], request: SelectionRequest, seed: int, order: object
) -> None:
    positions = list(range(len(drawn)))
    order.shuffle(positions)  # type: ignore[attr-defined]
    chosen = choose(*_columns(drawn), _past(seed), request).is_chosen
    shuffled = choose(
        *_columns([drawn[index] for index in positions]), _past(seed), request
    ).is_chosen
    assert shuffled.tolist() == chosen[positions].tolist()


@given(drawn=candidates, request=asks, seed=seeds)
def test_better_estimate_of_equal_evidence_is_never_left_out(
    drawn: list[tuple[float, int]], request: SelectionRequest, seed: int
) -> None:
    estimate, evidence = _columns(drawn)
    chosen = choose(estimate, evidence, _past(seed), request).is_chosen
    sign = -1 if request.target == "return_risk" else 1
    for amount in range(len(EVIDENCE_AMOUNTS)):
        has_amount = evidence == amount
        picked, left = (sign * estimate[has_amount & rows] for rows in (chosen, ~chosen))
        assert not picked.size or not (left > picked.min()).any()


@given(drawn=candidates, request=asks, seed=seeds)
def test_candidates_without_a_prediction_change_nothing(
    drawn: list[tuple[float, int]], request: SelectionRequest, seed: int
) -> None:
    plain = choose(*_columns(drawn), _past(seed), request)
    beside = choose(*_columns([*drawn, (float("nan"), 1), (float("nan"), 0)]), _past(seed), request)
    assert beside.is_chosen.tolist() == [*plain.is_chosen.tolist(), False, False]


@pytest.mark.parametrize(
    ("estimate", "rows", "threshold", "bad_share", "reason"),
    [
        ([float("nan")], 900, 0.5, 0.1, NoSelectionReason.NO_CANDIDATES),
        ([], 900, 0.5, 0.1, NoSelectionReason.NO_CANDIDATES),
        ([0.9], 8, 0.5, 0.1, NoSelectionReason.TOO_FEW_PAST_DECISIONS),
        ([0.9], 0, 0.5, 0.1, NoSelectionReason.TOO_FEW_PAST_DECISIONS),
        ([0.0], 900, 0.5, 0.1, NoSelectionReason.NONE_GOOD_ENOUGH),
        ([1.0] * 3, 900, 0.0, 0.1, None),
    ],
)
def test_empty_list_says_why(
    estimate: list[float],
    rows: int,
    threshold: float,
    bad_share: float,
    reason: NoSelectionReason | None,
) -> None:
    request = SelectionRequest(target="sell_through", threshold=threshold, bad_share=bad_share)
    evidence = np.ones(len(estimate), dtype=np.int64)
    selection = choose(np.array(estimate), evidence, _past(0, rows), request)
    assert selection.reason == reason
    assert selection.is_chosen.any() == (reason is None)


def test_outcomes_at_the_threshold_are_not_bad() -> None:
    outcome = np.array([0.2, 0.3, 0.4])
    assert SelectionRequest(target="sell_through", threshold=0.3).is_bad(outcome).tolist() == [
        True,
        False,
        False,
    ]
    assert SelectionRequest(target="return_risk", threshold=0.3).is_bad(outcome).tolist() == [
        False,
        False,
        True,
    ]


def test_rejection_is_that_of_the_textbook() -> None:
    """Benjamini and Hochberg 1995, section 3.2: four of fifteen are rejected at 0.05."""
    p_values = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240]
    p_values += [0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    assert benjamini_hochberg_threshold(np.array(p_values), 0.05) == 0.0095


@pytest.mark.parametrize("target", TARGETS)
def test_p_values_of_bad_candidates_are_at_most_uniform(target: Target) -> None:
    request = SelectionRequest(target=target, threshold=0.4)
    below = []
    for seed in range(300):
        sample = _past(1_000 + seed)
        known, fresh = np.arange(600), np.arange(600, 900)
        calibration_sample = _some(sample, known)
        p_values = conformal_p_values(
            sample.estimate[fresh], sample.evidence[fresh], calibration_sample, request
        )
        below.append(((p_values <= 0.1) & request.is_bad(sample.outcome[fresh])).mean())
    assert np.mean(below) <= 0.1 + 3 * np.std(below) / np.sqrt(300)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("bad_share", [0.05, 0.1, 0.2])
def test_expected_bad_share_of_lists_of_exchangeable_candidates_is_bounded(
    target: Target, bad_share: float
) -> None:
    request = SelectionRequest(target=target, threshold=0.5, bad_share=bad_share)
    bad_shares = []
    for seed in range(200):
        sample = _past(2_000 + seed, 1_500)
        known, fresh = np.arange(1_200), np.arange(1_200, 1_500)
        calibration_sample = _some(sample, known)
        chosen = choose(
            sample.estimate[fresh], sample.evidence[fresh], calibration_sample, request
        ).is_chosen
        bad_shares.append(
            request.is_bad(sample.outcome[fresh])[chosen].mean() if chosen.any() else 0.0
        )
    assert np.mean(bad_shares) <= bad_share + 3 * np.std(bad_shares) / np.sqrt(200)
    assert np.mean(bad_shares) > 0


@pytest.mark.parametrize("bad_share", [0.1, 0.2])
def test_bad_share_of_lists_is_bounded_where_candidates_look_unlike_past_decisions(
    bad_share: float,
) -> None:
    """Most candidates look middling: bad ones among them are more frequent than in the past."""
    request = SelectionRequest(target="sell_through", threshold=0.5, bad_share=bad_share)
    weighed: list[float] = []
    alike: list[float] = []
    for seed in range(60):
        past, rng = _past(3_000 + seed, 1_500), np.random.default_rng(seed)
        drawn = [_past(10_000 * (seed + 1) + part, 4_000) for part in range(4)]
        is_middling = [(one.estimate > 0.5) & (one.estimate < 0.8) for one in drawn]
        fresh = [
            _some(one, np.flatnonzero(middling | (rng.uniform(size=middling.size) < 0.02)))
            for one, middling in zip(drawn, is_middling, strict=True)
        ]
        estimate = np.concatenate([one.estimate for one in fresh])
        evidence = np.concatenate([one.evidence for one in fresh])
        is_bad = request.is_bad(np.concatenate([one.outcome for one in fresh]))
        for found, most in ((weighed, selection.MAX_RANGES), (alike, 1)):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(selection, "MAX_RANGES", most)
                chosen = choose(estimate, evidence, past, request).is_chosen
            found.append(float(is_bad[chosen].mean()) if chosen.any() else 0.0)
    error = np.std(weighed) / np.sqrt(60)
    assert np.mean(weighed) <= bad_share + 3 * error
    assert np.mean(weighed) < np.mean(alike)


def test_past_decisions_weigh_alike_where_candidates_look_like_them() -> None:
    estimate = np.linspace(0, 1, 1_000)
    weight, past_weight = likelihood_ratios(estimate, estimate)
    np.testing.assert_allclose(weight, 1.0, rtol=0.05)
    np.testing.assert_allclose(past_weight, 1.0, rtol=0.05)


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=300),
    st.lists(st.floats(0, 1), min_size=1, max_size=300),
)
def test_weights_of_past_decisions_add_up_to_their_number_where_all_ranges_have_some(
    estimates: list[float], past: list[float]
) -> None:
    weight, past_weight = likelihood_ratios(np.array(estimates), np.array(past))
    assert np.isfinite(weight).all()
    assert (past_weight >= 0).all()
    assert past_weight.sum() <= len(past) * (1 + 1e-9)


def test_past_decisions_kept_are_a_draw_that_repeats_and_doesnt_look() -> None:
    rng = np.random.default_rng(0)
    columns = (rng.random(9_000), rng.random(9_000), rng.integers(0, 3, 9_000))
    listings = np.arange(9_000) // 3 + 70_000
    first, second = (subsample(*columns, listings=listings) for _ in range(2))
    assert first.estimate.size == MAX_ROWS
    assert first.estimate.tolist() == second.estimate.tolist()
    pairs = set(zip(columns[0], columns[1], columns[2], strict=True))
    kept = set(zip(first.estimate, first.outcome, first.evidence, strict=True))
    assert len(kept) == MAX_ROWS
    assert kept <= pairs
    of_listing = dict(zip(columns[0], listings, strict=True))
    drawn = [of_listing[estimate] for estimate in first.estimate]
    assert len(set(zip(drawn, first.listings, strict=True))) == len(set(drawn))
    assert set(first.listings) == set(range(len(set(drawn))))
    assert first.outcome.mean() == pytest.approx(columns[1].mean(), abs=0.02)


@pytest.mark.parametrize(
    ("estimate", "outcome", "evidence", "fault"),
    [
        ([0.5], [0.5, 0.5], [0], "unequal length"),
        ([0.5], [1.5], [0], "outside [0, 1]"),
        ([np.nan], [0.5], [0], "outside [0, 1]"),
        ([0.5], [0.5], [3], "unknown amount"),
        ([0.5] * (MAX_ROWS + 1), [0.5] * (MAX_ROWS + 1), [0] * (MAX_ROWS + 1), "more than"),
    ],
)
def test_past_decisions_of_another_form_are_refused(
    estimate: list[float], outcome: list[float], evidence: list[int], fault: str
) -> None:
    with pytest.raises(BrokenFileError) as caught:
        CalibrationSample(
            np.array(estimate), np.array(outcome), np.array(evidence), np.array(evidence)
        )
    assert fault in caught.value.problem


CANDIDATE = Candidate(
    product_id="mug-1", market="GB", list_price_minor=499, currency="GBP", units_offered=1
)


@pytest.mark.parametrize("target", TARGETS)
def test_selection_of_scored_candidates_is_the_choice_by_their_estimates(
    target: Target, bundle: Bundle, snapshot: OnlineSnapshot
) -> None:
    requested = [
        msgspec.structs.replace(CANDIDATE, units_offered=n, product_id=product)
        for n in range(1, 120)
        for product in ("nobody-knows", "mug-1")
    ]
    batch = score(bundle, snapshot, requested, coverage=0.8).candidates
    request = SelectionRequest(target=target, threshold=0.2, bad_share=0.5)
    selection = select(bundle.models, batch, request)
    expected = choose(
        np.array([getattr(candidate, target).estimate for candidate in batch]),
        np.array([EVIDENCE_AMOUNTS.index(candidate.evidence.own) for candidate in batch]),
        bundle.models.targets[target].calibration_sample,
        request,
    )
    assert selection.is_chosen.tolist() == expected.is_chosen.tolist()
    assert {candidate.evidence.own for candidate in batch} == {"none", "some"}


def test_selection_by_a_risk_that_isnt_predicted_is_empty_and_says_so(
    bundle_without_returns: Bundle, snapshot: OnlineSnapshot
) -> None:
    batch = score(bundle_without_returns, snapshot, [CANDIDATE], coverage=0.8).candidates
    selection = select(
        bundle_without_returns.models, batch, SelectionRequest(target="return_risk", threshold=0.2)
    )
    assert (selection.is_chosen.tolist(), selection.reason) == (
        [False],
        NoSelectionReason.NOT_PREDICTED,
    )
