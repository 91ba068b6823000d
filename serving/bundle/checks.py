"""Verify a bundle check by check, and sign a bundle that passes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from features.catalogue.catalogue import CATALOGUE
from features.runtime.errors import ArtefactError
from features.runtime.signature import PrivateKey, PublicKey, fingerprint, write_signature
from serving.bundle.bundle import check_fits
from serving.bundle.canary_process import try_in_child
from serving.bundle.manifest import SIGNATURE
from serving.bundle.verified_files import check_names, read_files, read_manifest, read_verified

CHECKS: Final = ("files", "signature", "digests", "schema", "canary")
"""In the order of loading; a check runs only if all earlier ones hold."""


class BundleCheck(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one check."""

    check: str
    holds: bool
    message: str


def verify_bundle(directory: Path, key: PublicKey | None) -> list[BundleCheck]:
    """Run the checks of loading up to the first that fails; the bundle is sound if all hold.

    Without a key the signature isn't checked, and the message says so.
    """
    checks: list[BundleCheck] = []
    try:
        for message in _run_checks(directory, key):
            checks.append(BundleCheck(check=CHECKS[len(checks)], holds=True, message=message))
    except ArtefactError as error:
        checks.append(BundleCheck(check=CHECKS[len(checks)], holds=False, message=str(error)))
    return checks


def sign_bundle(directory: Path, key: PrivateKey) -> str:
    """Sign a sound bundle, replacing any earlier signature, and return the bundle's id.

    The signed bytes are the ones that were checked.

    Raises:
        ArtefactError: the bundle isn't sound.
        StorageError: the disk refuses.
    """
    check_names(directory)
    manifest_bytes = read_manifest(directory, None)
    verified = read_files(directory, manifest_bytes)
    check_fits(verified, CATALOGUE)
    try_in_child(directory, verified.bundle_id)
    with write_signature(directory / SIGNATURE, manifest_bytes, key) as public_key:
        read_verified(directory, public_key)
    return verified.bundle_id


def _run_checks(directory: Path, key: PublicKey | None) -> Iterator[str]:
    """Run one check after the other; yield a message for each that holds."""
    count = check_names(directory)
    yield f"{count} plain files have allowed names and sizes; no links, no directories"
    manifest_bytes = read_manifest(directory, key)
    yield _describe_signature(directory, key)
    verified = read_files(directory, manifest_bytes)
    yield f"{len(verified.files)} files have the sizes and SHA-256 digests of manifest.json"
    schema = check_fits(verified, CATALOGUE)
    yield f"the bundle fits this program's features and predicts {', '.join(schema.targets)}"
    try_in_child(directory, verified.bundle_id)
    yield "a child process loads the bundle and gives the answers of canary.json"


def _describe_signature(directory: Path, key: PublicKey | None) -> str:
    if key is not None:
        return f"manifest.json is signed with the key {fingerprint(key)}"
    is_signed = (directory / SIGNATURE).exists()
    return (
        "not checked, because no public key was given; the bundle has "
        f"{'a' if is_signed else 'no'} {SIGNATURE}"
    )
