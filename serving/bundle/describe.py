"""What a bundle says of itself, bounded, for a person or a program to read."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from features.dataset.days import to_datetime
from features.runtime.text import listed, shown
from serving.bundle.bundle import SCHEMA
from serving.bundle.manifest import Schema
from serving.bundle.model_files import CONFORMAL, StoredResiduals, booster_names, read_json
from serving.bundle.signature import SIGNATURE
from serving.bundle.verified_files import read_sealed
from serving.prediction.seasonality import SeasonRise

MOST_METRICS: Final = 100
_OF_THE_MODEL: Final = ".model."


class BundleFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts that `xuanpin bundle inspect` shows."""

    bundle_id: str
    format: int
    has_signature: bool
    """Whether there is one; it isn't checked."""
    catalogue_fingerprint: str
    data_digest: str
    cut_off: str
    """The last day that the data know of."""
    learned_from: str
    """The first day whose outcomes shaped the models."""
    learned_to: str
    """The last of them."""
    season_rises: tuple[SeasonRise, ...]
    """What a calendar says of days that nothing was learned from."""
    git_commit: str
    imputed: tuple[str, ...]
    horizons: dict[str, int]
    boosters: dict[str, int]
    """Target to the number of its boosters."""
    cells: dict[str, dict[str, int]]
    """Target to cells of its intervals, with their calibration rows."""
    libraries: dict[str, str]
    metrics: dict[str, float]
    """The first `MOST_METRICS` of the model's own, by name."""
    files: dict[str, int]
    """Name to bytes."""


def facts_of(directory: Path) -> BundleFacts:
    """Read a bundle's facts; its files are verified against its manifest, no model is loaded.

    Raises:
        BundleRefusedError: it isn't a bundle, or was changed.
    """
    sealed = read_sealed(directory)
    manifest, schema = sealed.manifest, read_json(sealed.files, SCHEMA, Schema)
    residuals = read_json(sealed.files, CONFORMAL, dict[str, StoredResiduals])
    own = sorted(name for name in manifest.metrics if _OF_THE_MODEL in name)
    return BundleFacts(
        bundle_id=sealed.bundle_id,
        format=manifest.format,
        has_signature=(directory / SIGNATURE).exists(),
        catalogue_fingerprint=manifest.catalogue_fingerprint,
        data_digest=manifest.data_digest,
        cut_off=_date(manifest.cut_off_day),
        learned_from=_date(manifest.seasons.learned.first - 1),
        learned_to=_date(manifest.seasons.learned.last - 1),
        season_rises=manifest.seasons.rises,
        git_commit=manifest.git_commit,
        imputed=manifest.imputed,
        horizons=schema.horizons,
        boosters={target: len(booster_names(sealed.files, target)) for target in schema.targets},
        cells={
            target: {path: cell.count for path, cell in stored.cells.items()}
            for target, stored in residuals.items()
        },
        libraries=manifest.libraries,
        metrics={name: manifest.metrics[name] for name in own[:MOST_METRICS]},
        files={name: len(data) for name, data in sorted(sealed.files.items())},
    )


def lines_of(facts: BundleFacts) -> list[str]:
    """Say the facts in lines of bounded number and length, with nothing a terminal would obey."""
    lines = [
        f"Bundle     {facts.bundle_id}, format {facts.format}",
        f"Signature  {'there, not checked here' if facts.has_signature else 'none'}",
        f"Made by    commit {shown(facts.git_commit)}",
        f"For        catalogue {shown(facts.catalogue_fingerprint)[:16]}…",
        f"Data       {shown(facts.data_digest)[:16]}…, known up to {facts.cut_off}",
        f"Learned    from outcomes of {facts.learned_from} to {facts.learned_to}",
        *(f"Calendar   {_in_words(rise)}" for rise in facts.season_rises),
        f"Imputed    {listed(facts.imputed)}",
        f"Horizons   {listed(f'{name} {days}' for name, days in facts.horizons.items())}",
        f"Libraries  {listed(f'{name} {number}' for name, number in facts.libraries.items())}",
    ]
    for target, count in facts.boosters.items():
        cells = facts.cells.get(target, {})
        lines.append(f"{target}: {count} boosters, intervals in {len(cells)} cells")
        start = f"{target}{_OF_THE_MODEL}"
        own = [(name, value) for name, value in facts.metrics.items() if name.startswith(start)]
        said = (f"{name.removeprefix(start)} {value:.4g}" for name, value in own)
        lines.append(f"  {listed(said)}")
    lines.append(f"Files      {sum(facts.files.values()):,} bytes in {len(facts.files)} files")
    lines += [f"  {size:>12,}  {name}" for name, size in facts.files.items()]
    return lines


def _in_words(rise: SeasonRise) -> str:
    """Say when, how much more and where it sells."""
    where = listed(rise.markets) if rise.markets else "every market"
    return f"{rise.first} to {rise.last} {rise.rise:+.0%} ({shown(rise.name)}) in {where}"


def _date(day: int) -> str:
    """Return the date that begins at the midnight of a day number; one less is the day it ends."""
    return to_datetime(day).date().isoformat()
