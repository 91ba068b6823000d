"""What a bundle says of itself: manifest.json and schema.json, and how JSON is written."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from features.catalogue.catalogue import Catalogue
from features.dataset.horizons import Horizons
from features.declarations.levels import Level
from features.declarations.targets import Target
from serving.prediction.seasonality import Seasons

FORMAT: Final = 6
"""2: trees of return risk start from a formula; 3: past decisions say which are of one listing;
4: the manifest says which days were learned from; 5: and what a calendar says of the others;
6: coverage, difficulty and uplift are called by these names."""
MANIFEST: Final = "manifest.json"


class FileFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The size and digest that a file must have."""

    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The content of manifest.json: no wall-clock time, so that equal bundles are equal bytes."""

    format: int = FORMAT
    catalogue_fingerprint: str
    schema_fingerprint: str
    data_digest: str
    cut_off_day: Annotated[int, Meta(ge=0, le=100_000)]
    """The last day that the data know of (features/dataset/days.py)."""
    seasons: Seasons
    git_commit: str
    imputed: tuple[str, ...]
    """Tables that were made by a rule because the source has none."""
    libraries: dict[str, str]
    metrics: dict[str, float]
    files: dict[str, FileFacts]


class Schema(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The content of schema.json: which columns go in, in which order, and what comes out."""

    format: int = FORMAT
    catalogue_fingerprint: str
    request_fields: tuple[str, ...]
    base_features: dict[str, tuple[str, ...]]
    """Level to the features of its vector, in order."""
    model_inputs: tuple[str, ...]
    targets: tuple[Target, ...]
    """Those there is a model of."""
    horizons: dict[str, int]
    imputed: tuple[str, ...]


def build_schema(
    catalogue: Catalogue,
    horizons: Horizons,
    *,
    imputed: tuple[str, ...],
    targets: tuple[Target, ...],
) -> Schema:
    """Describe what a catalogue's models take and give."""
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
    """Write JSON in one way only: sorted keys, shortest float form that reads back the same.

    Raises:
        ValueError: a number isn't finite.
    """
    plain = msgspec.to_builtins(value)
    text = json.dumps(plain, sort_keys=True, allow_nan=False, ensure_ascii=False, indent=1)
    return (text + "\n").encode()


def sha256_hex(data: bytes) -> str:
    """Return the digest that manifests use."""
    return hashlib.sha256(data).hexdigest()


def compute_bundle_id(manifest: bytes) -> str:
    """Return the bundle's id: it names the manifest, which names every byte of the rest."""
    return sha256_hex(manifest)[:16]
