"""Explain candidates: what moves each prediction away from the usual listing of the market."""

from __future__ import annotations

from collections.abc import Sequence

from features.declarations.targets import Target
from features.online.snapshot import OnlineSnapshot
from serving.bundle.bundle import Bundle
from serving.explanation.answers import ExplainedBatch, ExplainedCandidate, TargetExplanation
from serving.explanation.attribution import NO_EVIDENCE, attribute
from serving.explanation.statements import NamedValues, state_effects
from serving.prediction.predict import Predictions
from serving.prediction.usual_listings import UsualListings
from serving.scoring.admission import admit_all
from serving.scoring.candidates import DEFAULT_COVERAGE, Candidate
from serving.scoring.evidence import collect_flags
from serving.scoring.score import predict_admitted


def explain(
    bundle: Bundle, snapshot: OnlineSnapshot, candidates: Sequence[Candidate], *, most: int
) -> ExplainedBatch:
    """Explain the predictions of candidates, each by at most `most` features of a target.

    Raises:
        RequestRefusedError: a candidate contradicts the snapshot.
        BundleRefusedError: bundle and snapshot don't belong together, or a model fails.
    """
    admitted = admit_all(snapshot, candidates)
    lookup, predictions = predict_admitted(bundle, snapshot, admitted, coverage=DEFAULT_COVERAGE)
    explained = _explain_targets(bundle, candidates, predictions, most=most)
    flags = collect_flags(bundle, snapshot, admitted, lookup, predictions)
    return ExplainedBatch(
        bundle_id=bundle.bundle_id,
        snapshot_id=snapshot.snapshot_id,
        as_of=snapshot.as_of.isoformat(),
        candidates=[
            ExplainedCandidate(
                candidate_id=candidate.candidate_id,
                product_id=candidate.product_id,
                market=candidate.market,
                sell_through=explained["sell_through"][row],
                return_risk=explained["return_risk"][row] if "return_risk" in explained else None,
                flags=flags[row],
            )
            for row, candidate in enumerate(candidates)
        ],
    )


def _explain_targets(
    bundle: Bundle, candidates: Sequence[Candidate], predictions: Predictions, *, most: int
) -> dict[Target, list[TargetExplanation]]:
    """Return the explanation of each target's estimates, in the order of the candidates."""
    usual = [bundle.usual.of_market(candidate.market) for candidate in candidates]
    values = [
        _name_values(bundle, predictions, listings, candidate.currency, row)
        for row, (listings, candidate) in enumerate(zip(usual, candidates, strict=True))
    ]
    explained: dict[Target, list[TargetExplanation]] = {}
    for target, model in bundle.models.targets.items():
        attribution = attribute(model, predictions, usual)
        rows = zip(
            predictions.targets[target].estimate.tolist(),
            attribution.usual.tolist(),
            attribution.points,
            values,
            strict=True,
        )
        explained[target] = [
            state_effects(named, points, estimate=estimate, usual=usual_share, most=most)
            for estimate, usual_share, points, named in rows
        ]
    return explained


def _name_values(
    bundle: Bundle, predictions: Predictions, usual: UsualListings, currency: str, row: int
) -> NamedValues:
    is_new = bool(predictions.own_evidence[row] == NO_EVIDENCE)
    return NamedValues.build(
        bundle.models.catalogue,
        (*predictions.matrix[row].tolist(), float(predictions.demand[row]), float(is_new)),
        (usual.new if is_new else usual.listed).values,
        currency=currency,
    )
