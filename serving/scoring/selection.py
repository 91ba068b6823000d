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
from features.runtime.text import listed, shown
from serving.conformal.calibration_sample import Past
from serving.conformal.cells import LEVELS, OwnEvidence
from serving.prediction.predict import Models
from serving.scoring.answers import ScoredCandidate, Share
from serving.scoring.design_effect import design_effect

LEAST_PAST_ROWS: Final = 200
"""With fewer past decisions of its evidence level, a candidate is compared with those of all."""


class Empty(StrEnum):
    """Why nothing was chosen."""

    NO_CANDIDATES = "no_candidates"
    """None has a prediction."""
    TOO_FEW_PAST_DECISIONS = "too_few_past_decisions"
    """So few that even spotless ones couldn't show a share as low as asked."""
    NOT_PREDICTED = "not_predicted"
    """The bundle has no model of what was asked."""
    NONE_GOOD_ENOUGH = "none_good_enough"
    """Of any list, a larger share than asked would have to be expected bad."""


class UnusableAskError(SettingsError, ValueError):
    """Refuse to choose by what bounds nothing: NaN as a threshold would call all good."""

    def __init__(self, name: str, *, expected: str, found: object) -> None:
        super().__init__(
            expected=f"{name} to be {expected}",
            found=shown(repr(found)),
            way_out=f"Change {name}.",
        )


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What a bad candidate is, and how large a share of a list may be expected bad.

    Bad is a sell-through under `threshold`, or a return risk over it, as it will be realised.

    Raises:
        UnusableAskError: no such target, a threshold that is no share, or a share of bad candidates
            that isn't between 0 and 1.
    """

    target: Target
    threshold: float
    bad_share: float = 0.1

    def __post_init__(self) -> None:
        """Refuse what bounds nothing."""
        if self.target not in TARGETS:
            raise UnusableAskError(
                "target", expected=f"one of {listed(TARGETS)}", found=self.target
            )
        if not _is_number(self.threshold) or not 0 <= self.threshold <= 1:
            raise UnusableAskError("threshold", expected="from 0 to 1", found=self.threshold)
        if not _is_number(self.bad_share) or not 0 < self.bad_share < 1:
            raise UnusableAskError("bad_share", expected="between 0 and 1", found=self.bad_share)

    def is_bad(self, outcome: FloatArray) -> BoolArray:
        """Tell which outcomes are bad."""
        if self.target == "return_risk":
            return outcome > self.threshold
        return outcome < self.threshold


@dataclass(frozen=True)
class Selection:
    """Which candidates are chosen; where none is, `reason` says why."""

    ask: Ask
    is_chosen: BoolArray
    reason: Empty | None

    @classmethod
    def none(cls, ask: Ask, rows: int, reason: Empty) -> Selection:
        """Choose none of some rows."""
        return cls(ask, np.zeros(rows, dtype=np.bool_), reason)


def select(models: Models, candidates: Sequence[ScoredCandidate], ask: Ask) -> Selection:
    """Choose from scored candidates, in their order; those without a prediction never."""
    shares: list[Share | None] = [getattr(one, ask.target) for one in candidates]
    estimate = np.array([np.nan if share is None else share.estimate for share in shares])
    evidence = [LEVELS.index(OwnEvidence(one.evidence.own)) for one in candidates]
    return select_by(models, estimate, np.array(evidence, dtype=np.int64), ask)


def select_by(models: Models, estimate: FloatArray, evidence: IntArray, ask: Ask) -> Selection:
    """Choose by the models' estimates and past decisions; see `choose`."""
    model = models.targets.get(ask.target)
    if model is None:
        return Selection.none(ask, estimate.size, Empty.NOT_PREDICTED)
    return choose(estimate, evidence, model.past, ask)


def choose(estimate: FloatArray, evidence: IntArray, past: Past, ask: Ask) -> Selection:
    """Choose from candidates by their estimates, NaN where there is none, shape (rows,).

    `evidence` is each one's place in `serving.conformal.cells.LEVELS`. The choice doesn't depend on
    the order of candidates, and a larger bad share never drops one.
    """
    known = np.isfinite(estimate)
    if not known.any():
        return Selection.none(ask, estimate.size, Empty.NO_CANDIDATES)
    if 1 / (past.estimate.size + 1) > ask.bad_share:
        return Selection.none(ask, estimate.size, Empty.TOO_FEW_PAST_DECISIONS)
    p_values = p_values_of(estimate[known], evidence[known], past, ask)
    is_chosen = np.zeros(estimate.shape, dtype=np.bool_)
    is_chosen[known] = p_values <= largest_rejected(p_values, ask.bad_share)
    return Selection(ask, is_chosen, None if is_chosen.any() else Empty.NONE_GOOD_ENOUGH)


def p_values_of(estimate: FloatArray, evidence: IntArray, past: Past, ask: Ask) -> FloatArray:
    """Return each candidate's p-value, of the hypothesis that it turns out bad, shape (rows,).

    (d + bad past decisions with an estimate as good or better) / (d + past decisions), counted
    among those of its own evidence level where there are enough; equal estimates count as better.
    d is their design effect, 1 where those of a listing don't resemble each other.
    """
    p_values = np.empty(estimate.shape)
    for place in range(len(LEVELS)):
        mine = evidence == place
        alike = past.evidence == place
        if alike.sum() < LEAST_PAST_ROWS:
            alike = np.ones_like(alike)
        is_bad = ask.is_bad(past.outcome[alike])
        alone = design_effect(is_bad, past.listings[alike])
        sign = 1.0 if ask.target == "return_risk" else -1.0  # lower is better from here on
        bad = np.sort(sign * past.estimate[alike][is_bad])
        as_good = np.searchsorted(bad, sign * estimate[mine], side="right")
        p_values[mine] = (alone + as_good) / (alone + alike.sum())
    return p_values


def largest_rejected(p_values: FloatArray, share: float) -> float:
    """Return the largest p-value that Benjamini and Hochberg reject at `share`, -1 for none."""
    ordered = np.sort(p_values)
    allowed = share * np.arange(1, ordered.size + 1) / ordered.size
    rejected = np.flatnonzero(ordered <= allowed)
    return float(ordered[rejected[-1]]) if rejected.size else -1.0
