"""Write and load a bundle: the immutable directory that serving loads its models from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from features.catalogue.catalogue import CATALOGUE, Catalogue
from features.dataset.horizons import Horizons
from features.monitoring.reference_stats import ColumnStats
from features.runtime.arrays import FloatArray
from features.runtime.atomic import READABLE_DIRECTORY, write_directory
from features.runtime.signature import PublicKey
from serving.bundle.canary import CANARY, Canary, check_canary, make_canary
from serving.bundle.canary_process import try_in_child
from serving.bundle.manifest import (
    MANIFEST,
    FileFacts,
    Manifest,
    Schema,
    build_schema,
    canonical_json,
    compute_bundle_id,
    sha256_hex,
)
from serving.bundle.model_files import (
    POOLING,
    booster_names,
    load_models,
    model_files,
    read_json,
)
from serving.bundle.stored_models import CALIBRATION, CONFORMAL, SELECTION
from serving.bundle.verified_files import VerifiedFiles, check_loadable, read_verified
from serving.errors import (
    BrokenFileError,
    CatalogueMismatchError,
    MissingFileError,
    UnexpectedFileError,
)
from serving.prediction.learned_ranges import LearnedRanges, UsualRange
from serving.prediction.predict import Models
from serving.prediction.seasonality import Seasons
from serving.prediction.target_model import servable_targets
from serving.prediction.usual_listings import UsualOfMarkets

SCHEMA: Final = "schema.json"
REFERENCE_STATS: Final = "reference_stats.json"
RANGES: Final = "ranges.json"
USUAL: Final = "usual.json"
MODEL_CARD: Final = "MODEL_CARD.md"
FIXED_NAMES: Final = frozenset(
    {
        CALIBRATION,
        CONFORMAL,
        POOLING,
        SELECTION,
        CANARY,
        SCHEMA,
        REFERENCE_STATS,
        RANGES,
        USUAL,
        MODEL_CARD,
    }
)
LIBRARIES: Final = ("lightgbm", "msgspec", "numpy", "scikit-learn", "scipy", "xuanpin")
"""The libraries that make a model; the manifest has their versions."""


@dataclass(frozen=True, kw_only=True)
class BundleContents:
    """Everything that training puts into a bundle."""

    models: Models
    horizons: Horizons
    imputed: tuple[str, ...]
    """Tables that a rule made, from the training rows' metadata."""
    canary: Mapping[str, FloatArray]
    """1 to 256 rows of base features and request fields by name, each of shape (rows,)."""
    canary_markets: tuple[str, ...]
    """The market of each of these rows."""
    reference_stats: Mapping[str, ColumnStats]
    ranges: LearnedRanges
    """The prices and lots that are usual in each market."""
    usual: UsualOfMarkets
    """What explanations compare candidates with."""
    metrics: Mapping[str, float]
    """Finite numbers by dotted name, such as `sell_through.log_loss`."""
    data_digest: str
    cut_off_day: int
    markets: tuple[str, ...]
    """Markets that the models learned from."""
    seasons: Seasons
    """The days that sell-through learned from, and the calendar. Sell-through looks ahead from the
    latest moments of all targets."""
    git_commit: str
    """The program's commit, or "unknown" outside a checkout."""
    model_card: str
    """Markdown."""


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A verified bundle with its models in memory."""

    bundle_id: str
    manifest: Manifest
    horizons: Horizons
    models: Models
    ranges: LearnedRanges
    usual: UsualOfMarkets
    model_card: str
    """Markdown."""


def write_bundle(contents: BundleContents, bundles: Path) -> str:
    """Write a bundle as `bundles/<bundle_id>` and return the id.

    The directory appears complete or not at all. Equal contents give the same id and the same
    bytes. A bundle that exists already is verified and not written again.

    Raises:
        StorageError: the disk is full or can't be written.
        BundleRefusedError: a file is larger than loading accepts, or the bundle exists and has
            changed since it was written.
    """
    files = _build_files(contents)
    manifest = canonical_json(_build_manifest(contents, files))
    directory = bundles / compute_bundle_id(manifest)
    if directory.exists():
        read_verified(directory)
    else:
        check_loadable({MANIFEST: manifest, **files})
        with write_directory(directory, mode=READABLE_DIRECTORY) as partial:
            for name, data in {MANIFEST: manifest, **files}.items():
                (partial / name).write_bytes(data)
    return directory.name


def load_bundle(directory: Path, key: PublicKey | None = None) -> Bundle:
    """Verify a bundle (with a key, its signature too), try it in a child process, and load it.

    LightGBM gets no byte that wasn't checked against the manifest.

    Raises:
        BundleRefusedError: one of its subclasses in serving/errors.py says why.
    """
    verified = read_verified(directory, key)
    check_fits(verified, CATALOGUE)
    try_in_child(directory, verified.bundle_id)
    return assemble(verified, CATALOGUE)


def check_fits(verified: VerifiedFiles, catalogue: Catalogue) -> Schema:
    """Check that this program can use a verified bundle, and return its schema.

    Raises:
        BundleRefusedError: it has other features or targets, or files that nothing reads.
    """
    actual = verified.manifest.catalogue_fingerprint
    if actual != catalogue.fingerprint:
        raise CatalogueMismatchError("bundle", expected=catalogue.fingerprint, actual=actual)
    schema = read_json(verified.files, SCHEMA, Schema)
    targets = servable_targets(SCHEMA, schema.targets)
    boosters = {name for target in targets for name in booster_names(verified.files, target)}
    for name in sorted(FIXED_NAMES - set(verified.files)):
        raise MissingFileError(name)
    if not verified.files[MODEL_CARD].strip():
        raise BrokenFileError(MODEL_CARD, "it is empty")
    for name in sorted(set(verified.files) - FIXED_NAMES - boosters):
        raise UnexpectedFileError(name, "nothing in a bundle reads it")
    imputed = verified.manifest.imputed
    if schema != build_schema(catalogue, _parse_horizons(schema), imputed=imputed, targets=targets):
        raise BrokenFileError(SCHEMA, "it doesn't agree with the catalogue and the manifest")
    if sha256_hex(verified.files[SCHEMA]) != verified.manifest.schema_fingerprint:
        raise BrokenFileError(SCHEMA, "its fingerprint isn't the manifest's")
    return schema


def assemble(verified: VerifiedFiles, catalogue: Catalogue) -> Bundle:
    """Load verified files and check the canary's answers.

    Raises:
        BundleRefusedError: a file isn't of its form, or the canary's answers differ.
    """
    schema = check_fits(verified, catalogue)
    _check_reference_stats(
        read_json(verified.files, REFERENCE_STATS, dict[str, ColumnStats]), catalogue
    )
    models = load_models(verified.files, catalogue, schema.targets)
    check_canary(models, read_json(verified.files, CANARY, Canary))
    return Bundle(
        bundle_id=verified.bundle_id,
        manifest=verified.manifest,
        horizons=_parse_horizons(schema),
        models=models,
        ranges=read_json(verified.files, RANGES, dict[str, dict[str, UsualRange]]),
        usual=_read_usual(verified.files, models),
        model_card=_read_card(verified.files),
    )


def _read_card(files: Mapping[str, bytes]) -> str:
    try:
        return files[MODEL_CARD].decode()
    except UnicodeDecodeError as error:
        raise BrokenFileError(MODEL_CARD, "it isn't UTF-8") from error


def _read_usual(files: Mapping[str, bytes], models: Models) -> UsualOfMarkets:
    """Return the usual listings, each with a number for every input.

    Raises:
        BrokenFileError: one has other inputs or targets than the models.
    """
    usual = read_json(files, USUAL, UsualOfMarkets)
    width = len(models.catalogue.model_inputs)
    for market in (usual.all_markets, *usual.markets.values()):
        for listing in (market.listed, market.new):
            lengths = {len(listing.values), *map(len, listing.parts.values())}
            if lengths != {width} or set(listing.parts) != set(models.targets):
                raise BrokenFileError(USUAL, "it has other inputs or targets than the models")
    return usual


def _check_reference_stats(stats: Mapping[str, ColumnStats], catalogue: Catalogue) -> None:
    """Check that monitoring finds every input of the models.

    Raises:
        BrokenFileError: inputs are missing or unknown.
    """
    if set(stats) != set(catalogue.model_inputs):
        reason = f"it has {len(stats)} columns, not the {len(catalogue.model_inputs)} model inputs"
        raise BrokenFileError(REFERENCE_STATS, reason)


def _parse_horizons(schema: Schema) -> Horizons:
    try:
        return Horizons(**schema.horizons)
    except ValueError as error:
        raise BrokenFileError(SCHEMA, "its horizons are out of bounds") from error


def _build_files(contents: BundleContents) -> dict[str, bytes]:
    models = contents.models
    schema = build_schema(
        models.catalogue,
        contents.horizons,
        imputed=contents.imputed,
        targets=servable_targets("the models", models.targets),
    )
    return {
        **model_files(models),
        SCHEMA: canonical_json(schema),
        CANARY: canonical_json(make_canary(models, contents.canary, contents.canary_markets)),
        REFERENCE_STATS: canonical_json(dict(contents.reference_stats)),
        RANGES: canonical_json(dict(contents.ranges)),
        USUAL: canonical_json(contents.usual),
        MODEL_CARD: contents.model_card.encode(),
    }


def _build_manifest(contents: BundleContents, files: Mapping[str, bytes]) -> Manifest:
    return Manifest(
        catalogue_fingerprint=contents.models.catalogue.fingerprint,
        schema_fingerprint=sha256_hex(files[SCHEMA]),
        data_digest=contents.data_digest,
        cut_off_day=contents.cut_off_day,
        markets=tuple(sorted(contents.markets)),
        seasons=contents.seasons,
        git_commit=contents.git_commit,
        imputed=contents.imputed,
        libraries={name: version(name) for name in LIBRARIES},
        metrics=dict(contents.metrics),
        files={name: FileFacts(len(data), sha256_hex(data)) for name, data in files.items()},
    )
