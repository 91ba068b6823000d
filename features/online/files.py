"""The files of a snapshot's directory: what it says about itself, and proof of its data."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from features.declarations.levels import Level
from features.online.contents import FORMAT, FileFacts, SnapshotAbout, SnapshotRefusedError
from features.online.hash_writer import KEYS, STARTS, vectors_file
from features.online.lmdb_file import DATA
from features.runtime.text import escape

ABOUT: Final = "snapshot.json"


def read_about(directory: Path) -> tuple[SnapshotAbout, str]:
    """Return what a snapshot says about itself, and its id; its data aren't read.

    Raises:
        SnapshotRefusedError: a file is missing, of another format or of another size.
    """
    path = directory / ABOUT
    if not path.is_file():
        raise SnapshotRefusedError(directory, expected=ABOUT, found="none")
    written = path.read_bytes()
    try:
        about = SnapshotAbout.model_validate_json(written)
    except ValidationError as error:
        raise SnapshotRefusedError(
            directory, expected=f"a {ABOUT} of format {FORMAT}", found=_first_problem(error)
        ) from error
    if about.format != FORMAT:
        raise SnapshotRefusedError(
            directory, expected=f"format {FORMAT}", found=f"format {about.format}"
        )
    names = set(data_files(about.levels))
    if set(about.files) != names:
        missing = min(names ^ set(about.files))
        raise SnapshotRefusedError(
            directory, expected=f"facts of {len(names)} files", found=f"others: {escape(missing)}"
        )
    for name, facts in about.files.items():
        _refuse_other_size(directory / name, facts.bytes)
    return about, derive_id(written)


def data_files(levels: Iterable[Level]) -> tuple[str, ...]:
    """Return the names of the files that hold a snapshot's data."""
    return DATA, STARTS, KEYS, *map(vectors_file, levels)


def verify_snapshot(directory: Path) -> None:
    """Prove that a snapshot is what its id says: what it says about itself, and its data.

    The id is the name that the directory got when the snapshot was stored.

    Raises:
        SnapshotRefusedError: a byte differs, or the directory has another name.
    """
    about, snapshot_id = read_about(directory)
    name = directory.resolve().name
    if snapshot_id != name:
        raise SnapshotRefusedError(
            directory, expected=f"{ABOUT} with the id {escape(name)}", found=f"the id {snapshot_id}"
        )
    for name, facts in about.files.items():
        digest = _hash_file(directory / name)
        if digest != facts.sha256:
            expected = f"{name} with SHA-256 {facts.sha256[:16]}…"
            raise SnapshotRefusedError(directory, expected=expected, found=digest[:16])


def describe_file(path: Path) -> FileFacts:
    """Return what proves a file unchanged."""
    return FileFacts(bytes=path.stat().st_size, sha256=_hash_file(path))


def _hash_file(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def derive_id(about: bytes) -> str:
    """Return the id of the snapshot that says this about itself, data's SHA-256 included."""
    return hashlib.sha256(about).hexdigest()[:16]


def _refuse_other_size(path: Path, size: int) -> None:
    if not path.is_file():
        raise SnapshotRefusedError(path.parent, expected=path.name, found="none")
    found = path.stat().st_size
    if found != size or not found:
        raise SnapshotRefusedError(
            path.parent, expected=f"{path.name} of {size} bytes", found=f"{found} bytes"
        )


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "the file"
    return f"{place}: {first['msg']}"
