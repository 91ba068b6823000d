"""Errors of features/validation as they are printed."""

from __future__ import annotations

from pathlib import Path

from features.runtime.errors import XuanpinError
from features.validation.validated_files import NotValidatedError, OtherTableError

SENTENCES: list[tuple[XuanpinError, str]] = [
    (
        NotValidatedError(Path("var/validated"), "report.json"),
        (
            "The directory var/validated is no validated data set: it has no valid report.json. "
            "Write one with `xuanpin check DIR --out VALIDATED`."
        ),
    ),
    (
        OtherTableError(
            Path("validated/orders.parquet"), "column 5 is units (double), not units (int64)"
        ),
        (
            "The file orders.parquet isn't as `xuanpin check --out` writes it: column 5 is "
            "units (double), not units (int64). "
            "Write the whole directory again with `xuanpin check DIR --out VALIDATED`."
        ),
    ),
]
