"""The online snapshot: every live key's base features at one moment, in an LMDB file.

A snapshot is a directory with `data.mdb`, memory-mapped and shared by all processes that read it,
and `snapshot.json`, which says what the vectors mean. It never changes once written. This is the
only file that knows LMDB (lmdb.readthedocs.io).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import lmdb
import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from features.declarations import FloatArray
from features.levels import LEVEL_KEYS, Level
from features.snapshot import (
    FORMAT,
    ListingFacts,
    ProductFacts,
    SnapshotAbout,
    SnapshotContents,
    SnapshotRefusedError,
)

DATA: Final = "data.mdb"
ABOUT: Final = "snapshot.json"
KEY_BYTES: Final = 16
SLACK_BYTES: Final = 1 << 24
BYTES_PER_ROW_OVERHEAD: Final = 96
"""LMDB's page and node overhead for a row, rounded up; the file is compacted afterwards."""


@dataclass(frozen=True)
class LookupKeys:
    """The keys of candidates, one entry a candidate; None where there is none."""

    listing_id: Sequence[str | None]
    product_id: Sequence[str | None]
    category: Sequence[str | None]
    market: Sequence[str | None]


@dataclass(frozen=True)
class LookupResult:
    """Base features by name, each of shape (candidates,), and which keys had a vector."""

    columns: Mapping[str, FloatArray]
    found: Mapping[Level, npt.NDArray[np.bool_]]


def write_snapshot(contents: SnapshotContents, directory: Path) -> str:
    """Write a snapshot into an empty or absent directory and return its id.

    The id is made of the content: equal contents give equal ids.
    """
    directory.mkdir(parents=True, exist_ok=True)
    rows = sorted(_rows(contents))
    size = sum(len(value) + BYTES_PER_ROW_OVERHEAD for _, value in rows) * 2 + SLACK_BYTES
    with lmdb.open(str(directory), map_size=size, subdir=True, lock=False) as environment:
        with environment.begin(write=True) as transaction:
            for key, value in rows:
                transaction.put(key, value, append=True)
        environment.sync(True)  # noqa: FBT003 - LMDB's own signature
    data = directory / DATA
    with data.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    about = contents.about.model_copy(
        update={"data_bytes": data.stat().st_size, "data_sha256": digest}
    )
    text = json.dumps(about.model_dump(mode="json"), indent=1, sort_keys=True)
    (directory / ABOUT).write_text(text + "\n", encoding="utf-8")
    return _id_of(text + "\n")


def _rows(contents: SnapshotContents) -> Iterable[tuple[bytes, bytes]]:
    for level, vectors in contents.levels.items():
        values = np.ascontiguousarray(vectors.values, dtype="<f8")
        for key, row in zip(vectors.keys, values, strict=True):
            yield _key(level.value, key), row.tobytes()
    for kind, facts in (("product facts", contents.products), ("listing facts", contents.listings)):
        for name, fact in facts.items():
            yield _key(kind, (name,)), json.dumps(fact).encode()


def _key(kind: str, parts: Sequence[str]) -> bytes:
    """Return a fixed-length key: identifiers may be longer than LMDB allows."""
    text = "\x1f".join((kind, *parts))
    return hashlib.blake2b(text.encode(), digest_size=KEY_BYTES).digest()


def _id_of(about_text: str) -> str:
    return hashlib.sha256(about_text.encode()).hexdigest()[:16]


class OnlineSnapshot:
    """A snapshot open for reading: immutable, safe to share between threads.

    Open it after forking: LMDB forbids to carry an environment across a fork.
    """

    def __init__(self, about: SnapshotAbout, snapshot_id: str, environment: Any) -> None:  # noqa: ANN401 - lmdb ships no types
        self.about = about
        self.snapshot_id = snapshot_id
        self._environment = environment
        self._defaults = {
            level: np.array([np.nan if v is None else v for v in one.defaults], dtype=np.float64)
            for level, one in about.levels.items()
        }
        self.categories = frozenset(about.categories)

    @classmethod
    def open(cls, directory: Path) -> OnlineSnapshot:
        """Open a snapshot directory without reading its data.

        `verify_snapshot` is what proves the data unchanged.

        Raises:
            SnapshotRefusedError: files are missing, of another format or of another size.
        """
        about, snapshot_id = _read_about(directory)
        found = (directory / DATA).stat().st_size if (directory / DATA).is_file() else 0
        if found != about.data_bytes or not found:
            raise SnapshotRefusedError(
                directory,
                expected=f"{DATA} of {about.data_bytes} bytes",
                found=f"{found} bytes",
            )
        try:
            environment = lmdb.open(str(directory), readonly=True, lock=False, subdir=True)
        except lmdb.Error as error:
            raise SnapshotRefusedError(
                directory, expected="an LMDB file", found=str(error).rpartition(": ")[2]
            ) from error
        return cls(about, snapshot_id, environment)

    def close(self) -> None:
        """Unmap the file; look-ups fail afterwards."""
        self._environment.close()

    @property
    def as_of(self) -> datetime:
        """Return the moment for which the features hold."""
        return self.about.as_of

    def look_up(self, keys: LookupKeys) -> LookupResult:
        """Return the base features of candidates; unknown keys get the level's defaults."""
        columns: dict[str, FloatArray] = {}
        found = {}
        with self._environment.begin(buffers=True) as transaction:
            for level, about in self.about.levels.items():
                parts = [getattr(keys, name) for name in LEVEL_KEYS[level]]
                matrix, found[level] = self._vectors(transaction, level, list(zip(*parts)))  # noqa: B905 - LookupKeys' lists have one length
                columns.update(zip(about.features, matrix.T, strict=True))
        return LookupResult(columns=columns, found=found)

    def _vectors(
        self,
        transaction: Any,  # noqa: ANN401 - lmdb ships no types
        level: Level,
        keys: Sequence[tuple[str | None, ...]],
    ) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
        matrix = np.tile(self._defaults[level], (len(keys), 1))
        found = np.zeros(len(keys), dtype=np.bool_)
        for row, key in enumerate(keys):
            known = [part for part in key if part is not None]
            value = transaction.get(_key(level.value, known)) if len(known) == len(key) else None
            if value is not None:
                matrix[row] = np.frombuffer(value, dtype="<f8")
                found[row] = True
        return matrix, found

    def product(self, product_id: str) -> ProductFacts | None:
        """Return what is known of a product, None of an unknown one."""
        value = self._facts("product facts", product_id)
        return None if value is None else ProductFacts(*value)

    def listing(self, listing_id: str) -> ListingFacts | None:
        """Return what a listing is of, None of an unknown one."""
        value = self._facts("listing facts", listing_id)
        return None if value is None else ListingFacts(*value)

    def _facts(self, kind: str, name: str) -> Any:  # noqa: ANN401 - decoded JSON
        with self._environment.begin() as transaction:
            value = transaction.get(_key(kind, (name,)))
        return None if value is None else json.loads(value)


def verify_snapshot(directory: Path) -> None:
    """Prove that a snapshot's data are those it was written with.

    Raises:
        SnapshotRefusedError: a byte differs.
    """
    about, _ = _read_about(directory)
    if not (directory / DATA).is_file():
        raise SnapshotRefusedError(directory, expected=DATA, found="none")
    with (directory / DATA).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != about.data_sha256:
        raise SnapshotRefusedError(
            directory, expected=f"data with SHA-256 {about.data_sha256[:16]}…", found=digest[:16]
        )


def _read_about(directory: Path) -> tuple[SnapshotAbout, str]:
    path = directory / ABOUT
    if not path.is_file():
        raise SnapshotRefusedError(directory, expected=ABOUT, found="none")
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        about = SnapshotAbout.model_validate_json(text)
    except ValidationError as error:
        raise SnapshotRefusedError(
            directory, expected=f"a {ABOUT} of format {FORMAT}", found=_first_of(error)
        ) from error
    if about.format != FORMAT:
        raise SnapshotRefusedError(
            directory, expected=f"format {FORMAT}", found=f"format {about.format}"
        )
    return about, _id_of(text)


def _first_of(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "the file"
    return f"{place}: {first['msg']}"
