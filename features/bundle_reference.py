"""What a check of values reads of a bundle: reference, pooling parameters and horizons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from features.bundle_files import (
    BundleManifest,
    UnusableBundleError,
    read_manifest,
    read_member,
)
from features.catalogue import Catalogue
from features.errors import SettingsError
from features.horizons import Horizons
from features.reference_stats import DECILES, ColumnStats
from features.wording import shown

SCHEMA: Final = "schema.json"
POOLING: Final = "pooling.json"
REFERENCE_STATS: Final = "reference_stats.json"


class OtherHorizonsError(SettingsError):
    """Refuse settings that contradict those a bundle was made with."""

    def __init__(self, name: str, *, wanted: int, held: int) -> None:
        super().__init__(
            expected=f"horizons.{name} = {held}, as in the bundle",
            found=f"{wanted}",
            way_out="Remove the setting; the bundle's holds.",
        )


class _Schema(msgspec.Struct, frozen=True):
    horizons: dict[str, int]


@dataclass(frozen=True)
class BundleReference:
    """How the model inputs were distributed, and with what they are computed alike."""

    bundle: str
    stats: Mapping[str, ColumnStats]
    parameters: Mapping[str, float]
    horizons: Horizons


def read_reference(directory: Path, catalogue: Catalogue) -> BundleReference:
    """Read the reference of a bundle directory.

    Raises:
        UnusableBundleError: it isn't a bundle, was changed, or is for other features.
    """
    manifest = read_manifest(directory)
    if manifest.catalogue_fingerprint != catalogue.fingerprint:
        raise UnusableBundleError(
            expected=f"a bundle made for catalogue {catalogue.fingerprint[:16]}…",
            found=f"catalogue {shown(manifest.catalogue_fingerprint[:16])}…",
        )
    stats = read_member(directory, manifest, REFERENCE_STATS, dict[str, ColumnStats])
    _refuse_other_columns(stats, catalogue)
    return BundleReference(
        bundle=directory.resolve().name,
        stats=stats,
        parameters=_parameters(directory, manifest, catalogue),
        horizons=_horizons(directory, manifest),
    )


def refuse_other_horizons(reference: BundleReference, horizons: Horizons) -> None:
    """Refuse horizons that a user asked for and that aren't those of the bundle.

    Raises:
        OtherHorizonsError: a value that was set differs.
    """
    for name in sorted(horizons.model_fields_set):
        wanted, held = getattr(horizons, name), getattr(reference.horizons, name)
        if wanted != held:
            raise OtherHorizonsError(name, wanted=wanted, held=held)


def _parameters(
    directory: Path, manifest: BundleManifest, catalogue: Catalogue
) -> dict[str, float]:
    parameters = read_member(directory, manifest, POOLING, dict[str, float])
    if set(parameters) != set(catalogue.parameters):
        raise UnusableBundleError(
            expected=f"{POOLING} with the catalogue's {len(catalogue.parameters)} parameters",
            found=f"{len(parameters)} others",
        )
    return parameters


def _horizons(directory: Path, manifest: BundleManifest) -> Horizons:
    schema = read_member(directory, manifest, SCHEMA, _Schema)
    try:
        return Horizons(**schema.horizons)
    except ValueError as error:
        raise UnusableBundleError(expected=f"horizons in {SCHEMA}", found="others") from error


def _refuse_other_columns(stats: Mapping[str, ColumnStats], catalogue: Catalogue) -> None:
    if set(stats) != set(catalogue.model_inputs):
        raise UnusableBundleError(
            expected=f"{REFERENCE_STATS} of the catalogue's {len(catalogue.model_inputs)} inputs",
            found=f"{len(stats)} columns, not the same",
        )
    for name, column in stats.items():
        if not {len(column.deciles), len(column.up_to)} <= {0, len(DECILES)}:
            raise UnusableBundleError(
                expected=f"{len(DECILES)} deciles of {name}", found=f"{len(column.deciles)}"
            )
