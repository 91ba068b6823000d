"""Record finished stages of a training, so that a later process reuses their results.

A stage's result lies where it is used. The folder `stages` of the run directory holds a record of
it: the digest of each of its files, and a key of everything that it depends on, the program too. A
record is written after its result is complete and removed before the stage is made again. So
each record is of a complete result, and of the latest one.
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
    """A finished stage: its key, and the digests of its files by their path in the run."""

    key: str
    files: dict[str, str]


@dataclass(frozen=True)
class StageResult:
    """The result of a stage, made now or reused from an earlier process."""

    is_reused: bool
    files: Mapping[str, str]
    """Digests of the files by their path in the run directory."""


@dataclass(frozen=True)
class Checkpoints:
    """The finished stages of a run directory.

    One process at a time may use them. Its threads may too, each with its own stages.
    `code_version` identifies the program (training/checkpoints/code_version.py). Damaged results
    are reported to `progress`.
    """

    run: Path
    code_version: Mapping[str, object]
    progress: Callable[[str], None]

    def run_stage(
        self, stage: str, facts: Mapping[str, object], result: Path, make: Callable[[], object]
    ) -> StageResult:
        """Make a stage's result, or reuse an undamaged one of the same program and facts.

        `facts` holds everything that the result depends on, as JSON values. `make` replaces
        `result`, a file or directory in the run directory, completely or not at all.

        Raises:
            StorageError: the disk can't be read or written.
        """
        key = sha256_hex(
            canonical_json({"program": self.code_version, "stage": stage, "facts": facts})
        )
        path = self.run / STAGES / f"{stage}.json"
        with raise_storage_errors():
            record = self._read_record(path)
            if record is not None and record.key == key:
                if _digests(self.run, result) == record.files:
                    return StageResult(is_reused=True, files=record.files)
                self.progress(f"{stage}: the result is damaged and is made again")
            path.unlink(missing_ok=True)
        make()
        with raise_storage_errors():
            files = _digests(self.run, result)
        replace_file(path, canonical_json(StageRecord(key, files)))
        return StageResult(is_reused=False, files=files)

    def _read_record(self, path: Path) -> StageRecord | None:
        try:
            return msgspec.json.decode(path.read_bytes(), type=StageRecord)
        except FileNotFoundError:
            return None
        except (msgspec.DecodeError, UnicodeDecodeError):
            self.progress(f"{path.name}: the record is damaged, so the stage is made again")
            return None


def _digests(run: Path, result: Path) -> dict[str, str]:
    """Return the digest of a file, or of each file in a directory; empty if `result` is missing."""
    files = sorted(path for path in result.rglob("*") if path.is_file())
    if result.is_file():
        files = [result]
    return {path.relative_to(run).as_posix(): file_digest(path) for path in files}


def file_digest(path: Path) -> str:
    """Return a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
