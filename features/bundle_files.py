"""Single JSON files of a bundle, as far as the manifest vouches for them.

A bundle is serving's, whose code nothing here imports: its files are read as what they are, JSON of
a fixed form.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from features.errors import ArtefactError
from features.wording import shown

MANIFEST: Final = "manifest.json"
MOST_BYTES: Final = 16 << 20

T = TypeVar("T")


class UnusableBundleError(ArtefactError):
    """Refuse a bundle whose reference can't be compared with what the program computes."""

    def __init__(self, *, expected: str, found: str) -> None:
        super().__init__(
            expected=expected,
            found=found,
            way_out="Name a directory under bundles/ that this version's `xuanpin run` wrote.",
        )


class _File(msgspec.Struct, frozen=True):
    sha256: str


class BundleManifest(msgspec.Struct, frozen=True):
    """The part of manifest.json that a reader of single files needs."""

    catalogue_fingerprint: str
    files: dict[str, _File]


def read_manifest(directory: Path) -> BundleManifest:
    """Read the manifest of a bundle directory.

    Raises:
        UnusableBundleError: there is none.
    """
    return _decoded(MANIFEST, _bytes_of(directory, MANIFEST), BundleManifest)


def read_member(directory: Path, manifest: BundleManifest, name: str, form: type[T]) -> T:
    """Read a JSON file of a bundle that is what the manifest lists.

    Raises:
        UnusableBundleError: it is missing, was changed, or isn't of this form.
    """
    data = _bytes_of(directory, name)
    listed = manifest.files.get(name)
    if listed is None or listed.sha256 != hashlib.sha256(data).hexdigest():
        raise UnusableBundleError(expected=f"{name} as the manifest lists it", found="another")
    return _decoded(name, data, form)


def _bytes_of(directory: Path, name: str) -> bytes:
    path = directory / name
    if path.is_symlink() or not path.is_file() or path.stat().st_size > MOST_BYTES:
        raise UnusableBundleError(
            expected=f"a bundle directory with {name}", found=f"none at {shown(str(directory))}"
        )
    return path.read_bytes()


def _decoded(name: str, data: bytes, form: type[T]) -> T:
    try:
        return msgspec.json.decode(data, type=form)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnusableBundleError(
            expected=f"{name} in the bundle's form", found=shown(str(error))
        ) from error
