"""Refusals of bundles and snapshots: one class a failure, each built from facts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final

from features.runtime.errors import ArtefactError
from features.runtime.text import escape_path, join_names

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
            f"The path {escape_path(directory)} is not a bundle: {reason}.",
            "Name a bundle directory that `xuanpin run` wrote.",
        )


class WrongIdError(BundleRefusedError):
    """Refuse a bundle whose directory isn't named after its manifest."""

    def __init__(self, directory: Path, bundle_id: str) -> None:
        super().__init__(
            f"The directory {escape_path(directory)} doesn't have the name {bundle_id}, which its "
            "manifest.json gives a bundle: the file was changed, or the directory was renamed.",
            f"If you renamed or copied it, name it {bundle_id}; otherwise make a new bundle with "
            "`xuanpin run`.",
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


class MarketsMismatchError(BundleRefusedError):
    """Refuse a snapshot of other data: no market of it is one that the bundle learned from."""

    def __init__(self, *, bundle: Sequence[str], snapshot: Sequence[str]) -> None:
        super().__init__(
            f"The bundle learned from the markets {join_names(bundle)}; the snapshot has only "
            f"{join_names(snapshot)}.",
            "Materialise the data that the bundle was trained on: `xuanpin features materialise`.",
        )


class TooFarApartError(BundleRefusedError):
    """Refuse a bundle and a snapshot whose data end further apart than the settings allow."""

    def __init__(self, *, bundle: date, snapshot: date, allowed: int) -> None:
        late = (snapshot - bundle).days
        super().__init__(
            f"The snapshot of {snapshot} is {abs(late):,} days "
            f"{'after' if late > 0 else 'before'} {bundle}, where the bundle's data end; "
            f"serving.max_snapshot_age_days allows {allowed:,}.",
            "Train again with `xuanpin run`."
            if late > 0
            else "Make a newer snapshot with `xuanpin features materialise`.",
        )


class CanaryError(BundleRefusedError):
    """Refuse a bundle that kills a child process or doesn't repeat its canary's answers."""

    def __init__(self, reason: str) -> None:
        self.reason = _bound(reason)
        super().__init__(f"The bundle fails its canary test: {self.reason}.")


class InvalidPredictionError(BundleRefusedError):
    """Refuse to answer when a model gives a value that isn't a number."""

    def __init__(self, target: str, rows: int) -> None:
        super().__init__(
            f"The model of {target} gives {rows:,} row{'' if rows == 1 else 's'} a prediction "
            "that is not a finite number.",
            "Serve an earlier bundle, and report this one.",
        )


def _bound(text: str) -> str:
    """Return text of a bounded length without control characters or a final full stop."""
    printable = text if text.isprintable() else ascii(text)[1:-1]
    return printable[:MAX_REASON].rstrip(". ")
