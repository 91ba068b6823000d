"""The scoring function: bundle + online snapshot + candidates -> predictions with evidence.

The service and batch files score with it. Offline evaluation uses its part below look-up
(serving/prediction/predict.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from features.dataset.days import as_of_to_day, to_datetime
from features.dataset.horizons import Horizons
from features.online.lookup_keys import build_lookup_keys
from features.online.snapshot import LookupResult, OnlineSnapshot
from features.runtime.arrays import FloatArray
from serving.bundle.bundle import Bundle
from serving.errors import (
    CatalogueMismatchError,
    HorizonsMismatchError,
    MarketsMismatchError,
    TooFarApartError,
)
from serving.prediction.predict import Prediction, Predictions, predict
from serving.scoring.admission import AdmittedCandidate, admit_all
from serving.scoring.answers import PredictionEvidence, ScoredBatch, ScoredCandidate, Share
from serving.scoring.candidates import Candidate
from serving.scoring.evidence import collect_evidence, collect_flags, days_after_bundle


@dataclass(frozen=True)
class Scoring:
    """An answer, and what it was made of; both have the order of the candidates."""

    answer: ScoredBatch
    candidates: Sequence[Candidate]
    matrix: FloatArray
    """The design matrix that the models saw, shape (rows, inputs), null as NaN."""
    coverage: float


def score(
    bundle: Bundle, snapshot: OnlineSnapshot, candidates: Sequence[Candidate], *, coverage: float
) -> ScoredBatch:
    """Score candidates; `coverage` is the coverage of the intervals, in (0, 1).

    Raises:
        RequestRefusedError: a candidate contradicts the snapshot.
        BundleRefusedError: bundle and snapshot don't belong together, or a model fails.
    """
    admitted = admit_all(snapshot, candidates)
    return score_with_inputs(bundle, snapshot, admitted, coverage=coverage).answer


def score_admitted(
    bundle: Bundle,
    snapshot: OnlineSnapshot,
    admitted: Sequence[AdmittedCandidate],
    *,
    coverage: float,
) -> ScoredBatch:
    """Score candidates that this snapshot has admitted; see `score`.

    Raises:
        BundleRefusedError: bundle and snapshot don't belong together, or a model fails.
    """
    return score_with_inputs(bundle, snapshot, admitted, coverage=coverage).answer


def score_with_inputs(
    bundle: Bundle,
    snapshot: OnlineSnapshot,
    admitted: Sequence[AdmittedCandidate],
    *,
    coverage: float,
) -> Scoring:
    """Score candidates that this snapshot has admitted, and keep what the models saw.

    Raises:
        BundleRefusedError: bundle and snapshot don't belong together, or a model fails.
    """
    lookup, predictions = predict_admitted(bundle, snapshot, admitted, coverage=coverage)
    candidates = [row.candidate for row in admitted]
    answer = ScoredBatch(
        bundle_id=bundle.bundle_id,
        snapshot_id=snapshot.snapshot_id,
        as_of=snapshot.as_of.isoformat(),
        candidates=_build_answers(
            candidates,
            predictions,
            collect_evidence(bundle.models.catalogue, snapshot, lookup, predictions),
            collect_flags(bundle, snapshot, admitted, lookup, predictions),
        ),
    )
    return Scoring(answer, candidates, predictions.matrix, coverage)


def predict_admitted(
    bundle: Bundle,
    snapshot: OnlineSnapshot,
    admitted: Sequence[AdmittedCandidate],
    *,
    coverage: float,
) -> tuple[LookupResult, Predictions]:
    """Return what the snapshot knows of each candidate, and the predictions from it.

    Raises:
        BundleRefusedError: bundle and snapshot don't belong together, or a model fails.
    """
    check_pair(bundle, snapshot)
    candidates = [row.candidate for row in admitted]
    lookup = snapshot.look_up(build_lookup_keys([row.subject for row in admitted]))
    columns = lookup.columns.with_columns(_request_columns(bundle, candidates))
    markets = [candidate.market for candidate in candidates]
    demand = _calendar_demand(bundle, snapshot, markets)
    return lookup, predict(bundle.models, columns, markets, coverage=coverage, demand=demand)


def _build_answers(
    candidates: Sequence[Candidate],
    predictions: Predictions,
    evidence: Sequence[PredictionEvidence],
    flags: Sequence[list[str]],
) -> list[ScoredCandidate]:
    shares = {
        target: _build_shares(prediction) for target, prediction in predictions.targets.items()
    }
    unknown = [None] * len(candidates)
    scores = predictions.score
    rows = zip(
        candidates,
        shares["sell_through"],
        shares.get("return_risk", unknown),
        unknown if scores is None else scores.tolist(),
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
            score=kept_share,
            evidence=row_evidence,
            flags=row_flags,
        )
        for candidate, sell_through, return_risk, kept_share, row_evidence, row_flags in rows
    ]


def check_pair(bundle: Bundle, snapshot: OnlineSnapshot) -> None:
    """Check that a bundle and a snapshot were made for each other.

    Raises:
        CatalogueMismatchError: they hold different features.
        HorizonsMismatchError: their targets or rates cover different numbers of days.
        MarketsMismatchError: the models learned from none of the snapshot's markets.
    """
    expected, actual = bundle.manifest.catalogue_fingerprint, snapshot.about.catalogue_fingerprint
    if actual != expected:
        raise CatalogueMismatchError("snapshot", expected=expected, actual=actual)
    if snapshot.about.horizons != bundle.horizons:
        raise HorizonsMismatchError(
            bundle=_describe_horizons(bundle.horizons),
            snapshot=_describe_horizons(snapshot.about.horizons),
        )
    if not set(bundle.manifest.markets) & set(snapshot.about.markets):
        raise MarketsMismatchError(
            bundle=bundle.manifest.markets, snapshot=sorted(snapshot.about.markets)
        )


def check_age(bundle: Bundle, snapshot: OnlineSnapshot, max_days: int | None) -> None:
    """Check how far apart the data of a bundle and a snapshot end; None accepts any distance.

    Raises:
        TooFarApartError: more than `max_days`.
    """
    if max_days is not None and abs(days_after_bundle(bundle, snapshot)) > max_days:
        raise TooFarApartError(
            bundle=to_datetime(bundle.manifest.cut_off_day).date(),
            snapshot=snapshot.as_of.date(),
            allowed=max_days,
        )


def _describe_horizons(horizons: Horizons) -> str:
    return ", ".join(f"{name} {days}" for name, days in horizons.model_dump().items())


def _request_columns(bundle: Bundle, candidates: Sequence[Candidate]) -> dict[str, FloatArray]:
    """Return the catalogue's request fields as columns, each of shape (rows,)."""
    names = [field.name for field in bundle.models.catalogue.request_fields]
    return {
        name: np.array([getattr(candidate, name) for candidate in candidates], dtype=np.float64)
        for name in names
    }


def _calendar_demand(
    bundle: Bundle, snapshot: OnlineSnapshot, markets: Sequence[str]
) -> FloatArray:
    """Return each row's demand by the calendar, as a multiple of the usual one, shape (rows,)."""
    day, horizon_days = as_of_to_day(snapshot.as_of), bundle.horizons.horizon_days
    demand = bundle.manifest.seasons.demand_of_market
    return np.array([demand(day, market, horizon_days=horizon_days) for market in markets])


def _build_shares(prediction: Prediction) -> list[Share]:
    rows = zip(
        prediction.estimate.tolist(), prediction.low.tolist(), prediction.high.tolist(), strict=True
    )
    return [
        Share(estimate=estimate, low=low, high=high, coverage=prediction.coverage)
        for estimate, low, high in rows
    ]
