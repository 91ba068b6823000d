"""The files of a snapshot: its description, and the proof that its data are unchanged."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ValidationError

from features.online.contents import FORMAT, FileFacts, SnapshotRefusedError, StoredAbout
from features.online.lmdb_file import DATA
from features.runtime.text import escape

ABOUT: Final = "snapshot.json"


class _FormatMark(BaseModel):
    """The field that every format of snapshot.json has."""

    format: int


def read_about(directory: Path) -> tuple[StoredAbout, str]:
    """Read a snapshot's description and return it with the snapshot's id.

    The data are not read; only the size of their file is compared.

    Raises:
        SnapshotRefusedError: a file is missing, of another format or of another size.
    """
    path = directory / ABOUT
    if not path.is_file():
        raise SnapshotRefusedError(directory, f"{ABOUT} is missing")
    text = path.read_bytes()
    about = _parse_about(directory, text)
    _refuse_other_size(directory / DATA, about.data.bytes)
    return about, derive_id(text)


def verify_snapshot(directory: Path) -> None:
    """Prove that the description and the data of a snapshot are the ones that were stored.

    The id of the stored snapshot is the name of its directory.

    Raises:
        SnapshotRefusedError: a byte differs, or the directory has another name.
    """
    about, snapshot_id = read_about(directory)
    name = directory.resolve().name
    if snapshot_id != name:
        raise SnapshotRefusedError(
            directory, f"{ABOUT} has the id {snapshot_id}, the directory the name {escape(name)}"
        )
    digest = _hash_file(directory / DATA)
    if digest != about.data.sha256:
        raise SnapshotRefusedError(
            directory,
            f"{DATA} was changed (SHA-256 {digest[:16]}…, not {escape(about.data.sha256[:16])}…)",
        )


def describe_file(path: Path) -> FileFacts:
    """Return size and SHA-256 of a file."""
    return FileFacts(bytes=path.stat().st_size, sha256=_hash_file(path))


def derive_id(about: bytes) -> str:
    """Derive a snapshot's id from snapshot.json, which holds the SHA-256 of its data."""
    return hashlib.sha256(about).hexdigest()[:16]


def _parse_about(directory: Path, text: bytes) -> StoredAbout:
    try:
        actual = _FormatMark.model_validate_json(text).format
        if actual != FORMAT:
            raise SnapshotRefusedError(
                directory, f"it has format {actual}, and this version reads format {FORMAT}"
            )
        return StoredAbout.model_validate_json(text)
    except ValidationError as error:
        reason = f"{ABOUT} isn't a description of format {FORMAT} ({_first_problem(error)})"
        raise SnapshotRefusedError(directory, reason) from error


def _refuse_other_size(path: Path, size: int) -> None:
    if not path.is_file():
        raise SnapshotRefusedError(path.parent, f"{path.name} is missing")
    actual = path.stat().st_size
    if actual != size or not actual:
        raise SnapshotRefusedError(
            path.parent, f"{path.name} has {actual:,} bytes instead of {size:,}"
        )


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "the file"
    return f"{field}: {first['msg']}"


def _hash_file(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
