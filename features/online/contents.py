"""The content of an online snapshot, and its description."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, model_validator

from features.dataset.horizons import Horizons
from features.declarations.levels import Level
from features.runtime.arrays import FloatArray
from features.runtime.errors import ArtefactError
from features.runtime.text import escape, escape_path

FORMAT: Final = 6
"""6: all rows are in one LMDB file. Raise it also when an error of a refresh is fixed: wrong values
would be copied from snapshot to snapshot."""


class SnapshotRefusedError(ArtefactError):
    """Refuse a snapshot that is damaged, changed or of another format."""

    def __init__(self, directory: Path, reason: str) -> None:
        super().__init__(
            problem=f"The snapshot {escape_path(directory)} can't be used: {reason}.",
            hint="Make a new one with `xuanpin features materialise`; earlier snapshots stay "
            "usable.",
        )


class LevelAbout(BaseModel):
    """Describe the vectors of a level, and the values of a key without a vector."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    features: tuple[str, ...]
    defaults: tuple[float | None, ...]
    keys: int


class FileFacts(BaseModel):
    """Size and SHA-256 of a file: they prove that it is unchanged."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bytes: int
    sha256: str


class SnapshotAbout(BaseModel):
    """Describe a snapshot."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = FORMAT
    as_of: AwareDatetime
    catalogue_fingerprint: str
    dataset_digest: str
    horizons: Horizons
    imputed: tuple[str, ...]
    markets: dict[str, str]
    """Market to its currency."""
    categories: tuple[str, ...]
    levels: dict[Level, LevelAbout]
    known_rows: dict[str, int] = {}
    """Table to the number of its rows known at `as_of`; a refresh needs them unchanged."""
    row_digests: dict[str, str] = {}
    """Table to a digest of these rows, in hexadecimal."""
    hashed_by: str = ""
    """The engine, with its version, whose row hashes the digests sum up."""

    @model_validator(mode="after")
    def _refuse_double_names(self) -> Self:
        """Refuse a feature that occurs twice: a look-up finds values by name."""
        names = Counter(name for level in self.levels.values() for name in level.features)
        twice = [name for name, count in names.items() if count > 1]
        if twice:
            raise ValueError(f"the feature {escape(min(twice))} is there twice")
        return self


class StoredAbout(SnapshotAbout):
    """The content of snapshot.json: the description, and the proof of the data file."""

    data: FileFacts


class ProductFacts(NamedTuple):
    """What the snapshot knows about a product besides its features."""

    category: str
    parent_category: str | None
    supplier_id: str | None


class ListingFacts(NamedTuple):
    """The product and market of a listing, and the creator of its latest video."""

    product_id: str
    market: str
    creator_id: str | None
    is_live: bool = True
    """Whether it was live at the snapshot's moment: the data also hold later listings."""


@dataclass(frozen=True)
class LevelVectors:
    """All keys of a level with their vectors: keys[i] belongs to row i of `values`."""

    keys: Sequence[tuple[str, ...]]
    values: FloatArray


@dataclass(frozen=True)
class SnapshotContents:
    """Everything that is written into a snapshot."""

    about: SnapshotAbout
    levels: Mapping[Level, LevelVectors]
    products: Mapping[str, ProductFacts]
    listings: Mapping[str, ListingFacts]
