"""Sign an artefact and check its signature: Ed25519 over the exact bytes of its description.

The description of a bundle (`manifest.json`) or of an online snapshot (`snapshot.json`) has the
SHA-256 of every other file, so the signature covers them all. It is a file of 64 raw bytes beside
it (RFC 8032, "Edwards-curve digital signature algorithm"; cryptography.io, "Ed25519 signing").
Keys are PEM files, as OpenSSL writes them.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from shlex import quote
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

from features.runtime.atomic import write_atomically, write_private
from features.runtime.errors import ArtefactError
from features.runtime.plain_file import RefusedReadError, read_plain
from features.runtime.text import escape_path

SIGNATURE_BYTES: Final = 64
MAX_KEY_BYTES: Final = 4096
PRIVATE_KEY: Final = "xuanpin.key"
PUBLIC_KEY: Final = "xuanpin.pub"

PrivateKey = Ed25519PrivateKey
PublicKey = Ed25519PublicKey
"""Names for the types of keys, so that no other module imports cryptography."""

_PEM_TITLE: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]{3,40})-----")
_GROUP_OR_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO

_FIELD: Final = 2**255 - 19
_ORDER_8: Final = int.from_bytes(
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
)
_SMALL_ORDER: Final = frozenset({0, 1, _FIELD - 1, _ORDER_8, _FIELD - _ORDER_8})
"""The y-coordinates of the eight points of small order: (0, 1), (0, -1), the two with y = 0 and the
four of order 8. For such a key a signature can be made that holds for many texts, or for all."""

_NAME_A_KEY: Final = (
    "Name an Ed25519 key in PEM form; `xuanpin bundle keygen --out DIR` makes a pair."
)


class KeyRefusedError(ArtefactError):
    """Refuse a file that holds no key to sign or check with."""

    def __init__(self, path: Path, reason: str, hint: str = _NAME_A_KEY) -> None:
        super().__init__(
            problem=f"The file {escape_path(path)} can't be used as a key: {reason}.", hint=hint
        )


class KeyExistsError(ArtefactError):
    """Refuse to overwrite a key."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            problem=f"The key {escape_path(path)} exists already and is not overwritten.",
            hint="Choose another --out.",
        )


class SignatureRefusedError(ArtefactError):
    """Refuse an artefact that the configured key's owner hasn't signed."""

    def __init__(self, artefact: str, key: str, reason: str) -> None:
        super().__init__(
            problem=f"The {artefact} is not signed with the key {key}: {reason}.",
            hint="Sign it with `xuanpin bundle sign` if you made it; otherwise don't use it.",
        )


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
    try:
        key = load_pem_private_key(data, password=None)
    except TypeError as error:
        reason = "it is encrypted, and a service can't ask for its password"
        command = f"openssl pkey -in {quote(escape_path(path))} -out PLAIN.key"
        hint = f"Run `{command}` and `chmod 600 PLAIN.key`, and name PLAIN.key."
        raise KeyRefusedError(path, reason, hint) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyRefusedError(path, _describe_pem(data, "a private key")) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyRefusedError(path, f"it is {_describe_kind(key)}, not of the kind Ed25519")
    if path.stat().st_mode & _GROUP_OR_OTHERS:
        raise KeyRefusedError(
            path, "other users may read it", f"Run `chmod 600 {quote(escape_path(path))}`."
        )
    return key


def read_public_key(path: Path) -> PublicKey:
    """Read a key to check signatures with.

    A key of small order is refused, and one whose bytes aren't the only ones for its point: with
    them strangers can make signatures that hold (RFC 8032, 5.1.3; Chalkias, Garillot and
    Nikolaenko 2020, "Taming the many EdDSAs").

    Raises:
        KeyRefusedError: it can't be read or isn't a sound Ed25519 public key.
    """
    data = _read_key_file(path)
    try:
        key = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyRefusedError(path, _describe_pem(data, "a public key")) from error
    if not isinstance(key, Ed25519PublicKey):
        raise KeyRefusedError(path, f"it is {_describe_kind(key)}, not of the kind Ed25519")
    if _is_weak(key):
        raise KeyRefusedError(path, "anybody can make signatures that it accepts (small order)")
    return key


def _is_weak(key: PublicKey) -> bool:
    """Return True for a point of small order, and for bytes that a sound encoder doesn't write."""
    sign_bit = 1 << 255
    y = int.from_bytes(key.public_bytes_raw(), "little") % sign_bit
    return y >= _FIELD or y in _SMALL_ORDER


def _describe_pem(data: bytes, expected: str) -> str:
    """Say what a file holds in place of a key, by the title of its PEM block."""
    title = _PEM_TITLE.search(data)
    if title is None:
        return "it isn't a PEM file"
    return f"it holds a {title[1].decode().lower()}, and {expected} is needed"


def _describe_kind(key: object) -> str:
    """Return the kind of a key of another algorithm, such as `a key of the kind RSA`."""
    name = type(key).__name__.removesuffix("PrivateKey").removesuffix("PublicKey")
    return f"a key of the kind {name.lstrip('_')}"


def check_signature(
    artefact: str, name: str, *, signed: bytes, signature: bytes | None, key: PublicKey
) -> None:
    """Check that the key's owner signed these bytes; `name` is that of the signature's file.

    Raises:
        SignatureRefusedError: there is no signature, or another key or other bytes made it.
    """
    if signature is None:
        raise SignatureRefusedError(artefact, fingerprint(key), f"it has no {name}")
    try:
        key.verify(signature, signed)
    except InvalidSignature as error:
        reason = f"{name} is of another key or another {artefact}"
        raise SignatureRefusedError(artefact, fingerprint(key), reason) from error


@contextmanager
def write_signature(path: Path, signed: bytes, key: PrivateKey) -> Iterator[PublicKey]:
    """Write the signature of these bytes, which stays only if the block accepts the artefact.

    Yields the key to check it with.

    Raises:
        StorageError: the disk refuses.
    """
    with write_atomically(path, temporary_parent=path.absolute().parent.parent) as file:
        file.write_bytes(key.sign(signed))
    try:
        yield key.public_key()
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def fingerprint(key: PublicKey) -> str:
    """Return a short name for a public key: the first 16 digits of the SHA-256 of its bytes."""
    return sha256(key.public_bytes_raw()).hexdigest()[:16]


def _read_key_file(path: Path) -> bytes:
    """Read a key file, which may be a link, as secrets that are mounted are."""
    try:
        return read_plain(path, MAX_KEY_BYTES, follow_link=True)
    except RefusedReadError as error:
        raise KeyRefusedError(path, error.reason) from error
