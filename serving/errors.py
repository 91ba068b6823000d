"""Refusals of bundles, snapshots and keys: one class a failure, each built from facts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from features.runtime.errors import ArtefactError
from features.runtime.text import escape, escape_path

MAX_NAME: Final = 80
MAX_REASON: Final = 300

_MAKE_ANOTHER: Final = "Make a new bundle with `xuanpin run`; earlier bundles stay usable."


class BundleRefusedError(ArtefactError):
    """Refuse a bundle; subclasses say why."""

    def __init__(self, problem: str, hint: str = _MAKE_ANOTHER) -> None:
        super().__init__(problem=problem, hint=hint)


class NotABundleError(BundleRefusedError):
    """Refuse a path that isn't a plain directory with a manifest."""

    def __init__(self, directory: Path, reason: str) -> None:
        super().__init__(
            f"The path {escape(directory.name)} is not a bundle: {reason}.",
            "Name a bundle directory that `xuanpin run` wrote.",
        )


class NewerFormatError(BundleRefusedError):
    """Refuse a bundle in a format that this version doesn't know yet."""

    def __init__(self, *, known: int, actual: int) -> None:
        super().__init__(
            f"The bundle has format {actual}; this version of xuanpin reads format {known}.",
            "Install the version of xuanpin that wrote it, or make a new bundle with "
            "`xuanpin run`.",
        )


class OlderFormatError(BundleRefusedError):
    """Refuse a bundle in an earlier format, whose files mean something else.

    `changes` names what each later format changed, one sentence a format.
    """

    def __init__(self, *, known: int, actual: int, changes: Sequence[str]) -> None:
        super().__init__(
            f"The bundle has format {actual}; this version of xuanpin reads format {known}. "
            f"{' '.join(changes)}",
            "Make a new bundle with `xuanpin run`; an old one can't be converted.",
        )


class UnexpectedFileError(BundleRefusedError):
    """Refuse a file in the directory, or a name in the manifest, that no bundle has."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"The bundle can't have the file {name[:MAX_NAME]!r}: {reason}.")


class MissingFileError(BundleRefusedError):
    """Refuse a bundle without a file that it lists or needs."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The bundle has no file {name}.")


class TooLargeError(BundleRefusedError):
    """Refuse a file beyond the size that serving reads."""

    def __init__(self, name: str, *, limit: int, actual: int) -> None:
        super().__init__(f"The size of {name} is {actual:,} bytes; at most {limit:,} are allowed.")


class DigestMismatchError(BundleRefusedError):
    """Refuse a file whose bytes aren't those that the manifest was written for."""

    def __init__(self, name: str, *, expected: str, actual: str) -> None:
        super().__init__(
            f"The file {name} has changed since the bundle was written: the manifest has the "
            f"SHA-256 {expected[:16]}…, the file {actual[:16]}…."
        )


class SignatureRefusedError(BundleRefusedError):
    """Refuse a bundle that the configured key's owner hasn't signed."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(
            f"The bundle is not signed with the key {key}: {reason}.",
            "Sign it with `xuanpin bundle sign` if you made it; otherwise don't use it.",
        )


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
            problem=f"The key {escape(path.name)} exists already and is not overwritten.",
            hint="Choose another --out.",
        )


class BrokenFileError(BundleRefusedError):
    """Refuse a file, or a part of a model, whose content isn't of its declared form."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"The bundle has a fault in {name}: {_bound(reason)}.")


class CatalogueMismatchError(BundleRefusedError):
    """Refuse an artefact that was made for other features than the program's."""

    def __init__(self, artefact: str, *, expected: str, actual: str) -> None:
        super().__init__(
            f"The {artefact} was made for another feature catalogue ({actual[:16]}…) than this "
            f"program's ({expected[:16]}…).",
            "Train and materialise again with this version: `xuanpin run`.",
        )


class HorizonsMismatchError(BundleRefusedError):
    """Refuse a bundle and a snapshot that look ahead over different numbers of days."""

    def __init__(self, *, bundle: str, snapshot: str) -> None:
        super().__init__(
            f"The bundle and the snapshot have different horizons in days: {bundle} in the "
            f"bundle, {snapshot} in the snapshot.",
            "Materialise and train with one configuration: `xuanpin run`.",
        )


class CanaryError(BundleRefusedError):
    """Refuse a bundle that kills a child process or doesn't repeat its canary's answers."""

    def __init__(self, reason: str) -> None:
        self.reason = _bound(reason)
        super().__init__(f"The bundle fails its canary test: {self.reason}.")


class InvalidPredictionError(BundleRefusedError):
    """Refuse to answer when a model gives a value that can't be a share."""

    def __init__(self, target: str, rows: int) -> None:
        super().__init__(
            f"The model of {target} gives {rows:,} row{'' if rows == 1 else 's'} a prediction "
            "that is not a finite number in [0, 1].",
            "Serve an earlier bundle, and report this one.",
        )


def _bound(text: str) -> str:
    """Return text of a bounded length without control characters or a final full stop."""
    printable = text if text.isprintable() else ascii(text)[1:-1]
    return printable[:MAX_REASON].rstrip(". ")
