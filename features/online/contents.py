"""What an online snapshot says about itself, and what goes into one."""

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
from features.runtime.text import escape

FORMAT: Final = 5
"""5 has digests of the known rows. Raise it also when a fault of a refresh is mended: wrong values
would be copied from snapshot to snapshot."""


class SnapshotRefusedError(ArtefactError):
    """Refuse a snapshot that is broken, changed or of another format."""

    def __init__(self, directory: Path, *, expected: str, found: str) -> None:
        super().__init__(
            expected=expected,
            found=f"{found} in snapshot {directory.name}",
            way_out="Make one with `xuanpin features materialise`; the one before stays usable.",
        )


class LevelAbout(BaseModel):
    """What the vectors of a level hold, and what stands in for a key without one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    features: tuple[str, ...]
    defaults: tuple[float | None, ...]
    keys: int


class FileFacts(BaseModel):
    """What proves a file unchanged."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bytes: int
    sha256: str


class SnapshotAbout(BaseModel):
    """The content of snapshot.json."""

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
    """Table to its rows that were known at `as_of`: a refresh rests on their being the same."""
    row_digests: dict[str, str] = {}
    """Table to a digest of these rows, in hexadecimal."""
    hashed_by: str = ""
    """The engine, with its version, whose hash the digests are sums of."""
    files: dict[str, FileFacts] = {}
    """By name, all others of the directory."""

    @model_validator(mode="after")
    def _refuse_double_names(self) -> Self:
        """Refuse a feature that is there twice: a look-up finds values by name."""
        names = Counter(name for level in self.levels.values() for name in level.features)
        twice = [name for name, times in names.items() if times > 1]
        if twice:
            raise ValueError(f"the feature {escape(min(twice))} is there twice")
        return self


class ProductFacts(NamedTuple):
    """What the snapshot knows of a product beside its features."""

    category: str
    parent_category: str | None
    supplier_id: str | None


class ListingFacts(NamedTuple):
    """What a listing is a listing of, and who made its latest video."""

    product_id: str
    market: str
    creator_id: str | None
    is_live: bool = True
    """Whether it had gone live by then: what is listed later is in the data already."""


@dataclass(frozen=True)
class LevelVectors:
    """All keys of a level with their vectors: keys[i] belongs to row i of `values`."""

    keys: Sequence[tuple[str, ...]]
    values: FloatArray


@dataclass(frozen=True)
class SnapshotContents:
    """All that goes into a snapshot."""

    about: SnapshotAbout
    levels: Mapping[Level, LevelVectors]
    products: Mapping[str, ProductFacts]
    listings: Mapping[str, ListingFacts]
