"""Verify a bundle check by check, and sign one that passes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from features.catalogue.catalogue import CATALOGUE
from features.runtime.atomic import write_atomically
from serving.bundle.bundle import check_fits
from serving.bundle.canary_process import try_in_child
from serving.bundle.signature import SIGNATURE, PrivateKey, PublicKey, fingerprint
from serving.bundle.verified_files import check_names, read_files, read_manifest, read_verified
from serving.errors import BundleRefusedError

CHECKS: Final = ("files", "signature", "digests", "schema", "canary")
"""In the order in which loading makes them; none is made before the ones ahead of it hold."""


class BundleCheck(msgspec.Struct, frozen=True, kw_only=True):
    """A check that was made."""

    check: str
    holds: bool
    message: str


def verify_bundle(directory: Path, key: PublicKey | None) -> list[BundleCheck]:
    """Make the checks of loading up to the first that fails; the bundle is sound if all hold.

    Without a key the signature isn't checked, and the check says so.
    """
    checks: list[BundleCheck] = []
    try:
        for message in _run_checks(directory, key):
            checks.append(BundleCheck(check=CHECKS[len(checks)], holds=True, message=message))
    except BundleRefusedError as error:
        checks.append(BundleCheck(check=CHECKS[len(checks)], holds=False, message=str(error)))
    return checks


def sign_bundle(directory: Path, key: PrivateKey) -> str:
    """Sign a sound bundle, in place of any signature before, and return the bundle's id.

    The bytes that are signed are the ones that were checked.

    Raises:
        BundleRefusedError: it isn't sound, so that nobody should vouch for it.
        StorageError: the disk refuses.
    """
    check_names(directory)
    manifest_bytes = read_manifest(directory, None)
    verified = read_files(directory, manifest_bytes)
    check_fits(verified, CATALOGUE)
    try_in_child(directory, verified.bundle_id)
    signature = key.sign(manifest_bytes)
    with write_atomically(
        directory / SIGNATURE, temporary_parent=directory.absolute().parent
    ) as file:
        file.write_bytes(signature)
    return read_verified(directory, key.public_key()).bundle_id


def _run_checks(directory: Path, key: PublicKey | None) -> Iterator[str]:
    """Make one check after the other and say what held."""
    count = check_names(directory)
    yield f"{count} plain files of allowed names, kinds and sizes, no links, no directories"
    manifest_bytes = read_manifest(directory, key)
    yield _describe_signature(directory, key)
    verified = read_files(directory, manifest_bytes)
    yield f"{len(verified.files)} files have the sizes and SHA-256 digests of manifest.json"
    schema = check_fits(verified, CATALOGUE)
    yield f"made for this program's features; predicts {', '.join(schema.targets)}"
    try_in_child(directory, verified.bundle_id)
    yield "a process of its own loads it and gives the answers of canary.json"


def _describe_signature(directory: Path, key: PublicKey | None) -> str:
    if key is not None:
        return f"manifest.json is signed by the key {fingerprint(key)}"
    is_there = (directory / SIGNATURE).exists()
    return (
        f"not checked, no public key was given; manifest.sig is {'' if is_there else 'not '}there"
    )
