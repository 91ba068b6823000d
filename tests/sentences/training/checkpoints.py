from __future__ import annotations

from pathlib import Path

from features.runtime.errors import XuanpinError
from training.checkpoints.run_lock import RunInUseError

SENTENCES: list[tuple[XuanpinError, str]] = [
    (
        RunInUseError(Path("var/run"), "4711"),
        "Process 4711 is already training in var/run. Wait for it, or choose another --out.",
    ),
    (
        RunInUseError(Path("var/run"), ""),
        "Another process is already training in var/run. Wait for it, or choose another --out.",
    ),
]
