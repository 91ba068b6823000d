"""The files of a snapshot: its description, and the proof that its data are unchanged."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ValidationError

from features.online.contents import FORMAT, FileFacts, SnapshotRefusedError, StoredAbout
from features.online.lmdb_file import DATA
from features.runtime.atomic import write_atomically
from features.runtime.plain_file import RefusedReadError, read_plain
from features.runtime.signature import (
    SIGNATURE_BYTES,
    PrivateKey,
    PublicKey,
    check_signature,
)
from features.runtime.text import escape

ABOUT: Final = "snapshot.json"
SIGNATURE: Final = "snapshot.sig"
MAX_ABOUT_BYTES: Final = 16 << 20


class _FormatMark(BaseModel):
    """The field that every format of snapshot.json has."""

    format: int


def read_about(directory: Path) -> tuple[StoredAbout, str]:
    """Read a snapshot's description and return it with the snapshot's id.

    The data are not read; only the size of their file is compared.

    Raises:
        SnapshotRefusedError: a file is missing, of another format or of another size.
    """
    text = _read_file(directory, ABOUT, MAX_ABOUT_BYTES)
    about = _parse_about(directory, text)
    _refuse_other_size(directory / DATA, about.data.bytes)
    return about, derive_id(text)


def verify_snapshot(directory: Path, key: PublicKey | None = None) -> None:
    """Prove that the description and the data of a snapshot are the ones that were stored.

    The id of the stored snapshot is the name of its directory. With a key, its owner must have
    signed the description, which has the SHA-256 of the data.

    Raises:
        SnapshotRefusedError: a byte differs, or the directory has another name.
        SignatureRefusedError: the key's owner didn't sign it.
    """
    if key is not None:
        _check_signature(directory, key)
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


def sign_snapshot(directory: Path, key: PrivateKey) -> str:
    """Sign a sound snapshot, replacing any earlier signature, and return its id.

    Raises:
        SnapshotRefusedError: a byte differs, or the directory has another name.
        StorageError: the disk refuses.
    """
    verify_snapshot(directory)
    signature = key.sign(_read_file(directory, ABOUT, MAX_ABOUT_BYTES))
    with write_atomically(
        directory / SIGNATURE, temporary_parent=directory.absolute().parent
    ) as file:
        file.write_bytes(signature)
    verify_snapshot(directory, key.public_key())
    return directory.resolve().name


def _check_signature(directory: Path, key: PublicKey) -> None:
    signed = _read_file(directory, ABOUT, MAX_ABOUT_BYTES)
    is_signed = (directory / SIGNATURE).exists()
    signature = _read_file(directory, SIGNATURE, SIGNATURE_BYTES) if is_signed else None
    check_signature("snapshot", SIGNATURE, signed=signed, signature=signature, key=key)


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


def _read_file(directory: Path, name: str, max_bytes: int) -> bytes:
    """Read a small file of a snapshot, which is no link."""
    _refuse_other_kind(directory / name)
    try:
        return read_plain(directory / name, max_bytes)
    except RefusedReadError as error:
        raise SnapshotRefusedError(directory, f"{name}: {error.reason}") from error


def _refuse_other_size(path: Path, size: int) -> None:
    _refuse_other_kind(path)
    actual = path.stat().st_size
    if actual != size or not actual:
        raise SnapshotRefusedError(
            path.parent, f"{path.name} has {actual:,} bytes instead of {size:,}"
        )


def _refuse_other_kind(path: Path) -> None:
    """Refuse a link too: it may lead to a file that changes, or to another directory's."""
    if path.is_symlink():
        raise SnapshotRefusedError(path.parent, f"{path.name} is a symbolic link")
    if not path.exists():
        raise SnapshotRefusedError(path.parent, f"{path.name} is missing")
    if not path.is_file():
        raise SnapshotRefusedError(path.parent, f"{path.name} is not a plain file")


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "the file"
    return f"{field}: {first['msg']}"


def _hash_file(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
