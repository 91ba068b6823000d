"""Choose a list of candidates such that the expected share of bad ones in it stays bounded.

Picking the best of many estimates gathers the errors at the top, so intervals, which hold for one
answer at a time, say nothing of a chosen list. Conformal selection does (Jin and Candès 2023,
"Selection by prediction with conformal p-values", JMLR 24): a candidate's p-value is the share of
past decisions that were bad although they looked at least as good, and the procedure of Benjamini
and Hochberg (1995) picks from the p-values. Where candidates and past decisions are exchangeable,
the expected share of bad ones in the list, 0 of an empty one, is at most the one asked for.

They never quite are: past decisions of one listing resemble each other, and times change. For the
first the p-values allow (serving/scoring/design_effect.py); tests measure what share of chosen
lists was bad.
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
"""With fewer past decisions of its amount of evidence, a candidate is compared with all of them."""


class NoSelectionReason(StrEnum):
    """Why nothing was chosen."""

    NO_CANDIDATES = "no_candidates"
    """None has a prediction."""
    TOO_FEW_PAST_DECISIONS = "too_few_past_decisions"
    """So few that even spotless ones couldn't show a share as low as asked."""
    NOT_PREDICTED = "not_predicted"
    """The bundle has no model of what was asked."""
    NONE_GOOD_ENOUGH = "none_good_enough"
    """Of any list, a larger share than asked would have to be expected bad."""


class InvalidSelectionError(SettingsError, ValueError):
    """Refuse to choose by what bounds nothing: NaN as a threshold would call all good."""

    def __init__(self, name: str, *, expected: str, found: object) -> None:
        super().__init__(
            expected=f"{name} to be {expected}",
            found=escape(repr(found)),
            way_out=f"Change {name}.",
        )


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


@dataclass(frozen=True, kw_only=True)
class SelectionRequest:
    """What a bad candidate is, and how large a share of a list may be expected bad.

    Bad is a sell-through under `threshold`, or a return risk over it, as it will be realised.

    Raises:
        InvalidSelectionError: no such target, a threshold that is no share, or a share of bad
        candidates
            that isn't between 0 and 1.
    """

    target: Target
    threshold: float
    bad_share: float = 0.1

    def __post_init__(self) -> None:
        """Refuse what bounds nothing."""
        if self.target not in TARGETS:
            raise InvalidSelectionError(
                "target", expected=f"one of {join_names(TARGETS)}", found=self.target
            )
        if not _is_number(self.threshold) or not 0 <= self.threshold <= 1:
            raise InvalidSelectionError("threshold", expected="from 0 to 1", found=self.threshold)
        if not _is_number(self.bad_share) or not 0 < self.bad_share < 1:
            raise InvalidSelectionError(
                "bad_share", expected="between 0 and 1", found=self.bad_share
            )

    def is_bad(self, outcome: FloatArray) -> BoolArray:
        """Tell which outcomes are bad."""
        if self.target == "return_risk":
            return outcome > self.threshold
        return outcome < self.threshold


@dataclass(frozen=True)
class Selection:
    """Which candidates are chosen; where none is, `reason` says why."""

    request: SelectionRequest
    is_chosen: BoolArray
    reason: NoSelectionReason | None

    @classmethod
    def none(cls, request: SelectionRequest, rows: int, reason: NoSelectionReason) -> Selection:
        """Choose none of some rows."""
        return cls(request, np.zeros(rows, dtype=np.bool_), reason)


def select(
    models: Models, candidates: Sequence[ScoredCandidate], request: SelectionRequest
) -> Selection:
    """Choose from scored candidates, in their order; those without a prediction never."""
    shares: list[Share | None] = [getattr(one, request.target) for one in candidates]
    estimate = np.array([np.nan if share is None else share.estimate for share in shares])
    evidence = [EVIDENCE_AMOUNTS.index(OwnEvidence(one.evidence.own)) for one in candidates]
    return select_by_estimate(models, estimate, np.array(evidence, dtype=np.int64), request)


def select_by_estimate(
    models: Models, estimate: FloatArray, evidence: IntArray, request: SelectionRequest
) -> Selection:
    """Choose by the models' estimates and past decisions; see `choose`."""
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
    """Choose from candidates by their estimates, NaN where there is none, shape (rows,).

    `evidence` is each one's place in `serving.conformal.cells.LEVELS`. The choice doesn't depend on
    the order of candidates, and a larger bad share never drops one.
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
    """Return each candidate's p-value, of the hypothesis that it turns out bad, shape (rows,).

    (d + bad past decisions with an estimate as good or better) / (d + past decisions), counted
    among those of its own amount of evidence where there are enough; equal estimates count as
    better. d is their design effect, 1 where those of a listing don't resemble each other.
    """
    p_values = np.empty(estimate.shape)
    for place in range(len(EVIDENCE_AMOUNTS)):
        mine = evidence == place
        alike = calibration_sample.evidence == place
        if alike.sum() < MIN_SAMPLE_ROWS:
            alike = np.ones_like(alike)
        is_bad = request.is_bad(calibration_sample.outcome[alike])
        alone = design_effect(is_bad, calibration_sample.listings[alike])
        sign = 1.0 if request.target == "return_risk" else -1.0  # lower is better from here on
        bad = np.sort(sign * calibration_sample.estimate[alike][is_bad])
        as_good = np.searchsorted(bad, sign * estimate[mine], side="right")
        p_values[mine] = (alone + as_good) / (alone + alike.sum())
    return p_values


def benjamini_hochberg_threshold(p_values: FloatArray, share: float) -> float:
    """Return the largest p-value that Benjamini and Hochberg reject at `share`, -1 for none."""
    ordered = np.sort(p_values)
    allowed = share * np.arange(1, ordered.size + 1) / ordered.size
    rejected = np.flatnonzero(ordered <= allowed)
    return float(ordered[rejected[-1]]) if rejected.size else -1.0
