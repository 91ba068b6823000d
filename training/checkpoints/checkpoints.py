"""Checkpoints: finished stages of a training, for a later process to go on from.

A stage's result lies where it is used; `stages/` of the run directory holds a record of it: the
key of everything that it depends on, the program included, and the digest of each of its files. A
record is written after the result and removed before the next one is made, so that there is a
record of whole results only, and of the latest one of each stage.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from features.runtime.atomic import replace_file
from features.runtime.refusals import raise_storage_errors
from serving.bundle.manifest import canonical_json, sha256_hex

STAGES: Final = "stages"


class StageRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a finished stage depends on, and the digests of its files by their path in the run."""

    key: str
    files: dict[str, str]


@dataclass(frozen=True)
class StageResult:
    """A stage that is finished: by an earlier process or just now, and with which result."""

    is_reused: bool
    files: Mapping[str, str]
    """Digests of the result's files by their path in the run directory."""


@dataclass(frozen=True)
class Checkpoints:
    """The finished stages of a run directory; one process at a time may use them.

    Threads may, each with stages of its own. `code_version` says which program it is that makes
    them (training/checkpoints/code_version.py); `progress` is told of what was damaged.
    """

    run: Path
    code_version: Mapping[str, object]
    progress: Callable[[str], None]

    def run_stage(
        self, stage: str, facts: Mapping[str, object], result: Path, make: Callable[[], object]
    ) -> StageResult:
        """Make a stage's result, unless one of the same program and facts is there, undamaged.

        `facts` is all that it depends on, as JSON can hold it; `result` the file or
        directory in the run directory that `make` leaves behind, whole or not at all, in place of
        whatever is there.

        Raises:
            StorageError: the disk refuses.
        """
        key = sha256_hex(
            canonical_json({"program": self.code_version, "stage": stage, "facts": facts})
        )
        place = self.run / STAGES / f"{stage}.json"
        with raise_storage_errors():
            record = self._record(place)
            if record is not None and record.key == key:
                if _digests(self.run, result) == record.files:
                    return StageResult(is_reused=True, files=record.files)
                self.progress(f"{stage}: damaged since it was made, so made again")
            place.unlink(missing_ok=True)
        make()
        with raise_storage_errors():
            files = _digests(self.run, result)
        replace_file(place, canonical_json(StageRecord(key, files)))
        return StageResult(is_reused=False, files=files)

    def _record(self, place: Path) -> StageRecord | None:
        try:
            return msgspec.json.decode(place.read_bytes(), type=StageRecord)
        except FileNotFoundError:
            return None
        except (msgspec.DecodeError, UnicodeDecodeError):
            self.progress(f"{place.name}: damaged, so the stage is made again")
            return None


def _digests(run: Path, result: Path) -> dict[str, str]:
    """Return the digest of a file, or of every file of a directory; nothing where nothing is."""
    files = sorted(path for path in result.rglob("*") if path.is_file())
    if result.is_file():
        files = [result]
    return {path.relative_to(run).as_posix(): file_digest(path) for path in files}


def file_digest(path: Path) -> str:
    """Return a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
