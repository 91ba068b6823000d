"""Read from a bundle what a check of values compares with: statistics, parameters and horizons."""

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
from features.runtime.plain_file import RefusedReadError, read_plain
from features.runtime.text import escape, escape_path

MANIFEST: Final = "manifest.json"
SCHEMA: Final = "schema.json"
POOLING: Final = "pooling.json"
REFERENCE_STATS: Final = "reference_stats.json"
MAX_MEBIBYTES: Final = 16

T = TypeVar("T")


class UnusableBundleError(ArtefactError):
    """Refuse a bundle whose reference can't be compared with what this version computes."""

    def __init__(self, directory: Path, reason: str) -> None:
        super().__init__(
            problem=f"The bundle {escape_path(directory)} can't be used: {reason}.",
            hint="Name a directory under bundles/ that this version's `xuanpin run` wrote.",
        )


class OtherHorizonsError(SettingsError):
    """Refuse settings that contradict the horizons of a bundle."""

    def __init__(self, name: str, *, setting: int, bundle: int) -> None:
        super().__init__(
            problem=f"The settings have horizons.{name} = {setting}, and the bundle was made with "
            f"{bundle}.",
            hint="Remove the setting: the bundle's horizons are used.",
        )


class _FileEntry(msgspec.Struct, frozen=True):
    sha256: str


class _Manifest(msgspec.Struct, frozen=True):
    """The part of manifest.json that is needed to read single files."""

    catalogue_fingerprint: str
    files: dict[str, _FileEntry]


class _Schema(msgspec.Struct, frozen=True):
    horizons: dict[str, int]


@dataclass(frozen=True)
class BundleReference:
    """The distribution of a bundle's model inputs, and the settings they were computed with."""

    bundle: str
    stats: Mapping[str, ColumnStats]
    parameters: Mapping[str, float]
    horizons: Horizons


def read_reference(directory: Path, catalogue: Catalogue) -> BundleReference:
    """Read the reference of a bundle directory.

    Raises:
        UnusableBundleError: it isn't a bundle, was changed, or was made for other features.
    """
    data = _read_bytes(directory, MANIFEST)
    manifest = _decode(directory, MANIFEST, data, _Manifest)
    if manifest.catalogue_fingerprint != catalogue.fingerprint:
        raise UnusableBundleError(
            directory,
            f"it was made for catalogue {escape(manifest.catalogue_fingerprint[:16])}, this "
            f"version has {catalogue.fingerprint[:16]}",
        )
    _refuse_other_id(directory, data)
    return BundleReference(
        bundle=directory.resolve().name,
        stats=_read_stats(directory, manifest, catalogue),
        parameters=_read_parameters(directory, manifest, catalogue),
        horizons=_read_horizons(directory, manifest),
    )


def _refuse_other_id(directory: Path, manifest: bytes) -> None:
    """Refuse a manifest that was changed: a bundle is named after its bytes."""
    bundle_id = hashlib.sha256(manifest).hexdigest()[:16]
    if directory.resolve().name != bundle_id:
        raise UnusableBundleError(
            directory,
            f"its {MANIFEST} gives it the name {bundle_id}, so that the file was changed or the "
            "directory renamed",
        )


def refuse_other_horizons(reference: BundleReference, horizons: Horizons) -> None:
    """Refuse horizons that a user set and that differ from the bundle's.

    Raises:
        OtherHorizonsError: a value that was set differs.
    """
    for name in sorted(horizons.model_fields_set):
        setting, bundle = getattr(horizons, name), getattr(reference.horizons, name)
        if setting != bundle:
            raise OtherHorizonsError(name, setting=setting, bundle=bundle)


def _read_stats(
    directory: Path, manifest: _Manifest, catalogue: Catalogue
) -> dict[str, ColumnStats]:
    stats = _read_member(directory, manifest, REFERENCE_STATS, dict[str, ColumnStats])
    if set(stats) != set(catalogue.model_inputs):
        raise UnusableBundleError(
            directory,
            f"{REFERENCE_STATS} has {len(stats)} columns, not the {len(catalogue.model_inputs)} "
            "inputs of the catalogue",
        )
    for name, column in stats.items():
        if not {len(column.deciles), len(column.up_to)} <= {0, len(DECILES)}:
            raise UnusableBundleError(
                directory,
                f"{REFERENCE_STATS} has {len(column.deciles)} deciles of {name} instead of "
                f"{len(DECILES)}",
            )
    return stats


def _read_parameters(
    directory: Path, manifest: _Manifest, catalogue: Catalogue
) -> dict[str, float]:
    parameters = _read_member(directory, manifest, POOLING, dict[str, float])
    if set(parameters) != set(catalogue.parameters):
        raise UnusableBundleError(
            directory,
            f"{POOLING} has {len(parameters)} parameters, not the {len(catalogue.parameters)} of "
            "the catalogue",
        )
    return parameters


def _read_horizons(directory: Path, manifest: _Manifest) -> Horizons:
    schema = _read_member(directory, manifest, SCHEMA, _Schema)
    try:
        return Horizons(**schema.horizons)
    except ValueError as error:
        raise UnusableBundleError(
            directory, f"the horizons in {SCHEMA} are out of range"
        ) from error


def _read_member(directory: Path, manifest: _Manifest, name: str, form: type[T]) -> T:
    """Read a JSON file of a bundle and compare it with its SHA-256 in the manifest."""
    data = _read_bytes(directory, name)
    entry = manifest.files.get(name)
    if entry is None or entry.sha256 != hashlib.sha256(data).hexdigest():
        raise UnusableBundleError(directory, f"{name} is not the file that {MANIFEST} lists")
    return _decode(directory, name, data, form)


def _read_bytes(directory: Path, name: str) -> bytes:
    try:
        return read_plain(directory / name, MAX_MEBIBYTES << 20)
    except RefusedReadError as error:
        raise UnusableBundleError(directory, f"{name}: {error.reason}") from error


def _decode(directory: Path, name: str, data: bytes, form: type[T]) -> T:
    try:
        return msgspec.json.decode(data, type=form)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnusableBundleError(
            directory, f"{name} doesn't have the form of a bundle's file ({escape(str(error))})"
        ) from error
