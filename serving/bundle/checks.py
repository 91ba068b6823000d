"""Verify a bundle check by check, and sign a bundle that passes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from features.catalogue.catalogue import CATALOGUE
from features.online.files import ABOUT, open_files
from features.online.files import SIGNATURE as SNAPSHOT_SIGNATURE
from features.online.lmdb_file import DATA
from features.runtime.errors import ArtefactError
from features.runtime.signature import PrivateKey, PublicKey, fingerprint, write_signature
from serving.bundle.bundle import check_fits
from serving.bundle.canary_process import try_in_child
from serving.bundle.manifest import MANIFEST, SIGNATURE
from serving.bundle.verified_files import check_names, read_files, read_manifest, read_verified

CHECKS: Final = ("files", "signature", "digests", "schema", "canary")
"""In the order of loading; a check runs only if all earlier ones hold."""


class BundleCheck(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one check."""

    check: str
    holds: bool
    message: str


def is_snapshot(directory: Path) -> bool:
    """Return whether a directory is an online snapshot's; else it is taken for a bundle's."""
    return (directory / ABOUT).exists()


def verify_artefact(directory: Path, key: PublicKey | None) -> list[BundleCheck]:
    """Run the checks of loading up to the first that fails; the artefact is sound if all hold.

    A bundle has all of `CHECKS`, a snapshot the first three. Without a key the signature isn't
    checked, and the message says so.
    """
    run = _run_snapshot_checks if is_snapshot(directory) else _run_checks
    checks: list[BundleCheck] = []
    try:
        for message in run(directory, key):
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
    yield _describe_signature("bundle", MANIFEST, directory / SIGNATURE, key)
    verified = read_files(directory, manifest_bytes)
    yield f"{len(verified.files)} files have the sizes and SHA-256 digests of manifest.json"
    schema = check_fits(verified, CATALOGUE)
    yield f"the bundle fits this program's features and predicts {', '.join(schema.targets)}"
    try_in_child(directory, verified.bundle_id)
    yield "a child process loads the bundle and gives the answers of canary.json"


def _run_snapshot_checks(directory: Path, key: PublicKey | None) -> Iterator[str]:
    with open_files(directory) as files:
        yield f"{ABOUT} and {DATA} are plain files; no links"
        if key is not None:
            files.check_signature(key)
        yield _describe_signature("snapshot", ABOUT, directory / SNAPSHOT_SIGNATURE, key)
        about = files.verify()
        yield (
            f"{DATA} has the size and SHA-256 digest of {ABOUT}, which has the id that the "
            f"directory is named after; as of {about.as_of:%Y-%m-%d %H:%M} UTC"
        )


def _describe_signature(kind: str, signed: str, signature: Path, key: PublicKey | None) -> str:
    if key is not None:
        return f"{signed} is signed with the key {fingerprint(key)}"
    has = f"has {'a' if signature.exists() else 'no'} {signature.name}"
    return f"not checked, because no public key was given; the {kind} {has}"
