"""Where the decision log lies, its limits, and how it fares."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from features.runtime.atomic import PRIVATE_DIRECTORY
from features.runtime.refusals import raise_storage_errors


@dataclass(frozen=True, kw_only=True)
class LogSettings:
    """The log_… settings of section [serving] (serving/api/settings.py)."""

    directory: Path
    on_full: Literal["stop", "drop"] = "stop"
    rotate_seconds: float = 30.0
    rotate_rows: int = 20_000
    queue_rows: int = 20_000
    keep_days: int = 90


@dataclass
class LogStatus:
    """How a worker's log fares; its writer sets it, metrics may read it."""

    rows_written: int = 0
    is_failing: bool = False
    """Whether the disk refused the latest attempt to write."""


def prepare_log(root: Path) -> None:
    """Make the log's directory, which its owner alone may open, unless it exists.

    Raises:
        StorageError: the disk refuses.
    """
    with raise_storage_errors():
        root.parent.mkdir(parents=True, exist_ok=True)
        root.mkdir(PRIVATE_DIRECTORY, exist_ok=True)
