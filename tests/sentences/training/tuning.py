from __future__ import annotations

import sqlite3
from pathlib import Path

from features.runtime.errors import XuanpinError
from training.tuning.trials import TrialsRefusedError

SENTENCES: list[tuple[XuanpinError, str]] = [
    (
        TrialsRefusedError(Path("tuning.db"), sqlite3.OperationalError("database is locked")),
        (
            "The database of trials tuning.db can't be used: database is locked. Free some disk "
            "space, mend the file's permissions, or remove it to search again."
        ),
    ),
]
