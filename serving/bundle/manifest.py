"""manifest.json and schema.json, which describe a bundle, and the one way to write its JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from features.catalogue.catalogue import Catalogue
from features.dataset.horizons import Horizons
from features.declarations.levels import Level
from features.declarations.targets import Target
from serving.prediction.seasonality import Seasons

FORMAT: Final = 9
FORMAT_CHANGES: Final[Mapping[int, str]] = {
    2: "Format 2 starts the trees of return risk from a formula.",
    3: "Format 3 names the listing of each past decision.",
    4: "Format 4 names the days that the models learned from.",
    5: "Format 5 adds the calendar of seasonal uplift.",
    6: "Format 6 renames coverage, difficulty and uplift.",
    7: "Format 7 names the markets that the models learned from.",
    8: "Format 8 predicts the demand behind sell-through.",
    9: "Format 9 says what is usual in each market, which explanations compare with.",
}
"""Format to what it changed, as the refusal of an older bundle says it."""
MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"


class FileFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The size and digest that a file must have."""

    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The content of manifest.json; no wall-clock time, so equal bundles have equal bytes."""

    format: int = FORMAT
    catalogue_fingerprint: str
    schema_fingerprint: str
    data_digest: str
    cut_off_day: Annotated[int, Meta(ge=0, le=100_000)]
    """The last day of the data, as a day number (features/dataset/days.py)."""
    markets: Annotated[tuple[str, ...], Meta(min_length=1)]
    """Markets that the models learned from, sorted."""
    seasons: Seasons
    git_commit: str
    imputed: tuple[str, ...]
    """Tables that a rule made because the source has none."""
    libraries: dict[str, str]
    metrics: dict[str, float]
    files: dict[str, FileFacts]


class Schema(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The content of schema.json: the inputs of the models, in order, and their targets."""

    format: int = FORMAT
    catalogue_fingerprint: str
    request_fields: tuple[str, ...]
    base_features: dict[str, tuple[str, ...]]
    """Level to the features in its vector, in order."""
    model_inputs: tuple[str, ...]
    targets: tuple[Target, ...]
    """The targets that have a model."""
    horizons: dict[str, int]
    imputed: tuple[str, ...]


def build_schema(
    catalogue: Catalogue,
    horizons: Horizons,
    *,
    imputed: tuple[str, ...],
    targets: tuple[Target, ...],
) -> Schema:
    """Describe the inputs and targets of a catalogue's models."""
    return Schema(
        catalogue_fingerprint=catalogue.fingerprint,
        request_fields=tuple(field.name for field in catalogue.request_fields),
        base_features={
            level.value: tuple(feature.name for feature in catalogue.at_level(level))
            for level in Level
        },
        model_inputs=catalogue.model_inputs,
        targets=targets,
        horizons=horizons.model_dump(),
        imputed=imputed,
    )


def canonical_json(value: Any) -> bytes:  # noqa: ANN401 - anything that msgspec can turn into JSON
    """Encode JSON with sorted keys and the shortest form of each float that reads back the same.

    Raises:
        ValueError: a number isn't finite.
    """
    plain = msgspec.to_builtins(value)
    text = json.dumps(plain, sort_keys=True, allow_nan=False, ensure_ascii=False, indent=1)
    return (text + "\n").encode()


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 of data in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def compute_bundle_id(manifest: bytes) -> str:
    """Return the bundle's id: a digest of the manifest, which has the digests of all files."""
    return sha256_hex(manifest)[:16]
