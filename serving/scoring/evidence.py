"""Collect the evidence behind predictions, and flags for what it lacks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from features.catalogue.catalogue import Catalogue
from features.dataset.days import as_of_to_day
from features.declarations.levels import Level
from features.declarations.shrinkage import RATES
from features.declarations.targets import TARGETS
from features.online.snapshot import LookupResult, OnlineSnapshot
from serving.bundle.bundle import Bundle
from serving.conformal.cells import EVIDENCE_AMOUNTS, OwnEvidence
from serving.prediction.learned_ranges import find_out_of_range
from serving.prediction.predict import Predictions
from serving.prediction.seasonality import looks_at_unseen_season
from serving.scoring.admission import AdmittedCandidate
from serving.scoring.answers import PredictionEvidence

OWN_WEIGHTS: Final = {rate.name: f"own_weight_{rate.name}_{rate.days}d" for rate in RATES}
"""Rate to the model input that has the weight of the listing's own evidence in it."""

MAX_UNFLAGGED_DAYS: Final = 90
"""A snapshot whose data end further from the bundle's is flagged in each answer."""


def collect_evidence(
    catalogue: Catalogue, snapshot: OnlineSnapshot, lookup: LookupResult, predictions: Predictions
) -> list[PredictionEvidence]:
    """Return each row's evidence."""
    as_of = snapshot.as_of.isoformat()
    weights = _own_weights(catalogue, predictions)
    has_level = {level: lookup.found[level].tolist() for level in Level}
    return [
        PredictionEvidence(
            own=EVIDENCE_AMOUNTS[predictions.own_evidence[row]].value,
            own_weight=weight,
            levels_used=[level.value for level in Level if has_level[level][row]],
            as_of=as_of,
        )
        for row, weight in enumerate(weights)
    ]


def _own_weights(catalogue: Catalogue, predictions: Predictions) -> list[dict[str, float | None]]:
    positions = [catalogue.model_inputs.index(name) for name in OWN_WEIGHTS.values()]
    return [
        {
            rate: None if math.isnan(weight) else weight
            for rate, weight in zip(OWN_WEIGHTS, row, strict=True)
        }
        for row in predictions.matrix[:, positions].tolist()
    ]


def collect_flags(
    bundle: Bundle,
    snapshot: OnlineSnapshot,
    admitted: Sequence[AdmittedCandidate],
    lookup: LookupResult,
    predictions: Predictions,
) -> list[list[str]]:
    """Return each row's flags: what a reader must know before using its numbers."""
    imputed = sorted({*bundle.manifest.imputed, *snapshot.about.imputed})
    shared = [f"no_{target}" for target in TARGETS if target not in bundle.models.targets]
    if looks_at_unseen_season(
        bundle.manifest.seasons.learned,
        as_of_to_day(snapshot.as_of),
        bundle.horizons.horizon_days,
    ):
        shared.append("unseen_season")
    shared += [*_age_flags(bundle, snapshot), *(f"imputed:{table}" for table in imputed)]
    is_merged = np.any(
        [prediction.is_merged for prediction in predictions.targets.values()], axis=0
    )
    is_cold = predictions.own_evidence == EVIDENCE_AMOUNTS.index(OwnEvidence.NONE)
    rows = zip(
        admitted,
        is_cold.tolist(),
        is_merged.tolist(),
        _unknown_flags(snapshot, admitted, lookup),
        _range_flags(bundle, admitted, predictions),
        predictions.demand.tolist(),
        strict=True,
    )
    return [
        [
            *_interval_flags(cold, merged),
            *_subject_flags(bundle, snapshot, row),
            *unknown,
            *out_of_range,
            *_season_flags(demand),
            *shared,
        ]
        for row, cold, merged, unknown, out_of_range, demand in rows
    ]


def _season_flags(demand: float) -> list[str]:
    """Return a flag with the calendar's demand if it changed the estimates."""
    return [] if demand == 1.0 else [f"season_demand:{demand:.4g}"]


def _interval_flags(is_cold: bool, is_merged: bool) -> list[str]:  # noqa: FBT001 - two facts
    """Return flags for what makes a row's intervals wider or coarser."""
    flags = {"cold_start": is_cold, "interval_merged": is_merged}
    return [flag for flag, is_raised in flags.items() if is_raised]


def days_after_bundle(bundle: Bundle, snapshot: OnlineSnapshot) -> int:
    """Return by how many days a snapshot's data end after the bundle's; negative if before."""
    return as_of_to_day(snapshot.as_of) - bundle.manifest.cut_off_day


def _age_flags(bundle: Bundle, snapshot: OnlineSnapshot) -> list[str]:
    days = days_after_bundle(bundle, snapshot)
    flags = {"old_model": days > MAX_UNFLAGGED_DAYS, "old_snapshot": -days > MAX_UNFLAGGED_DAYS}
    return [flag for flag, is_raised in flags.items() if is_raised]


def _subject_flags(bundle: Bundle, snapshot: OnlineSnapshot, row: AdmittedCandidate) -> list[str]:
    subject, requested = row.subject, row.candidate.category
    flags = {
        "unknown_product": not subject.is_known,
        "unseen_category": subject.category not in snapshot.categories,
        "unseen_market": row.candidate.market not in bundle.manifest.markets,
        "category_of_snapshot": requested is not None and requested != subject.category,
    }
    return [flag for flag, is_raised in flags.items() if is_raised]


def _unknown_flags(
    snapshot: OnlineSnapshot, admitted: Sequence[AdmittedCandidate], lookup: LookupResult
) -> list[tuple[str, ...]]:
    """Return flags for what a request names and the snapshot doesn't know, or knows otherwise."""
    unknown_suppliers = _find_unknown_suppliers(snapshot, admitted, lookup)
    pairs = [(row.candidate, row.subject) for row in admitted]
    creators = zip(pairs, lookup.found[Level.CREATOR].tolist(), strict=True)
    raised = {
        "unknown_listing": [
            requested.listing_id is not None and subject.listing is None
            for requested, subject in pairs
        ],
        "unknown_supplier": [requested.supplier_id in unknown_suppliers for requested, _ in pairs],
        "supplier_of_snapshot": [
            requested.supplier_id is not None and requested.supplier_id != subject.supplier_id
            for requested, subject in pairs
        ],
        "unknown_creator": [
            requested.creator_id is not None and not is_known
            for (requested, _), is_known in creators
        ],
    }
    if not any(map(any, raised.values())):
        return [()] * len(pairs)
    rows = zip(*raised.values(), strict=True)
    return [
        tuple(flag for flag, is_raised in zip(raised, row, strict=True) if is_raised)
        for row in rows
    ]


def _find_unknown_suppliers(
    snapshot: OnlineSnapshot, admitted: Sequence[AdmittedCandidate], lookup: LookupResult
) -> frozenset[str]:
    """Return the requested suppliers that the snapshot doesn't know.

    Only those that differ from the supplier of the product were not looked up yet.
    """
    has_supplier = dict(
        zip(
            (row.subject.supplier_id for row in admitted),
            lookup.found[Level.SUPPLIER].tolist(),
            strict=True,
        )
    )
    suppliers = (row.candidate.supplier_id for row in admitted)
    requested = {name for name in suppliers if name is not None}
    others = sorted(name for name in requested if name not in has_supplier)
    if others:
        _, known = snapshot.vectors(Level.SUPPLIER, ((name,) for name in others))
        has_supplier.update(zip(others, known.tolist(), strict=True))
    return frozenset(name for name in requested if not has_supplier[name])


def _range_flags(
    bundle: Bundle, admitted: Sequence[AdmittedCandidate], predictions: Predictions
) -> list[tuple[str, ...]]:
    """Return a flag for each field that lies far outside what the models learned from."""
    rows = find_out_of_range(
        bundle.ranges,
        predictions.matrix,
        bundle.models.catalogue.model_inputs,
        [row.candidate.market for row in admitted],
    )
    return [tuple(f"out_of_range:{field}" for field in fields) if fields else () for fields in rows]
