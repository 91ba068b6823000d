"""The file of API keys: JSON, written whole, private to its owner."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Literal

import msgspec

from features.runtime.atomic import write_atomically
from features.runtime.plain_file import RefusedReadError, read_plain
from features.runtime.refusals import raise_storage_errors
from serving.access.errors import KeyFileRefusedError, TooManyKeysError, UnknownKeyError
from serving.access.keys import ApiKey

MAX_KEYS: Final = 1_000
MAX_BYTES: Final = 1 << 20
PRIVATE_FILE: Final = 0o600

Keys = tuple[ApiKey, ...]


class _Content(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: Literal[1]
    keys: Keys


def read_keys(path: Path) -> Keys:
    """Read all keys of a file; it may be a link, as Kubernetes mounts secrets.

    Raises:
        KeyFileRefusedError: it is missing or has another form than `add_key` writes.
    """
    try:
        content = read_plain(path, MAX_BYTES, follow_link=True)
        keys = msgspec.json.decode(content, type=_Content).keys
    except RefusedReadError as error:
        raise KeyFileRefusedError(path, error.reason) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise KeyFileRefusedError(path, str(error)) from None  # the cause holds the content
    if len(keys) > MAX_KEYS:
        raise KeyFileRefusedError(path, f"it has more than {MAX_KEYS:,} keys")
    if len({key.key_id for key in keys}) < len(keys):
        raise KeyFileRefusedError(path, "two keys have the same id")
    return keys


def add_key(path: Path, key: ApiKey) -> None:
    """Add a key to a file; make the file if there is none.

    Raises:
        KeyFileRefusedError: there is a file that doesn't hold keys; it stays as it is.
        TooManyKeysError: the file has `MAX_KEYS` keys.
        StorageError: the disk refuses.
    """
    with _lock_directory_of(path):
        keys = read_keys(path) if path.exists() else ()
        if len(keys) >= MAX_KEYS:
            raise TooManyKeysError(path, MAX_KEYS)
        _write(path, (*keys, key))


def revoke_key(path: Path, key_id: str) -> ApiKey:
    """Remove a key from a file and return it.

    Raises:
        KeyFileRefusedError: the file is missing or doesn't hold keys.
        UnknownKeyError: the file has no such key.
        StorageError: the disk refuses.
    """
    with _lock_directory_of(path):
        keys = read_keys(path)
        revoked = next((key for key in keys if key.key_id == key_id), None)
        if revoked is None:
            raise UnknownKeyError(path)
        _write(path, tuple(key for key in keys if key is not revoked))
    return revoked


def _write(path: Path, keys: Keys) -> None:
    """Write the file that `path` names or links to; an earlier file passes its mode on."""
    content = msgspec.json.format(msgspec.json.encode(_Content(format=1, keys=keys)))
    with write_atomically(path.resolve()) as temporary:
        temporary.chmod(PRIVATE_FILE)
        temporary.write_bytes(content)


@contextmanager
def _lock_directory_of(path: Path) -> Iterator[None]:
    """Let one process at a time change the file, where the disk has locks: no key gets lost."""
    with raise_storage_errors():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path.parent, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
