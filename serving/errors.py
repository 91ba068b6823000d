"""Refusals of a bundle: one class a failure, each built from facts."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from features.runtime.errors import ArtefactError
from features.runtime.text import escape

_MAKE_ANOTHER: Final = "Make a new one with `xuanpin run`; the one before stays usable."


class BundleRefusedError(ArtefactError):
    """Refuse a bundle; subclasses say why."""

    def __init__(self, *, expected: str, found: str, way_out: str = _MAKE_ANOTHER) -> None:
        super().__init__(expected=expected, found=found, way_out=way_out)


class NotABundleError(BundleRefusedError):
    """Refuse a path that isn't a plain directory with a manifest."""

    def __init__(self, directory: Path, found: str) -> None:
        super().__init__(
            expected="a bundle directory with manifest.json",
            found=f"{found} at {directory.name}",
            way_out="Name the directory that `xuanpin run` published.",
        )


class NewerFormatError(BundleRefusedError):
    """Refuse a bundle written in a format this program doesn't know."""

    def __init__(self, *, known: int, found: int) -> None:
        super().__init__(
            expected=f"bundle format {known}",
            found=f"format {found}",
            way_out="Install the version of xuanpin that wrote it, or make a new bundle.",
        )


class OlderFormatError(BundleRefusedError):
    """Refuse a bundle of an earlier format, whose models mean something else."""

    def __init__(self, *, known: int, found: int) -> None:
        super().__init__(expected=f"bundle format {known}", found=f"format {found}")


class UnexpectedFileError(BundleRefusedError):
    """Refuse a directory that holds, or a manifest that names, what no bundle has."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(
            expected="only plain .json, .txt and .md files that the manifest lists",
            found=f"{name[:80]!r} ({why})",
        )


class MissingFileError(BundleRefusedError):
    """Refuse a bundle without a file that it lists or needs."""

    def __init__(self, name: str) -> None:
        super().__init__(expected=f"{name} in the bundle", found="none")


class TooLargeError(BundleRefusedError):
    """Refuse a file beyond the size that serving will read."""

    def __init__(self, name: str, *, limit: int, found: int) -> None:
        super().__init__(expected=f"{name} of at most {limit} bytes", found=f"{found} bytes")


class DigestMismatchError(BundleRefusedError):
    """Refuse a file whose bytes aren't those the manifest was written for."""

    def __init__(self, name: str, *, expected: str, found: str) -> None:
        super().__init__(
            expected=f"{name} with SHA-256 {expected[:16]}…", found=f"SHA-256 {found[:16]}…"
        )


class SignatureRefusedError(BundleRefusedError):
    """Refuse a bundle that the configured key's owner hasn't signed."""

    def __init__(self, key: str, found: str) -> None:
        super().__init__(
            expected=f"manifest.sig by the key {key}",
            found=found,
            way_out="Sign it with `xuanpin bundle sign`, if it is yours; else don't use it.",
        )


class KeyRefusedError(ArtefactError):
    """Refuse a file that holds no key to sign or check with."""

    def __init__(self, path: Path, found: str) -> None:
        super().__init__(
            expected=f"an Ed25519 key for bundles at {escape(path.name)}",
            found=found,
            way_out="`xuanpin bundle keygen --out DIR` makes a pair.",
        )


class BrokenFileError(BundleRefusedError):
    """Refuse a file whose content isn't of its declared form."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(expected=f"{name} in the bundle's form", found=why[:300])


class CatalogueMismatchError(BundleRefusedError):
    """Refuse an artefact made for other features than the program's."""

    def __init__(self, what: str, *, expected: str, found: str) -> None:
        super().__init__(
            expected=f"a {what} made for catalogue {expected[:16]}…",
            found=f"catalogue {found[:16]}…",
            way_out="Train and materialise again with this version: `xuanpin run`.",
        )


class HorizonsMismatchError(BundleRefusedError):
    """Refuse a bundle and a snapshot that look ahead by different lengths."""

    def __init__(self, *, bundle: str, snapshot: str) -> None:
        super().__init__(
            expected=f"a snapshot with the bundle's horizons ({bundle})",
            found=snapshot,
            way_out="Materialise and train with one configuration: `xuanpin run`.",
        )


class CanaryError(BundleRefusedError):
    """Refuse a bundle that kills a child process or answers otherwise than when written."""

    def __init__(self, found: str) -> None:
        super().__init__(expected="the answers of canary.json", found=found[:300])


class InvalidPredictionError(BundleRefusedError):
    """Refuse to answer when a model yields what no share can be."""

    def __init__(self, target: str, rows: int) -> None:
        super().__init__(
            expected=f"finite {target} predictions in [0, 1]",
            found=f"{rows} rows outside",
            way_out="Go back to the bundle before and report this one.",
        )
