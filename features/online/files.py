"""The files of a snapshot: its description, and the proof that its data are unchanged."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ValidationError

from features.online.contents import FORMAT, FileFacts, SnapshotRefusedError, StoredAbout
from features.online.lmdb_file import DATA
from features.runtime.plain_file import RefusedReadError, open_plain, read_plain
from features.runtime.signature import (
    SIGNATURE_BYTES,
    PrivateKey,
    PublicKey,
    check_signature,
    write_signature,
)
from features.runtime.text import escape

ABOUT: Final = "snapshot.json"
SIGNATURE: Final = "snapshot.sig"
MAX_ABOUT_BYTES: Final = 16 << 20


class _FormatMark(BaseModel):
    """The field that every format of snapshot.json has."""

    format: int


@dataclass(frozen=True)
class SnapshotFiles:
    """The files of a snapshot: each is opened once, so what is verified is what is used."""

    directory: Path
    description: bytes
    """The bytes of snapshot.json."""
    data: BufferedReader

    def check_signature(self, key: PublicKey) -> None:
        """Check that the key's owner signed the description.

        Raises:
            SignatureRefusedError: the signature is missing or wrong.
        """
        is_signed = (self.directory / SIGNATURE).exists()
        signature = _read_file(self.directory, SIGNATURE, SIGNATURE_BYTES) if is_signed else None
        check_signature(
            "snapshot", SIGNATURE, signed=self.description, signature=signature, key=key
        )

    def describe(self) -> StoredAbout:
        """Return the description; of the data only the size is compared.

        Raises:
            SnapshotRefusedError: it is of another format, or the data of another size.
        """
        about = _parse_about(self.directory, self.description)
        actual = os.fstat(self.data.fileno()).st_size
        if actual != about.data.bytes or not actual:
            reason = f"{DATA} has {actual:,} bytes instead of {about.data.bytes:,}"
            raise SnapshotRefusedError(self.directory, reason)
        return about

    def verify(self) -> StoredAbout:
        """Prove that the files are the ones that were stored, and return the description.

        The id of the stored snapshot is the name of its directory.

        Raises:
            SnapshotRefusedError: a byte differs, or the directory has another name.
        """
        about, snapshot_id = self.describe(), derive_id(self.description)
        name = self.directory.resolve().name
        if snapshot_id != name:
            reason = f"{ABOUT} has the id {snapshot_id}, the directory the name {escape(name)}"
            raise SnapshotRefusedError(self.directory, reason)
        digest, expected = _hash_file(self.data), about.data.sha256
        if digest != expected:
            reason = f"{DATA} was changed (SHA-256 {digest[:16]}…, not {escape(expected[:16])}…)"
            raise SnapshotRefusedError(self.directory, reason)
        return about


@contextmanager
def open_files(directory: Path) -> Iterator[SnapshotFiles]:
    """Read the description of a snapshot, and open its data.

    Raises:
        SnapshotRefusedError: a file is missing, a link or no plain file.
    """
    description = _read_file(directory, ABOUT, MAX_ABOUT_BYTES)
    with _refuse_unreadable(directory, DATA):
        data = open_plain(directory / DATA)
    with data:
        yield SnapshotFiles(directory, description, data)


def verify_snapshot(directory: Path, key: PublicKey | None = None) -> None:
    """Prove that the description and the data of a snapshot are the ones that were stored.

    With a key, its owner must have signed the description, which has the SHA-256 of the data.
    `OnlineSnapshot.open_verified` proves the same of the files that it opens.

    Raises:
        SnapshotRefusedError: a byte differs, or the directory has another name.
        SignatureRefusedError: the key's owner didn't sign it.
    """
    with open_files(directory) as files:
        if key is not None:
            files.check_signature(key)
        files.verify()


def sign_snapshot(directory: Path, key: PrivateKey) -> str:
    """Sign a sound snapshot, replacing any earlier signature, and return its id.

    The signed bytes are the ones that were verified.

    Raises:
        SnapshotRefusedError: a byte differs, or the directory has another name.
        StorageError: the disk refuses.
    """
    with open_files(directory) as files:
        files.verify()
    with write_signature(directory / SIGNATURE, files.description, key) as public_key:
        verify_snapshot(directory, public_key)
    return derive_id(files.description)


def describe_file(path: Path) -> FileFacts:
    """Return size and SHA-256 of a file."""
    with path.open("rb") as file:
        return FileFacts(bytes=path.stat().st_size, sha256=_hash_file(file))


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
    with _refuse_unreadable(directory, name):
        return read_plain(directory / name, max_bytes)


@contextmanager
def _refuse_unreadable(directory: Path, name: str) -> Iterator[None]:
    """Refuse a link too: it may lead to a file that changes, or to another directory's."""
    try:
        yield
    except RefusedReadError as error:
        raise SnapshotRefusedError(directory, f"{name}: {error.reason}") from error


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "the file"
    return f"{field}: {first['msg']}"


def _hash_file(file: BufferedReader) -> str:
    return hashlib.file_digest(file, "sha256").hexdigest()
