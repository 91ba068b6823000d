"""Who made a bundle: an Ed25519 signature over the exact bytes of its manifest.

The manifest names the SHA-256 of every other file, so the signature vouches for all of them. It
lies beside it as `manifest.sig`, 64 raw bytes (RFC 8032, "Edwards-curve digital signature
algorithm"; cryptography.io, "Ed25519 signing"). Keys are PEM files, as OpenSSL writes them.
"""

from __future__ import annotations

import os
import stat
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from features.runtime.atomic import write_private
from serving.errors import KeyRefusedError, SignatureRefusedError

SIGNATURE: Final = "manifest.sig"
SIGNATURE_BYTES: Final = 64
MAX_KEY_BYTES: Final = 4096
PRIVATE_KEY: Final = "xuanpin.key"
PUBLIC_KEY: Final = "xuanpin.pub"

PrivateKey = Ed25519PrivateKey
PublicKey = Ed25519PublicKey
"""The kinds of keys, for those who pass them on."""

_GROUP_OR_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def make_keys(directory: Path) -> tuple[Path, Path]:
    """Write a new pair of keys and return the paths of the private and the public one.

    Raises:
        KeyRefusedError: one of the files is there already.
        StorageError: the disk refuses.
    """
    private, public = directory / PRIVATE_KEY, directory / PUBLIC_KEY
    for path in (private, public):
        if path.exists():
            raise KeyRefusedError(path, "a file, which stays")
    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    known = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    write_private(private, secret)
    public.write_bytes(known)
    return private, public


def read_private_key(path: Path) -> PrivateKey:
    """Read a key to sign with.

    Raises:
        KeyRefusedError: it can't be read, isn't an unencrypted Ed25519 key, or others may read it.
    """
    data = _read_key_file(path)
    if path.stat().st_mode & _GROUP_OR_OTHERS:
        raise KeyRefusedError(path, "one that others may use (`chmod 600` keeps it to yourself)")
    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyRefusedError(path, "no PEM of an unencrypted private key") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyRefusedError(path, "a key of another kind")
    return key


def read_public_key(path: Path) -> PublicKey:
    """Read a key to check signatures with.

    Raises:
        KeyRefusedError: it can't be read or isn't an Ed25519 public key.
    """
    try:
        key = load_pem_public_key(_read_key_file(path))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyRefusedError(path, "no PEM of a public key") from error
    if not isinstance(key, Ed25519PublicKey):
        raise KeyRefusedError(path, "a key of another kind")
    return key


def check_signature(manifest: bytes, signature: bytes | None, key: PublicKey) -> None:
    """Check that the key's owner signed these bytes.

    Raises:
        SignatureRefusedError: there is no signature, or it is of other bytes or another key.
    """
    if signature is None:
        raise SignatureRefusedError(fingerprint(key), "none")
    try:
        key.verify(signature, manifest)
    except InvalidSignature as error:
        found = "one of another key, or of another manifest"
        raise SignatureRefusedError(fingerprint(key), found) from error


def fingerprint(key: PublicKey) -> str:
    """Return a short name of a public key: the start of the SHA-256 of its 32 bytes."""
    return sha256(key.public_bytes_raw()).hexdigest()[:16]


def _read_key_file(path: Path) -> bytes:
    """Read a key file, and no more of it than a key can have."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        raise KeyRefusedError(path, error.strerror or "a file that can't be read") from error
    with open(handle, "rb") as file:  # noqa: PTH123 - opens the handle that doesn't wait for a pipe
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise KeyRefusedError(path, "not a plain file")
        return file.read(MAX_KEY_BYTES)
