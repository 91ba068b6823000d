"""What a check of values reads of a bundle: reference, pooling parameters and horizons."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from features.catalogue.catalogue import Catalogue
from features.dataset.horizons import Horizons
from features.monitoring.reference_stats import DECILES, ColumnStats
from features.runtime.errors import ArtefactError, SettingsError
from features.runtime.text import escape

MANIFEST: Final = "manifest.json"
MAX_BYTES: Final = 16 << 20

T = TypeVar("T")


class UnusableBundleError(ArtefactError):
    """Refuse a bundle whose reference can't be compared with what the program computes."""

    def __init__(self, *, expected: str, found: str) -> None:
        super().__init__(
            expected=expected,
            found=found,
            way_out="Name a directory under bundles/ that this version's `xuanpin run` wrote.",
        )


class _FileEntry(msgspec.Struct, frozen=True):
    sha256: str


class BundleManifest(msgspec.Struct, frozen=True):
    """The part of manifest.json that a reader of single files needs."""

    catalogue_fingerprint: str
    files: dict[str, _FileEntry]


def read_manifest(directory: Path) -> BundleManifest:
    """Read the manifest of a bundle directory.

    Raises:
        UnusableBundleError: there is none.
    """
    return _decode(MANIFEST, _read_bytes(directory, MANIFEST), BundleManifest)


def read_member(directory: Path, manifest: BundleManifest, name: str, form: type[T]) -> T:
    """Read a JSON file of a bundle that is what the manifest lists.

    Raises:
        UnusableBundleError: it is missing, was changed, or isn't of this form.
    """
    data = _read_bytes(directory, name)
    listed = manifest.files.get(name)
    if listed is None or listed.sha256 != hashlib.sha256(data).hexdigest():
        raise UnusableBundleError(expected=f"{name} as the manifest lists it", found="another")
    return _decode(name, data, form)


def _read_bytes(directory: Path, name: str) -> bytes:
    path = directory / name
    if path.is_symlink() or not path.is_file() or path.stat().st_size > MAX_BYTES:
        raise UnusableBundleError(
            expected=f"a bundle directory with {name}", found=f"none at {escape(str(directory))}"
        )
    return path.read_bytes()


def _decode(name: str, data: bytes, form: type[T]) -> T:
    try:
        return msgspec.json.decode(data, type=form)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnusableBundleError(
            expected=f"{name} in the bundle's form", found=escape(str(error))
        ) from error


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
            found=f"catalogue {escape(manifest.catalogue_fingerprint[:16])}…",
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
