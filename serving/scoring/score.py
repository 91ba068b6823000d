"""The scoring function: bundle + online snapshot + candidates -> predictions with evidence.

There is one: the service and batch files score with it, and offline evaluation with its part
below look-up (serving/prediction/predict.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from features.dataset.days import as_of_to_day
from features.dataset.horizons import Horizons
from features.online.lookup_keys import build_lookup_keys, resolve_subjects
from features.online.snapshot import OnlineSnapshot
from features.runtime.arrays import FloatArray
from serving.bundle.bundle import Bundle
from serving.errors import CatalogueMismatchError, HorizonsMismatchError
from serving.prediction.predict import Prediction, Predictions, predict
from serving.scoring.admission import admit
from serving.scoring.answers import PredictionEvidence, ScoredBatch, ScoredCandidate, Share
from serving.scoring.candidates import Candidate
from serving.scoring.evidence import collect_evidence, collect_flags


def score(
    bundle: Bundle, snapshot: OnlineSnapshot, candidates: Sequence[Candidate], *, coverage: float
) -> ScoredBatch:
    """Score candidates; `coverage` is the coverage of the intervals, in (0, 1).

    Raises:
        RequestRefusedError: a candidate contradicts the snapshot.
        BundleRefusedError: bundle and snapshot don't belong together, or a model fails.
    """
    check_pair(bundle, snapshot)
    admit(snapshot, candidates)
    subjects = resolve_subjects(snapshot, candidates)
    found = snapshot.look_up(build_lookup_keys(subjects))
    columns = found.columns.with_columns(_request_columns(bundle, candidates))
    markets = [one.market for one in candidates]
    demand = _calendar_demand(bundle, snapshot, markets)
    predictions = predict(bundle.models, columns, markets, coverage=coverage, demand=demand)
    return ScoredBatch(
        bundle_id=bundle.bundle_id,
        snapshot_id=snapshot.snapshot_id,
        as_of=snapshot.as_of.isoformat(),
        candidates=_build_answers(
            candidates,
            predictions,
            collect_evidence(bundle.models.catalogue, snapshot, found, predictions),
            collect_flags(
                bundle, snapshot, list(zip(candidates, subjects, strict=True)), predictions
            ),
        ),
    )


def _build_answers(
    candidates: Sequence[Candidate],
    predictions: Predictions,
    evidence: Sequence[PredictionEvidence],
    flags: Sequence[list[str]],
) -> list[ScoredCandidate]:
    shares = {target: _build_shares(one) for target, one in predictions.targets.items()}
    unknown = [None] * len(candidates)
    kept_share = predictions.score
    rows = zip(
        candidates,
        shares["sell_through"],
        shares.get("return_risk", unknown),
        unknown if kept_share is None else kept_share.tolist(),
        evidence,
        flags,
        strict=True,
    )
    return [
        ScoredCandidate(
            candidate_id=candidate.candidate_id,
            product_id=candidate.product_id,
            market=candidate.market,
            sell_through=sell_through,
            return_risk=return_risk,
            score=kept,
            evidence=its_evidence,
            flags=its_flags,
        )
        for candidate, sell_through, return_risk, kept, its_evidence, its_flags in rows
    ]


def check_pair(bundle: Bundle, snapshot: OnlineSnapshot) -> None:
    """Check that a bundle and a snapshot were made for each other.

    Raises:
        CatalogueMismatchError: they hold different features.
        HorizonsMismatchError: their targets and rates look over different lengths of time.
    """
    expected, found = bundle.manifest.catalogue_fingerprint, snapshot.about.catalogue_fingerprint
    if found != expected:
        raise CatalogueMismatchError("snapshot", expected=expected, found=found)
    if snapshot.about.horizons != bundle.horizons:
        raise HorizonsMismatchError(
            bundle=_describe_horizons(bundle.horizons),
            snapshot=_describe_horizons(snapshot.about.horizons),
        )


def _describe_horizons(horizons: Horizons) -> str:
    return ", ".join(f"{name} {days}" for name, days in horizons.model_dump().items())


def _request_columns(bundle: Bundle, candidates: Sequence[Candidate]) -> dict[str, FloatArray]:
    """Return the numbers that only the request knows; a candidate names them as the catalogue."""
    names = [field.name for field in bundle.models.catalogue.request_fields]
    return {
        name: np.array([getattr(one, name) for one in candidates], dtype=np.float64)
        for name in names
    }


def _calendar_demand(
    bundle: Bundle, snapshot: OnlineSnapshot, markets: Sequence[str]
) -> FloatArray:
    """Return how many times the usual demand the calendar says, shape (rows,)."""
    places = {market: place for place, market in enumerate(dict.fromkeys(markets))}
    return bundle.manifest.seasons.demand(
        np.full(len(markets), as_of_to_day(snapshot.as_of)),
        np.array([places[market] for market in markets], dtype=np.int64),
        tuple(places),
        horizon_days=bundle.horizons.horizon_days,
    )


def _build_shares(prediction: Prediction) -> list[Share]:
    rows = zip(
        prediction.estimate.tolist(), prediction.low.tolist(), prediction.high.tolist(), strict=True
    )
    return [
        Share(estimate=estimate, low=low, high=high, coverage=prediction.coverage)
        for estimate, low, high in rows
    ]
