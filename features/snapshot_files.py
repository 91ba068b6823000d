"""The files of a snapshot's directory: what it says about itself, and proof of its data."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from features.keyed_file import DATA
from features.snapshot import FORMAT, SnapshotAbout, SnapshotRefusedError

ABOUT: Final = "snapshot.json"


def read_about(directory: Path) -> tuple[SnapshotAbout, str]:
    """Return what a snapshot says about itself, and its id; its data aren't read.

    Raises:
        SnapshotRefusedError: a file is missing, of another format or of another size.
    """
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
    _refuse_other_size(directory, about.data_bytes)
    return about, id_of(text)


def verify_snapshot(directory: Path) -> None:
    """Prove that a snapshot's data are those it was written with.

    Raises:
        SnapshotRefusedError: a byte differs.
    """
    about, _ = read_about(directory)
    digest = digest_of(directory / DATA)
    if digest != about.data_sha256:
        raise SnapshotRefusedError(
            directory, expected=f"data with SHA-256 {about.data_sha256[:16]}…", found=digest[:16]
        )


def digest_of(file: Path) -> str:
    """Return a file's SHA-256."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def id_of(about_text: str) -> str:
    """Return the id of the snapshot that says this about itself, data's SHA-256 included."""
    return hashlib.sha256(about_text.encode()).hexdigest()[:16]


def _refuse_other_size(directory: Path, data_bytes: int) -> None:
    path = directory / DATA
    if not path.is_file():
        raise SnapshotRefusedError(directory, expected=DATA, found="none")
    found = path.stat().st_size
    if found != data_bytes or not found:
        raise SnapshotRefusedError(
            directory, expected=f"{DATA} of {data_bytes} bytes", found=f"{found} bytes"
        )


def _first_of(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "the file"
    return f"{place}: {first['msg']}"
