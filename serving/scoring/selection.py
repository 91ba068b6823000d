"""Choose a list of candidates whose expected share of bad ones is bounded.

A list of the best of many estimates collects the errors at the top. Intervals hold for one
answer at a time and promise nothing about a chosen list. Conformal selection does (Jin and Candès
2023, "Selection by prediction with conformal p-values", JMLR 24). A candidate's p-value is the
share of past decisions that were bad although they looked at least as good. The procedure of
Benjamini and Hochberg (1995) chooses from the p-values. If candidates and past decisions are
exchangeable and weigh alike, the expected share of bad ones in the list (0 for an empty list) is at
most the share requested; with weights it is so in the limit of many.

They are never quite exchangeable. Past decisions of one listing resemble each other, which the
p-values allow for (serving/scoring/design_effect.py). Candidates look better or worse than past
decisions did, so that past decisions weigh as much more as candidates that look like them are more
frequent (Jin and Candès 2023, "Model-free selective inference under covariate shift via weighted
conformal p-values", arXiv 2307.09291). And times change, which the estimates of past decisions
hold (training/calibration/demand_drift.py). How far the promise holds on real data:
docs/decisions/selected-lists.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from numbers import Real
from typing import Final

import numpy as np

from features.declarations.targets import TARGETS, Target
from features.runtime.arrays import BoolArray, FloatArray, IntArray
from features.runtime.errors import SettingsError
from features.runtime.text import escape, join_names
from serving.conformal.calibration_sample import CalibrationSample
from serving.conformal.cells import EVIDENCE_AMOUNTS, OwnEvidence
from serving.prediction.predict import Models
from serving.scoring.answers import ScoredCandidate, Share
from serving.scoring.design_effect import design_effect

MIN_SAMPLE_ROWS: Final = 200
"""With fewer past decisions of its own amount of evidence, a candidate is compared with all."""

MAX_RANGES: Final = 10
"""Most ranges of estimates whose frequencies are compared."""
MIN_RANGE_CANDIDATES: Final = 100
"""Fewest candidates for each range. With fewer than two ranges of an amount of evidence, past
decisions weigh alike."""

DEFAULT_BAD_SHARE: Final = 0.1


class NoSelectionReason(StrEnum):
    """Why no candidate was chosen."""

    NO_CANDIDATES = "no_candidates"
    """No candidate has a prediction."""
    TOO_FEW_PAST_DECISIONS = "too_few_past_decisions"
    """Too few to show a share as low as requested, even if none of them was bad."""
    NOT_PREDICTED = "not_predicted"
    """The bundle has no model of the target."""
    NONE_GOOD_ENOUGH = "none_good_enough"
    """Every list would have a larger expected share of bad candidates than requested."""


class InvalidSelectionError(SettingsError, ValueError):
    """Refuse a request that bounds nothing; with NaN as threshold no candidate would be bad."""

    def __init__(self, name: str, *, allowed: str, actual: object) -> None:
        super().__init__(
            problem=f"The value of {name} must be {allowed}, not {escape(repr(actual))}.",
            hint=f"Change {name}.",
        )


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


@dataclass(frozen=True, kw_only=True)
class SelectionRequest:
    """The definition of a bad candidate, and the largest expected share of them in a list.

    A candidate is bad if its realised sell-through is under `threshold`, or its realised return
    risk over it.

    Raises:
        InvalidSelectionError: the target is unknown, the threshold isn't a share, or `bad_share`
            isn't between 0 and 1.
    """

    target: Target
    threshold: float
    bad_share: float = DEFAULT_BAD_SHARE

    def __post_init__(self) -> None:
        """Refuse values that bound nothing."""
        if self.target not in TARGETS:
            raise InvalidSelectionError(
                "target", allowed=f"one of {join_names(TARGETS)}", actual=self.target
            )
        if not _is_number(self.threshold) or not 0 <= self.threshold <= 1:
            raise InvalidSelectionError("threshold", allowed="from 0 to 1", actual=self.threshold)
        if not _is_number(self.bad_share) or not 0 < self.bad_share < 1:
            raise InvalidSelectionError(
                "bad_share", allowed="between 0 and 1", actual=self.bad_share
            )

    def is_bad(self, outcome: FloatArray) -> BoolArray:
        """Return True for bad outcomes."""
        if self.target == "return_risk":
            return outcome > self.threshold
        return outcome < self.threshold


@dataclass(frozen=True)
class Selection:
    """The chosen candidates; if there are none, `reason` says why."""

    request: SelectionRequest
    is_chosen: BoolArray
    reason: NoSelectionReason | None

    @classmethod
    def none(cls, request: SelectionRequest, rows: int, reason: NoSelectionReason) -> Selection:
        """Return a selection that chooses none of `rows` candidates."""
        return cls(request, np.zeros(rows, dtype=np.bool_), reason)


def select(
    models: Models, candidates: Sequence[ScoredCandidate], request: SelectionRequest
) -> Selection:
    """Choose from scored candidates; one without a prediction is never chosen.

    The result has the order of the candidates.
    """
    shares: list[Share | None] = [getattr(candidate, request.target) for candidate in candidates]
    estimate = np.array([np.nan if share is None else share.estimate for share in shares])
    evidence = [
        EVIDENCE_AMOUNTS.index(OwnEvidence(candidate.evidence.own)) for candidate in candidates
    ]
    return select_by_estimate(models, estimate, np.array(evidence, dtype=np.int64), request)


def select_by_estimate(
    models: Models, estimate: FloatArray, evidence: IntArray, request: SelectionRequest
) -> Selection:
    """Choose by estimates and by the past decisions of the models; see `choose`."""
    model = models.targets.get(request.target)
    if model is None:
        return Selection.none(request, estimate.size, NoSelectionReason.NOT_PREDICTED)
    return choose(estimate, evidence, model.calibration_sample, request)


def choose(
    estimate: FloatArray,
    evidence: IntArray,
    calibration_sample: CalibrationSample,
    request: SelectionRequest,
) -> Selection:
    """Choose from candidates by their estimates, shape (rows,), NaN if there is none.

    `evidence` is each candidate's index in `serving.conformal.cells.EVIDENCE_AMOUNTS`. The choice
    doesn't depend on the order of candidates, and a larger `bad_share` never drops a candidate.
    """
    known = np.isfinite(estimate)
    if not known.any():
        return Selection.none(request, estimate.size, NoSelectionReason.NO_CANDIDATES)
    if 1 / (calibration_sample.estimate.size + 1) > request.bad_share:
        return Selection.none(request, estimate.size, NoSelectionReason.TOO_FEW_PAST_DECISIONS)
    p_values = conformal_p_values(estimate[known], evidence[known], calibration_sample, request)
    is_chosen = np.zeros(estimate.shape, dtype=np.bool_)
    is_chosen[known] = p_values <= benjamini_hochberg_threshold(p_values, request.bad_share)
    return Selection(
        request, is_chosen, None if is_chosen.any() else NoSelectionReason.NONE_GOOD_ENOUGH
    )


def conformal_p_values(
    estimate: FloatArray,
    evidence: IntArray,
    calibration_sample: CalibrationSample,
    request: SelectionRequest,
) -> FloatArray:
    """Return the p-value of the hypothesis that a candidate turns out bad, shape (rows,).

    It is (dw + weight of bad past decisions with an estimate as good or better) / (dw + weight of
    past decisions), where w is the weight of the candidate's range of estimates. Equal estimates
    count as better. The past decisions are those of the candidate's own amount of evidence, if
    there are `MIN_SAMPLE_ROWS` of them. d is their design effect; it is 1 if decisions of a listing
    don't resemble each other. A better estimate of the same evidence has no larger p-value.
    """
    p_values = np.empty(estimate.shape)
    sign = 1.0 if request.target == "return_risk" else -1.0  # after it, lower is better
    for amount in range(len(EVIDENCE_AMOUNTS)):
        has_amount = evidence == amount
        past = calibration_sample.evidence == amount
        if past.sum() < MIN_SAMPLE_ROWS:
            past = np.ones_like(past)
        is_bad = request.is_bad(calibration_sample.outcome[past])
        effect = design_effect(is_bad, calibration_sample.listings[past])
        signed, past_signed = sign * estimate[has_amount], sign * calibration_sample.estimate[past]
        weight, past_weight = likelihood_ratios(signed, past_signed)
        order = np.argsort(past_signed[is_bad], kind="stable")
        bad_weight = np.append(0.0, np.cumsum(past_weight[is_bad][order]))
        as_good = np.searchsorted(past_signed[is_bad][order], signed, side="right")
        least = effect * weight
        values = (least + bad_weight[as_good]) / (least + past_weight.sum())
        from_best = np.argsort(signed, kind="stable")
        values[from_best] = np.maximum.accumulate(values[from_best])
        p_values[has_amount] = values
    return p_values


def likelihood_ratios(estimate: FloatArray, past: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return how much more frequent the estimates of candidates are than those of past decisions.

    The first result has the shape of the candidates, the second that of the past decisions. Both
    are ratios of frequencies in ranges that hold about as many past decisions each.
    """
    count = min(MAX_RANGES, estimate.size // MIN_RANGE_CANDIDATES)
    edges = np.unique(np.quantile(past, np.arange(1, count) / count)) if count > 1 else np.empty(0)
    ranges, past_ranges = (np.searchsorted(edges, one, side="left") for one in (estimate, past))
    counts, past_counts = (
        np.bincount(one, minlength=edges.size + 1) for one in (ranges, past_ranges)
    )
    ratio = counts / np.maximum(past_counts, 1) * (past.size / max(estimate.size, 1))
    return ratio[ranges], ratio[past_ranges]


def benjamini_hochberg_threshold(p_values: FloatArray, share: float) -> float:
    """Return the largest p-value that Benjamini and Hochberg reject at `share`, -1 if none."""
    ordered = np.sort(p_values)
    allowed = share * np.arange(1, ordered.size + 1) / ordered.size
    rejected = np.flatnonzero(ordered <= allowed)
    return float(ordered[rejected[-1]]) if rejected.size else -1.0
