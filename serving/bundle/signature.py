"""Sign a bundle and check its signature: Ed25519 over the exact bytes of its manifest.

The manifest has the SHA-256 of every other file, so the signature covers them all. It is the file
`manifest.sig` of 64 raw bytes (RFC 8032, "Edwards-curve digital signature algorithm";
cryptography.io, "Ed25519 signing"). Keys are PEM files, as OpenSSL writes them.
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
from features.runtime.text import escape_path
from serving.errors import KeyExistsError, KeyRefusedError, SignatureRefusedError

SIGNATURE: Final = "manifest.sig"
SIGNATURE_BYTES: Final = 64
MAX_KEY_BYTES: Final = 4096
PRIVATE_KEY: Final = "xuanpin.key"
PUBLIC_KEY: Final = "xuanpin.pub"

PrivateKey = Ed25519PrivateKey
PublicKey = Ed25519PublicKey
"""Names for the types of keys, so that no other module imports cryptography."""

_GROUP_OR_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def make_keys(directory: Path) -> tuple[Path, Path]:
    """Write a new pair of keys; return the paths of the private and the public one.

    Raises:
        KeyExistsError: one of the files exists already.
        StorageError: the disk is full or can't be written.
    """
    private, public = directory / PRIVATE_KEY, directory / PUBLIC_KEY
    for path in (private, public):
        if path.exists():
            raise KeyExistsError(path)
    key = Ed25519PrivateKey.generate()
    private_pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public_pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    write_private(private, private_pem)
    public.write_bytes(public_pem)
    return private, public


def read_private_key(path: Path) -> PrivateKey:
    """Read a key to sign with.

    Raises:
        KeyRefusedError: it can't be read, isn't an unencrypted Ed25519 key, or other users may
            read it.
    """
    data = _read_key_file(path)
    if path.stat().st_mode & _GROUP_OR_OTHERS:
        raise KeyRefusedError(
            path, "other users may read it", f"Run `chmod 600 {escape_path(path)}`."
        )
    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyRefusedError(
            path, "it isn't a PEM file with an unencrypted private key"
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyRefusedError(path, "it is a key of another kind")
    return key


def read_public_key(path: Path) -> PublicKey:
    """Read a key to check signatures with.

    Raises:
        KeyRefusedError: it can't be read or isn't an Ed25519 public key.
    """
    try:
        key = load_pem_public_key(_read_key_file(path))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyRefusedError(path, "it is no PEM file of a public key") from error
    if not isinstance(key, Ed25519PublicKey):
        raise KeyRefusedError(path, "it is a key of another kind")
    return key


def check_signature(manifest: bytes, signature: bytes | None, key: PublicKey) -> None:
    """Check that the key's owner signed these bytes.

    Raises:
        SignatureRefusedError: there is no signature, or another key or other bytes made it.
    """
    if signature is None:
        raise SignatureRefusedError(fingerprint(key), f"it has no {SIGNATURE}")
    try:
        key.verify(signature, manifest)
    except InvalidSignature as error:
        reason = f"{SIGNATURE} is of another key or another manifest"
        raise SignatureRefusedError(fingerprint(key), reason) from error


def fingerprint(key: PublicKey) -> str:
    """Return a short name for a public key: the first 16 digits of the SHA-256 of its bytes."""
    return sha256(key.public_bytes_raw()).hexdigest()[:16]


def _read_key_file(path: Path) -> bytes:
    """Read a key file, and no more bytes than a key can have."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        raise KeyRefusedError(path, error.strerror or "it can't be read") from error
    with open(handle, "rb") as file:  # noqa: PTH123 - opens the handle that doesn't wait for a pipe
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise KeyRefusedError(path, "it is not a plain file")
        return file.read(MAX_KEY_BYTES)
