"""Read a bundle directory into memory, refusing every byte that its manifest doesn't vouch for."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from serving.artefact_errors import (
    BrokenFileError,
    DigestMismatchError,
    MissingFileError,
    NewerFormatError,
    NotABundleError,
    TooLargeError,
    UnexpectedFileError,
)
from serving.manifest import FORMAT, MANIFEST, Manifest, bundle_id_of, sha256_of

MOST_FILES: Final = 64
MOST_BYTES: Final = {".json": 16 << 20, ".txt": 64 << 20, ".md": 1 << 20}
"""Suffixes that may stand in a bundle, with the size that such a file may have."""

_NAME: Final = re.compile(r"[A-Za-z0-9_]+(\.[0-9]{1,3})?\.(json|txt|md)")


@dataclass(frozen=True)
class SealedFiles:
    """The verified content of a bundle directory: every file but the manifest, by name."""

    bundle_id: str
    manifest: Manifest
    files: dict[str, bytes]


class _FormatOnly(msgspec.Struct):
    format: int


def read_sealed(directory: Path) -> SealedFiles:
    """Read and verify a bundle directory.

    Refuses links, files too large, too many, not listed, missing or changed, and a manifest of
    a newer format. Each file is read once: what was hashed is what is used.

    Raises:
        BundleRefusedError: one of its subclasses says why.
    """
    _check_names(directory)
    written = _read_plain(directory, MANIFEST)
    manifest = _parse_manifest(written)
    _check_listed(directory, manifest)
    files = {name: _read_listed(directory, name, manifest) for name in sorted(manifest.files)}
    return SealedFiles(bundle_id=bundle_id_of(written), manifest=manifest, files=files)


def _check_names(directory: Path) -> None:
    """Look at names and kinds before anything is opened."""
    if directory.is_symlink() or not directory.is_dir():
        raise NotABundleError(directory, "a link" if directory.is_symlink() else "no directory")
    names = []
    with os.scandir(directory) as entries:
        for entry in entries:
            if not entry.is_file(follow_symlinks=False):
                raise UnexpectedFileError(entry.name, "not a plain file")
            if not _NAME.fullmatch(entry.name):
                raise UnexpectedFileError(entry.name, "not a name that a bundle uses")
            names.append(entry.name)
            if len(names) > MOST_FILES:
                raise UnexpectedFileError(entry.name, f"more than {MOST_FILES} files")
    if MANIFEST not in names:
        raise NotABundleError(directory, f"no {MANIFEST}")


def _parse_manifest(written: bytes) -> Manifest:
    try:
        found = msgspec.json.decode(written, type=_FormatOnly).format
        if found > FORMAT:
            raise NewerFormatError(known=FORMAT, found=found)
        return msgspec.json.decode(written, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BrokenFileError(MANIFEST, str(error)) from error


def _check_listed(directory: Path, manifest: Manifest) -> None:
    """Compare what is there with what is listed; listed names can't lead elsewhere."""
    for name in manifest.files:
        if not _NAME.fullmatch(name) or name == MANIFEST:
            raise UnexpectedFileError(name, "listed, but not a name that a bundle uses")
    present = {entry.name for entry in os.scandir(directory)} - {MANIFEST}
    for name in sorted(present - set(manifest.files)):
        raise UnexpectedFileError(name, "not listed in the manifest")
    for name in sorted(set(manifest.files) - present):
        raise MissingFileError(name)


def _read_listed(directory: Path, name: str, manifest: Manifest) -> bytes:
    facts = manifest.files[name]
    data = _read_plain(directory, name)
    found = sha256_of(data)
    if found != facts.sha256 or len(data) != facts.bytes:
        raise DigestMismatchError(name, expected=facts.sha256, found=found)
    return data


def _read_plain(directory: Path, name: str) -> bytes:
    """Read a plain file of bounded size, without following a link put there meanwhile."""
    limit = MOST_BYTES[Path(name).suffix]
    try:
        handle = os.open(directory / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise UnexpectedFileError(name, error.strerror or "can't be opened") from error
    with open(handle, "rb") as file:  # noqa: PTH123 - opens the handle that O_NOFOLLOW gave
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise UnexpectedFileError(name, "not a plain file")
        if status.st_size > limit:
            raise TooLargeError(name, limit=limit, found=status.st_size)
        return file.read(limit)
