"""Add cold-start rows: copies of rows with the history of the listing or the product masked.

A candidate isn't listed yet, and its product may never have been sold. But every training row has a
listing. So each listing's first row is copied twice: once with the listing's features masked, and
once with the product's features masked too. A masked feature has the value that a look-up of an
unknown key gives. The outcome stays, and so do supplier, category, creator and market.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import IntEnum
from typing import Final

import numpy as np

from features.catalogue.catalogue import Catalogue
from features.declarations.kinds import COUNT_KINDS
from features.declarations.levels import Level
from features.runtime.arrays import BoolArray, FloatArray, IntArray
from training.data.training_set import EncodedColumn, TargetOutcome, TrainingSet

AGE: Final = "days_since_listed"
FIRST_DAYS: Final = 1
"""A listing's first row is at its first midnight, so its history is at most one day long."""


class Masked(IntEnum):
    """Which history is masked in a row."""

    NOTHING = 0
    LISTING = 1
    """The listing's, as for a candidate of a known product that isn't listed yet."""
    PRODUCT = 2
    """The listing's and the product's, as for a candidate of an unknown product."""


MASKED_LEVELS: Final = {
    Masked.LISTING: (Level.LISTING,),
    Masked.PRODUCT: (Level.LISTING, Level.PRODUCT),
}


def add_cold_start_copies(training_set: TrainingSet, catalogue: Catalogue) -> TrainingSet:
    """Return the training set with masked copies of first rows appended to its unchanged rows.

    `TrainingSet.masked` marks the copies.
    """
    first = first_rows(training_set)
    copies = [
        mask_columns(training_set.columns, first, masked, catalogue) for masked in MASKED_LEVELS
    ]
    source = np.concatenate([training_set.rows, *(first for _ in MASKED_LEVELS)])
    return replace(
        training_set,
        columns={
            name: np.concatenate([column, *(copy[name] for copy in copies)])
            for name, column in training_set.columns.items()
        },
        as_of_day=training_set.as_of_day[source],
        keys={
            name: EncodedColumn(encoded.codes[source], encoded.names)
            for name, encoded in training_set.keys.items()
        },
        outcomes={
            target: TargetOutcome(
                outcome.label[source], outcome.weight[source], outcome.is_mature[source]
            )
            for target, outcome in training_set.outcomes.items()
        },
        masked=np.concatenate(
            [training_set.masked, np.repeat(np.array(list(MASKED_LEVELS), np.int64), first.size)]
        ),
    )


def mask_columns(
    columns: Mapping[str, FloatArray], rows: IntArray, masked: Masked, catalogue: Catalogue
) -> dict[str, FloatArray]:
    """Return the columns of masked copies of `rows`: masked features are as of an unknown key.

    `columns` must hold at least one row of the training set, and may hold a part of them: a row has
    the same copies then.
    """
    levels = MASKED_LEVELS.get(masked, ())
    features = {feature.name: feature for level in levels for feature in catalogue.at_level(level)}
    counted = {name for name, feature in features.items() if isinstance(feature, COUNT_KINDS)}
    copies = {}
    for name, column in columns.items():
        # A count is null only if its table is absent, and then in every row.
        is_counted = name in counted and not np.isnan(column).all()
        of_unknown_key = np.full(rows.size, 0.0 if is_counted else np.nan)
        copies[name] = of_unknown_key if name in features else column[rows]
    return copies


def first_rows(training_set: TrainingSet) -> IntArray:
    """Return the positions of each listing's row at its first midnight.

    A listing that went live before the data begin has no such row.
    """
    young = np.flatnonzero(training_set.columns[AGE] <= FIRST_DAYS)
    listing = training_set.keys["listing_id"].codes[young]
    order = np.lexsort((training_set.as_of_day[young], listing))
    _, firsts = np.unique(listing[order], return_index=True)
    return np.sort(young[order][firsts])


def has_full_history(training_set: TrainingSet, rows: IntArray) -> BoolArray:
    """Return True for rows in which nothing is masked; shape as `rows`."""
    return np.asarray(training_set.masked[rows] == Masked.NOTHING)


def origin_rows(training_set: TrainingSet) -> IntArray:
    """Return the position of the row that each row copies; rows that copy none are their own."""
    first = first_rows(training_set)  # the age of a copy is masked, so copies aren't among them
    origin = np.arange(training_set.masked.size)
    for masked in MASKED_LEVELS:
        origin[training_set.masked == masked] = first
    return origin
