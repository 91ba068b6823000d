"""Read a bundle directory into memory, and refuse every byte that its manifest doesn't list.

The order protects the reader. Names, kinds and sizes are checked before any file is opened. Then
the manifest is read and, where a key is configured, its signature is checked. Only then are the
files read that the manifest lists.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from features.runtime.plain_file import RefusedReadError, read_plain
from features.runtime.signature import SIGNATURE_BYTES, PublicKey, check_signature
from serving.bundle.manifest import (
    FORMAT,
    FORMAT_CHANGES,
    MANIFEST,
    SIGNATURE,
    Manifest,
    compute_bundle_id,
    sha256_hex,
)
from serving.errors import (
    BrokenFileError,
    DigestMismatchError,
    MissingFileError,
    NewerFormatError,
    NotABundleError,
    OlderFormatError,
    TooLargeError,
    UnexpectedFileError,
    WrongIdError,
)

MAX_FILES: Final = 64
MAX_BYTES: Final = {
    ".json": 16 << 20,
    ".txt": 64 << 20,
    ".md": 1 << 20,
    ".sig": SIGNATURE_BYTES,
}
"""Suffix of a file in a bundle to the bytes that such a file may have."""

MAX_TOTAL_BYTES: Final = 256 << 20

_UNKNOWN_NAME: Final = "a bundle uses no such name"
_NAME: Final = re.compile(r"[A-Za-z0-9_]+(\.[0-9]{1,3})?\.(json|txt|md)")


@dataclass(frozen=True)
class VerifiedFiles:
    """The verified content of a bundle directory: every file except the manifest, by name."""

    bundle_id: str
    manifest: Manifest
    files: dict[str, bytes]


class _FormatOnly(msgspec.Struct):
    format: int


def read_verified(directory: Path, key: PublicKey | None = None) -> VerifiedFiles:
    """Read and verify a bundle directory; with a key, check its signature too.

    Refuses links and files that are too large, too many, not listed, missing or changed. Refuses a
    manifest of another format and, with a key, one that the key's owner didn't sign. Each file is
    read once, so the bytes that were hashed are the bytes that are used.

    Raises:
        BundleRefusedError: one of its subclasses says why.
    """
    check_names(directory)
    return read_files(directory, read_manifest(directory, key))


def read_manifest(directory: Path, key: PublicKey | None) -> bytes:
    """Return the manifest's bytes; with a key, check that its owner signed them.

    Raises:
        SignatureRefusedError: the signature is missing or wrong.
        BundleRefusedError: a file can't be read.
    """
    manifest_bytes = _read_plain(directory, MANIFEST)
    if key is not None:
        is_signed = (directory / SIGNATURE).exists()
        signature = _read_plain(directory, SIGNATURE) if is_signed else None
        check_signature("bundle", SIGNATURE, signed=manifest_bytes, signature=signature, key=key)
    return manifest_bytes


def read_files(directory: Path, manifest_bytes: bytes) -> VerifiedFiles:
    """Read and verify the files that a manifest, given as its bytes, lists.

    The directory must be named after the manifest. So CURRENT, which has the name, vouches for the
    manifest's bytes, and they vouch for all other files.

    Raises:
        BundleRefusedError: one of its subclasses says why.
    """
    manifest = _parse_manifest(manifest_bytes)
    bundle_id = compute_bundle_id(manifest_bytes)
    if directory.resolve().name != bundle_id:
        raise WrongIdError(directory, bundle_id)
    _check_file_list(directory, manifest)
    files = {name: _read_file(directory, name, manifest) for name in sorted(manifest.files)}
    return VerifiedFiles(bundle_id=bundle_id, manifest=manifest, files=files)


def check_names(directory: Path) -> int:
    """Check names, kinds and sizes before any file is opened; return the number of files.

    Raises:
        BundleRefusedError: one of its subclasses says why.
    """
    if directory.is_symlink() or not directory.is_dir():
        is_link = directory.is_symlink()
        reason = "it is a symbolic link" if is_link else "it is not a directory"
        raise NotABundleError(directory, reason)
    names, size = [], 0
    with os.scandir(directory) as entries:
        for entry in entries:
            if not entry.is_file(follow_symlinks=False):
                raise UnexpectedFileError(entry.name, "it is not a plain file")
            if not _NAME.fullmatch(entry.name) and entry.name != SIGNATURE:
                raise UnexpectedFileError(entry.name, _UNKNOWN_NAME)
            names.append(entry.name)
            size += entry.stat(follow_symlinks=False).st_size
            if len(names) > MAX_FILES:
                raise UnexpectedFileError(entry.name, f"it is one of more than {MAX_FILES} files")
    if MANIFEST not in names:
        raise NotABundleError(directory, f"it has no {MANIFEST}")
    if size > MAX_TOTAL_BYTES:
        raise TooLargeError("the whole bundle", limit=MAX_TOTAL_BYTES, actual=size)
    return len(names)


def check_loadable(files: Mapping[str, bytes]) -> None:
    """Check before writing that loading will accept the names and sizes of files.

    Raises:
        UnexpectedFileError: a bundle uses no such name, or there are too many files.
        TooLargeError: a file, or the sum of all, is larger than loading accepts.
    """
    for count, (name, data) in enumerate(files.items(), start=1):
        if not _NAME.fullmatch(name):
            raise UnexpectedFileError(name, _UNKNOWN_NAME)
        if count > MAX_FILES:
            raise UnexpectedFileError(name, f"it is one of more than {MAX_FILES} files")
        if len(data) > (limit := MAX_BYTES[Path(name).suffix]):
            raise TooLargeError(name, limit=limit, actual=len(data))
    size = sum(map(len, files.values()))
    if size > MAX_TOTAL_BYTES:
        raise TooLargeError("the whole bundle", limit=MAX_TOTAL_BYTES, actual=size)


def _parse_manifest(manifest_bytes: bytes) -> Manifest:
    try:
        actual = msgspec.json.decode(manifest_bytes, type=_FormatOnly).format
        if actual > FORMAT:
            raise NewerFormatError(known=FORMAT, actual=actual)
        if actual < FORMAT:
            changes = [change for number, change in FORMAT_CHANGES.items() if number > actual]
            raise OlderFormatError(known=FORMAT, actual=actual, changes=changes)
        return msgspec.json.decode(manifest_bytes, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BrokenFileError(MANIFEST, str(error)) from error


def _check_file_list(directory: Path, manifest: Manifest) -> None:
    """Compare the files that are there with the list; a listed name can't be a path."""
    for name in manifest.files:
        if not _NAME.fullmatch(name) or name == MANIFEST:
            raise UnexpectedFileError(name, f"the manifest lists it, but {_UNKNOWN_NAME}")
    present = {entry.name for entry in os.scandir(directory)} - {MANIFEST, SIGNATURE}
    for name in sorted(present - set(manifest.files)):
        raise UnexpectedFileError(name, "the manifest doesn't list it")
    for name in sorted(set(manifest.files) - present):
        raise MissingFileError(name)


def _read_file(directory: Path, name: str, manifest: Manifest) -> bytes:
    facts = manifest.files[name]
    data = _read_plain(directory, name)
    digest = sha256_hex(data)
    if digest != facts.sha256 or len(data) != facts.bytes:
        raise DigestMismatchError(name, expected=facts.sha256, actual=digest)
    return data


def _read_plain(directory: Path, name: str) -> bytes:
    """Read a plain file of bounded size; don't follow a link that has replaced it."""
    limit = MAX_BYTES[Path(name).suffix]
    try:
        return read_plain(directory / name, limit)
    except RefusedReadError as error:
        if error.size is not None:
            raise TooLargeError(name, limit=limit, actual=error.size) from error
        raise UnexpectedFileError(name, error.reason) from error
