"""The answer to a batch of candidates, ready to be written as JSON or as table rows."""

from __future__ import annotations

import msgspec


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """A predicted share, with an interval that covers the realised share with `coverage`.

    The interval is for the share that these units will realise: the units offered for sell-through,
    the expected orders (sell-through x units offered) for return risk. So the ends of
    sell-through's are whole units, or the estimate itself where that lies beyond. Few units make an
    interval wide, even if the probability behind it is well known.
    """

    estimate: float
    low: float
    high: float
    coverage: float


class PredictionEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """The evidence behind a prediction."""

    own: str
    """The amount of the listing's own evidence: none, some or much (serving/conformal/cells.py)."""
    own_weight: dict[str, float | None]
    """Rate to the weight of the listing's own evidence in it, 0 to 1; null if not countable."""
    levels_used: list[str]
    """The levels for which the snapshot had features."""
    as_of: str
    """The moment at which the evidence ends, in UTC."""


class ScoredCandidate(msgspec.Struct, frozen=True, kw_only=True):
    """The answer for one candidate."""

    candidate_id: str | None
    product_id: str
    market: str
    sell_through: Share
    return_risk: Share | None
    """The share of ordered units that comes back; null if the training data had no returns."""
    score: float | None
    """Kept sell-through: sell_through x (1 - return_risk); null if return_risk is null."""
    evidence: PredictionEvidence
    flags: list[str]


class ScoredBatch(msgspec.Struct, frozen=True, kw_only=True):
    """The answers in the order of the candidates, and the artefacts that made them."""

    bundle_id: str
    snapshot_id: str
    as_of: str
    candidates: list[ScoredCandidate]
