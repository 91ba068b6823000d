"""Read a bundle directory into memory, refusing every byte that its manifest doesn't vouch for.

The order matters: names, kinds and sizes before anything is opened; then the manifest and, where a
key is configured, its signature before anything else is read; then the files it lists.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from serving.bundle.manifest import FORMAT, MANIFEST, Manifest, compute_bundle_id, sha256_hex
from serving.bundle.signature import SIGNATURE, SIGNATURE_BYTES, PublicKey, check_signature
from serving.errors import (
    BrokenFileError,
    DigestMismatchError,
    MissingFileError,
    NewerFormatError,
    NotABundleError,
    OlderFormatError,
    TooLargeError,
    UnexpectedFileError,
)

MAX_FILES: Final = 64
MAX_BYTES: Final = {
    ".json": 16 << 20,
    ".txt": 64 << 20,
    ".md": 1 << 20,
    ".sig": SIGNATURE_BYTES,
}
"""Suffixes that may stand in a bundle, with the size that such a file may have."""

MAX_TOTAL_BYTES: Final = 256 << 20

_NAME: Final = re.compile(r"[A-Za-z0-9_]+(\.[0-9]{1,3})?\.(json|txt|md)")


@dataclass(frozen=True)
class VerifiedFiles:
    """The verified content of a bundle directory: every file but the manifest, by name."""

    bundle_id: str
    manifest: Manifest
    files: dict[str, bytes]


class _FormatOnly(msgspec.Struct):
    format: int


def read_verified(directory: Path, key: PublicKey | None = None) -> VerifiedFiles:
    """Read and verify a bundle directory, and with a key who signed it.

    Refuses links, files too large, too many, not listed, missing or changed, a manifest of a
    newer format and, with a key, one that isn't signed by it. Each file is read once: what was
    hashed is what is used.

    Raises:
        BundleRefusedError: one of its subclasses says why.
    """
    check_names(directory)
    return read_files(directory, read_manifest(directory, key))


def read_manifest(directory: Path, key: PublicKey | None) -> bytes:
    """Return the manifest's bytes; with a key, only if its owner signed them.

    Raises:
        SignatureRefusedError: the signature is missing or wrong.
        BundleRefusedError: a file can't be read.
    """
    manifest_bytes = _read_plain(directory, MANIFEST)
    if key is not None:
        is_signed = (directory / SIGNATURE).exists()
        check_signature(
            manifest_bytes, _read_plain(directory, SIGNATURE) if is_signed else None, key
        )
    return manifest_bytes


def read_files(directory: Path, manifest_bytes: bytes) -> VerifiedFiles:
    """Read and verify the files that a manifest, given as its bytes, lists.

    Raises:
        BundleRefusedError: one of its subclasses says why.
    """
    manifest = _parse_manifest(manifest_bytes)
    _check_file_list(directory, manifest)
    files = {name: _read_file(directory, name, manifest) for name in sorted(manifest.files)}
    return VerifiedFiles(
        bundle_id=compute_bundle_id(manifest_bytes), manifest=manifest, files=files
    )


def check_names(directory: Path) -> int:
    """Look at names, kinds and sizes before anything is opened; return the number of files.

    Raises:
        BundleRefusedError: one of its subclasses says why.
    """
    if directory.is_symlink() or not directory.is_dir():
        raise NotABundleError(directory, "a link" if directory.is_symlink() else "no directory")
    names, size = [], 0
    with os.scandir(directory) as entries:
        for entry in entries:
            if not entry.is_file(follow_symlinks=False):
                raise UnexpectedFileError(entry.name, "not a plain file")
            if not _NAME.fullmatch(entry.name) and entry.name != SIGNATURE:
                raise UnexpectedFileError(entry.name, "not a name that a bundle uses")
            names.append(entry.name)
            size += entry.stat(follow_symlinks=False).st_size
            if len(names) > MAX_FILES:
                raise UnexpectedFileError(entry.name, f"more than {MAX_FILES} files")
    if MANIFEST not in names:
        raise NotABundleError(directory, f"no {MANIFEST}")
    if size > MAX_TOTAL_BYTES:
        raise TooLargeError("the whole bundle", limit=MAX_TOTAL_BYTES, found=size)
    return len(names)


def check_loadable(files: Mapping[str, bytes]) -> None:
    """Check before writing that files have names and sizes which loading will take.

    Raises:
        UnexpectedFileError: a name isn't one that a bundle uses, or there are too many.
        TooLargeError: a file, or all together, are larger than will be read.
    """
    for count, (name, data) in enumerate(files.items(), start=1):
        if not _NAME.fullmatch(name) or count > MAX_FILES:
            raise UnexpectedFileError(name, "not one that a bundle can have")
        if len(data) > (limit := MAX_BYTES[Path(name).suffix]):
            raise TooLargeError(name, limit=limit, found=len(data))
    size = sum(map(len, files.values()))
    if size > MAX_TOTAL_BYTES:
        raise TooLargeError("the whole bundle", limit=MAX_TOTAL_BYTES, found=size)


def _parse_manifest(manifest_bytes: bytes) -> Manifest:
    try:
        found = msgspec.json.decode(manifest_bytes, type=_FormatOnly).format
        if found > FORMAT:
            raise NewerFormatError(known=FORMAT, found=found)
        if found < FORMAT:
            raise OlderFormatError(known=FORMAT, found=found)
        return msgspec.json.decode(manifest_bytes, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BrokenFileError(MANIFEST, str(error)) from error


def _check_file_list(directory: Path, manifest: Manifest) -> None:
    """Compare what is there with what is listed; listed names can't lead elsewhere."""
    for name in manifest.files:
        if not _NAME.fullmatch(name) or name == MANIFEST:
            raise UnexpectedFileError(name, "listed, but not a name that a bundle uses")
    present = {entry.name for entry in os.scandir(directory)} - {MANIFEST, SIGNATURE}
    for name in sorted(present - set(manifest.files)):
        raise UnexpectedFileError(name, "not listed in the manifest")
    for name in sorted(set(manifest.files) - present):
        raise MissingFileError(name)


def _read_file(directory: Path, name: str, manifest: Manifest) -> bytes:
    facts = manifest.files[name]
    data = _read_plain(directory, name)
    found = sha256_hex(data)
    if found != facts.sha256 or len(data) != facts.bytes:
        raise DigestMismatchError(name, expected=facts.sha256, found=found)
    return data


def _read_plain(directory: Path, name: str) -> bytes:
    """Read a plain file of bounded size, without following a link put there meanwhile."""
    limit = MAX_BYTES[Path(name).suffix]
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
