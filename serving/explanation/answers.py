"""The answer to a request for explanations, ready to be written as JSON."""

from __future__ import annotations

import msgspec

from serving.explanation.wording import Words


class FeatureEffect(msgspec.Struct, frozen=True, kw_only=True):
    """How far one feature moves an estimate away from that of the usual listing."""

    feature: str
    family: str
    points: float
    """Percentage points."""
    value: float | None
    """The candidate's value, in the feature's unit (docs/contract.md); null if unknown."""
    usual: float | None
    """The median of the market's latest decisions, of lots the geometric mean; null if it was never
    known."""
    words: Words


class FamilyEffect(msgspec.Struct, frozen=True, kw_only=True):
    """How far the features of a family move an estimate together."""

    family: str
    points: float
    """Percentage points."""
    words: Words


class TargetExplanation(msgspec.Struct, frozen=True, kw_only=True):
    """An estimate, taken apart: 100 x `usual` + the points of all families = 100 x `estimate`.

    The points of `features` and `other_points` add up to those of the families.
    """

    estimate: float
    usual: float
    """The estimate for the usual listing of the market."""
    families: list[FamilyEffect]
    """All families, the strongest effect first."""
    features: list[FeatureEffect]
    """The features with the strongest effects, the strongest first."""
    other_points: float
    """Percentage points of all other features."""


class ExplainedCandidate(msgspec.Struct, frozen=True, kw_only=True):
    """The explanation of one candidate's predictions."""

    candidate_id: str | None
    product_id: str
    market: str
    sell_through: TargetExplanation
    return_risk: TargetExplanation | None
    """Null if the training data had no returns."""
    flags: list[str]


class ExplainedBatch(msgspec.Struct, frozen=True, kw_only=True):
    """The explanations in the order of the candidates, and the artefacts that made them."""

    bundle_id: str
    snapshot_id: str
    as_of: str
    candidates: list[ExplainedCandidate]
