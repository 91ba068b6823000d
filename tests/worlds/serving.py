"""A small real bundle and snapshot to serve: tiny boosters on the real catalogue."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import lightgbm as lgb
import numpy as np

from features.catalogue.catalogue import CATALOGUE
from features.dataset.days import DaySpan
from features.dataset.horizons import Horizons
from features.declarations.levels import Level
from features.declarations.targets import TARGETS, Target
from features.monitoring.reference_stats import describe_inputs
from features.online.contents import (
    LevelAbout,
    LevelVectors,
    ListingFacts,
    ProductFacts,
    SnapshotAbout,
    SnapshotContents,
)
from features.online.writer import write_snapshot
from features.runtime.arrays import FloatArray
from features.runtime.pointer import publish
from serving.bundle.bundle import BundleContents
from serving.bundle.manifest import MANIFEST, compute_bundle_id
from serving.conformal.cells import (
    OWN_HISTORY,
    IntervalContext,
    build_interval_context,
    expected_orders,
)
from serving.prediction.booster import Booster
from serving.prediction.calibration import CalibrationCurve
from serving.prediction.init_score import LOT, ORDER_SIZE, init_score
from serving.prediction.predict import Models
from serving.prediction.seasonality import Seasons
from serving.prediction.target_model import (
    DemandModel,
    ShareModel,
    TargetModel,
    corrected_share,
    sum_of_trees,
)
from serving.prediction.usual_listings import UsualListings, UsualOfMarkets
from training.boosting.objectives import DemandObjective
from training.calibration.demand_curve_fit import fit_demand_curve, fit_start
from training.calibration.difficulty import binomial_difficulty
from training.calibration.residuals import fit_residuals, fit_tails, subsample
from training.fit.learned_ranges import learn_ranges
from training.fit.usual_listings import describe_usual

ROWS = 7_500
SHARPNESS = 1.5
AS_OF = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
MARKETS = {"DE": "EUR", "GB": "GBP"}
CATEGORIES = ("kitchen", "toys")
PRODUCTS = {f"mug-{i}": ProductFacts("kitchen", "home", "maker") for i in range(5)} | {
    "kite": ProductFacts("toys", None, None),
    "new-pan": ProductFacts("kitchen", "home", None),
}
LISTINGS = {f"mug-{i}|GB": ListingFacts(f"mug-{i}", "GB", "reviewer") for i in range(5)} | {
    "kite|DE": ListingFacts("kite", "DE", None)
}
PARAMETERS = {
    name: 0.3 if name.endswith("_mean") else 20.0 + position
    for position, name in enumerate(CATALOGUE.parameters)
}


def random_columns(rows: int, seed: int) -> dict[str, FloatArray]:
    """Draw base features and request fields: whole numbers, some null, a third without history."""
    rng = np.random.default_rng(seed)
    columns = {}
    for feature in CATALOGUE.base:
        values = rng.poisson(rng.gamma(2, 20, rows)).astype(np.float64)
        values[rng.random(rows) < 0.05] = np.nan
        columns[feature.name] = values
    is_new = rng.random(rows) < 1 / 3
    for name in OWN_HISTORY:
        columns[name][is_new] = 0.0
    for field in CATALOGUE.request_fields:
        columns[field.name] = rng.integers(1, 500, rows).astype(np.float64)
    return columns


def random_markets(rows: int) -> tuple[str, ...]:
    """Assign the markets to rows in turn."""
    return tuple(sorted(MARKETS)[row % len(MARKETS)] for row in range(rows))


def _outcome(target: Target, columns: Mapping[str, FloatArray], seed: int) -> FloatArray:
    rng = np.random.default_rng(seed)
    signal = np.nan_to_num(columns["units_ordered_28d"]) / (1 + columns["units_offered"])
    share = np.clip(signal, 0.05, 0.9) if target == "sell_through" else 0.3 / (1 + signal)
    return rng.binomial(10, share) / 10


def _train(target: Target, matrix: FloatArray, outcome: FloatArray, seed: int) -> Booster:
    names = CATALOGUE.model_inputs
    offset = init_score(target, matrix, names)
    if target == "sell_through":
        offset = offset + fit_start(-offset, outcome, np.ones(outcome.size), SHARPNESS)
    data = lgb.Dataset(matrix, outcome, init_score=offset, feature_name=list(names))
    settings = {
        "objective": DemandObjective(SHARPNESS) if target == "sell_through" else "cross_entropy",
        "num_leaves": 7,
        "seed": seed,
        "verbose": -1,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "feature_contri": [float(name != LOT) for name in names],
        "monotone_constraints": CATALOGUE.monotone(target),
    }
    return Booster(lgb.train(settings, data, 12).model_to_string())


@dataclass(frozen=True)
class _FreshRows:
    """Rows that no booster learned from, each of a listing of its own."""

    matrix: FloatArray
    outcome: FloatArray
    context: IntervalContext


def _draw_fresh_rows(target: Target) -> _FreshRows:
    fresh = random_columns(ROWS, seed=2)
    exposure = expected_orders(fresh["units_offered"], np.full(ROWS, 0.3))
    return _FreshRows(
        CATALOGUE.design_matrix(fresh, PARAMETERS),
        _outcome(target, fresh, seed=3),
        build_interval_context(random_markets(ROWS), fresh, exposure),
    )


def _demand_model(boosters: tuple[Booster, ...]) -> DemandModel:
    fresh = _draw_fresh_rows("sell_through")
    names = CATALOGUE.model_inputs
    lot, order_size = (fresh.matrix[:, names.index(name)] for name in (LOT, ORDER_SIZE))
    raw, weight = sum_of_trees(boosters, fresh.matrix), np.ones(ROWS)
    curve = fit_demand_curve(
        raw, fresh.outcome, weight, lot=lot, order_size=order_size, sharpness=SHARPNESS
    )
    demand = curve.apply(raw, lot, order_size, uplift=weight)
    listings = np.arange(ROWS)
    return DemandModel(
        target="sell_through",
        boosters=boosters,
        curve=curve,
        tails=fit_tails(demand, fresh.outcome, fresh.context, listings=listings),
        calibration_sample=subsample(
            demand.share(), fresh.outcome, fresh.context.evidence, listings=listings // 2
        ),
    )


def _share_model(boosters: tuple[Booster, ...], matrix: FloatArray) -> ShareModel:
    raw = _corrected(boosters, matrix)
    curve = CalibrationCurve(np.quantile(raw, [0.1, 0.5, 0.9]), np.array([0.05, 0.3, 0.8]))
    fresh = _draw_fresh_rows("return_risk")
    estimate = curve.apply(_corrected(boosters, fresh.matrix))
    listings = np.arange(ROWS)
    return ShareModel(
        target="return_risk",
        boosters=boosters,
        calibration=curve,
        conformal=fit_residuals(
            estimate,
            fresh.outcome,
            fresh.context,
            difficulty=binomial_difficulty(),
            listings=listings,
        ),
        calibration_sample=subsample(
            estimate, fresh.outcome, fresh.context.evidence, listings=listings // 2
        ),
    )


def _corrected(boosters: tuple[Booster, ...], matrix: FloatArray) -> FloatArray:
    return corrected_share(sum_of_trees(boosters, matrix), matrix, CATALOGUE.model_inputs)


def _model(target: Target, columns: Mapping[str, FloatArray], matrix: FloatArray) -> TargetModel:
    outcome = _outcome(target, columns, seed=1)
    boosters = tuple(_train(target, matrix, outcome, seed) for seed in range(2))
    if target == "sell_through":
        return _demand_model(boosters)
    return _share_model(boosters, matrix)


def replace_leaves(booster: Booster, value: str) -> Booster:
    """Return a booster with all leaves of its first tree replaced, text length unchanged."""
    leaves = next(line for line in booster.text.splitlines() if line.startswith("leaf_value="))
    values = leaves.partition("=")[2].split(" ")
    other = " ".join(value.ljust(len(leaf)) for leaf in values)
    return Booster(booster.text.replace(leaves, f"leaf_value={other}", 1))


def _usual_of_markets(models: Mapping[Target, TargetModel], matrix: FloatArray) -> UsualOfMarkets:
    """Describe half of the rows as listed and half as new, the same in each market."""
    usual = UsualListings(
        listed=describe_usual(models, matrix[::2]), new=describe_usual(models, matrix[1::2])
    )
    return UsualOfMarkets(all_markets=usual, markets=dict.fromkeys(MARKETS, usual))


@cache
def bundle_contents() -> BundleContents:
    """Train once a test session."""
    columns = random_columns(ROWS, seed=0)
    matrix = CATALOGUE.design_matrix(columns, PARAMETERS)
    models = {target: _model(target, columns, matrix) for target in TARGETS}
    return BundleContents(
        models=Models(catalogue=CATALOGUE, parameters=PARAMETERS, targets=models),
        horizons=Horizons(),
        imputed=("stock",),
        canary={name: column[:8] for name, column in columns.items()},
        canary_markets=random_markets(8),
        reference_stats=describe_inputs(CATALOGUE, matrix),
        ranges=learn_ranges(matrix, CATALOGUE.model_inputs, random_markets(ROWS)),
        usual=_usual_of_markets(models, matrix),
        metrics={"sell_through.log_loss": 0.5, "return_risk.log_loss": 0.25},
        data_digest="0" * 64,
        cut_off_day=20_513,
        markets=tuple(MARKETS),
        seasons=Seasons(learned=DaySpan(19_500, 19_999), uplifts=()),
        git_commit="unknown",
        model_card="# A small model\n",
    )


def contents_without_returns() -> BundleContents:
    """Return the contents of a bundle that was trained without a returns table."""
    contents = bundle_contents()
    targets: dict[Target, TargetModel] = {"sell_through": contents.models.targets["sell_through"]}
    models = replace(contents.models, targets=targets)
    columns = random_columns(ROWS, seed=0)
    matrix = CATALOGUE.design_matrix(columns, PARAMETERS)
    metrics = {"sell_through.log_loss": 0.5}
    usual = _usual_of_markets(targets, matrix)
    return replace(contents, models=models, usual=usual, metrics=metrics)


def _vectors(level: Level, keys: list[tuple[str, ...]], seed: int) -> LevelVectors:
    rng = np.random.default_rng(seed)
    values = rng.poisson(30, (len(keys), len(CATALOGUE.at_level(level)))).astype(np.float64)
    return LevelVectors(keys=keys, values=values)


def snapshot_contents() -> SnapshotContents:
    """Draw evidence for the listings, products, categories and markets above."""
    keys: dict[Level, list[tuple[str, ...]]] = {
        Level.LISTING: [(name,) for name in sorted(LISTINGS)],
        Level.PRODUCT: [(name,) for name in sorted(PRODUCTS)],
        Level.SUPPLIER: [("maker",)],
        Level.SUPPLIER_CATEGORY: [("maker", "kitchen")],
        Level.CREATOR: [("reviewer",)],
        Level.CATEGORY_MARKET: [(c, m) for c in CATEGORIES for m in sorted(MARKETS)],
        Level.MARKET: [(market,) for market in sorted(MARKETS)],
    }
    levels = {level: _vectors(level, keys[level], seed) for seed, level in enumerate(Level)}
    about = SnapshotAbout(
        as_of=AS_OF,
        catalogue_fingerprint=CATALOGUE.fingerprint,
        dataset_digest="0" * 64,
        horizons=Horizons(),
        imputed=("stock",),
        markets=MARKETS,
        categories=CATEGORIES,
        levels={
            level: LevelAbout(
                features=tuple(feature.name for feature in CATALOGUE.at_level(level)),
                defaults=tuple(0.0 for _ in CATALOGUE.at_level(level)),
                keys=len(keys[level]),
            )
            for level in Level
        },
    )
    return SnapshotContents(about=about, levels=levels, products=PRODUCTS, listings=LISTINGS)


def write_snapshot_beside(root: Path) -> str:
    """Write the snapshot as `root/<snapshot_id>` and return its id."""
    root.mkdir(parents=True, exist_ok=True)
    snapshot_id = write_snapshot(snapshot_contents(), root / "fresh")
    (root / "fresh").rename(root / snapshot_id)
    publish(root, snapshot_id)
    return snapshot_id


def name_after_manifest(directory: Path) -> Path:
    """Give a bundle that was tampered with the name of its manifest, as a forger would."""
    manifest = directory / MANIFEST
    if not manifest.is_file() or manifest.is_symlink():
        return directory
    return directory.rename(directory.with_name(compute_bundle_id(manifest.read_bytes())))
