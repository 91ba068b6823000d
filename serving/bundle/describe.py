"""Describe a bundle in a bounded number of facts and lines."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from features.dataset.days import to_datetime
from features.runtime.text import escape, join_names
from serving.bundle.bundle import SCHEMA
from serving.bundle.manifest import SIGNATURE, Schema
from serving.bundle.model_files import booster_names, read_json
from serving.bundle.stored_models import (
    CALIBRATION,
    CONFORMAL,
    StoredConformal,
    StoredCurves,
    StoredDemandCurve,
)
from serving.bundle.verified_files import read_verified
from serving.prediction.seasonality import Uplift

MAX_METRICS: Final = 100
_MODEL_INFIX: Final = ".model."


class BundleFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts that `xuanpin bundle inspect` shows."""

    bundle_id: str
    format: int
    has_signature: bool
    """Whether manifest.sig exists; it isn't checked."""
    catalogue_fingerprint: str
    data_digest: str
    cut_off: str
    """The last day of the data."""
    learned_from: str
    """The first day whose outcomes the models learned from."""
    learned_to: str
    """The last day whose outcomes the models learned from."""
    seasonal_uplift: tuple[Uplift, ...]
    """The calendar, for days that no model learned from."""
    git_commit: str
    imputed: tuple[str, ...]
    horizons: dict[str, int]
    boosters: dict[str, int]
    """Target to the number of its boosters."""
    demand_curve: StoredDemandCurve
    """From sums of trees to the logarithm of demand, and how close demand stays to it."""
    cells: dict[str, dict[str, int]]
    """Target to the cells of its intervals, with the calibration rows of each."""
    libraries: dict[str, str]
    metrics: dict[str, float]
    """The model's own metrics (not a baseline's), the first `MAX_METRICS` by name."""
    files: dict[str, int]
    """File to its size in bytes."""


def read_facts(directory: Path) -> BundleFacts:
    """Verify a bundle's files against its manifest and return its facts; load no model.

    Raises:
        BundleRefusedError: it isn't a bundle, or has changed.
    """
    verified = read_verified(directory)
    manifest, schema = verified.manifest, read_json(verified.files, SCHEMA, Schema)
    curves = read_json(verified.files, CALIBRATION, StoredCurves)
    conformal = read_json(verified.files, CONFORMAL, StoredConformal)
    model_metrics = sorted(name for name in manifest.metrics if _MODEL_INFIX in name)
    return BundleFacts(
        bundle_id=verified.bundle_id,
        format=manifest.format,
        has_signature=(directory / SIGNATURE).exists(),
        catalogue_fingerprint=manifest.catalogue_fingerprint,
        data_digest=manifest.data_digest,
        cut_off=_format_date(manifest.cut_off_day),
        learned_from=_format_date(manifest.seasons.learned.first - 1),
        learned_to=_format_date(manifest.seasons.learned.last - 1),
        seasonal_uplift=manifest.seasons.uplifts,
        git_commit=manifest.git_commit,
        imputed=manifest.imputed,
        horizons=schema.horizons,
        boosters={target: len(booster_names(verified.files, target)) for target in schema.targets},
        demand_curve=curves.sell_through,
        cells=conformal.cell_counts(),
        libraries=manifest.libraries,
        metrics={name: manifest.metrics[name] for name in model_metrics[:MAX_METRICS]},
        files={name: len(data) for name, data in sorted(verified.files.items())},
    )


def format_facts(facts: BundleFacts) -> list[str]:
    """Return the facts as lines of bounded number and length, without control characters."""
    lines = [
        f"Bundle     {facts.bundle_id}, format {facts.format}",
        f"Signature  {'present, not checked' if facts.has_signature else 'none'}",
        f"Made by    commit {escape(facts.git_commit)}",
        f"For        catalogue {escape(facts.catalogue_fingerprint)[:16]}…",
        f"Data       {escape(facts.data_digest)[:16]}…, up to {facts.cut_off}",
        f"Learned    from outcomes of {facts.learned_from} to {facts.learned_to}",
        *(f"Calendar   {_describe_uplift(uplift)}" for uplift in facts.seasonal_uplift),
        f"Imputed    {join_names(facts.imputed)}",
        f"Horizons   {join_names(f'{name} {days}' for name, days in facts.horizons.items())}",
        f"Demand     {_describe_demand(facts.demand_curve)}",
        f"Libraries  {join_names(f'{name} {number}' for name, number in facts.libraries.items())}",
    ]
    for target, count in facts.boosters.items():
        cells = facts.cells.get(target, {})
        lines.append(f"{target}: {count} boosters, intervals in {len(cells)} cells")
        start = f"{target}{_MODEL_INFIX}"
        parts = (
            f"{name.removeprefix(start)} {value:.4g}"
            for name, value in facts.metrics.items()
            if name.startswith(start)
        )
        lines.append(f"  {join_names(parts)}")
    lines.append(f"Files      {sum(facts.files.values()):,} bytes in {len(facts.files)} files")
    lines += [f"  {size:>12,}  {name}" for name, size in facts.files.items()]
    return lines


def _describe_uplift(uplift: Uplift) -> str:
    markets = join_names(uplift.markets) if uplift.markets else "every market"
    return (
        f"{uplift.first} to {uplift.last} {uplift.uplift:+.0%} ({escape(uplift.name)}) in {markets}"
    )


def _describe_demand(curve: StoredDemandCurve) -> str:
    line = f"exp({curve.shift:.4g} + {curve.stretch:.4g} x trees)"
    return f"{line}, sharpness {curve.sharpness:.4g}, chance of any {curve.chance:.4g}"


def _format_date(day: int) -> str:
    """Return the date that begins at a day number; the day before ends there."""
    return to_datetime(day).date().isoformat()
