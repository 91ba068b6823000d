"""What a scored batch says, ready to be written as JSON or as a row of a table."""

from __future__ import annotations

import msgspec


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """A predicted share with the interval that covers it with probability `coverage`.

    The interval is about the share that is realised among the units concerned: those offered for
    sell-through, those expected to be ordered (sell-through x units offered) for return risk.
    The fewer they are, the wider it is, however well the chance behind it is known.
    """

    estimate: float
    low: float
    high: float
    coverage: float


class PredictionEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """What a prediction rests on."""

    own: str
    """How much is known of the listing itself: none, some or much (serving/conformal/cells.py)."""
    own_weight: dict[str, float | None]
    """Rate to the weight of the listing's own evidence in it, 0 to 1; null: not countable."""
    levels_used: list[str]
    """The levels that the snapshot had something about."""
    as_of: str
    """The moment up to which the evidence goes, in UTC."""


class ScoredCandidate(msgspec.Struct, frozen=True, kw_only=True):
    """One candidate's answer."""

    candidate_id: str | None
    product_id: str
    market: str
    sell_through: Share
    return_risk: Share | None
    """The share of the units ordered that comes back. Null where the data that trained the bundle
    had no returns."""
    score: float | None
    """Kept sell-through: sell_through x (1 - return_risk); null where return_risk is."""
    evidence: PredictionEvidence
    flags: list[str]


class ScoredBatch(msgspec.Struct, frozen=True, kw_only=True):
    """The answers in the order of the candidates, and what made them."""

    bundle_id: str
    snapshot_id: str
    as_of: str
    candidates: list[ScoredCandidate]
