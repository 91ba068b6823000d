"""Add cold-start rows: copies of rows with the history of the listing or the product masked.

A candidate isn't listed yet, and its product may never have been sold. But every training row has a
listing. So each listing's first row is copied twice: once with the listing's features masked, and
once with the product's features masked too. A masked feature has the value that a look-up of an
unknown key gives. The outcome stays, and so do supplier, category, creator and market.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
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


@dataclass(frozen=True)
class _MaskedCopies:
    """The rows to copy, the mask of the copies, and the columns of the copies."""

    rows: IntArray
    masked: Masked
    columns: Mapping[str, FloatArray]


def add_cold_start_copies(training_set: TrainingSet, catalogue: Catalogue) -> TrainingSet:
    """Return the training set with masked copies of first rows appended to its unchanged rows.

    `TrainingSet.masked` marks the copies.
    """
    first = first_rows(training_set)
    extended = training_set
    for masked in MASKED_LEVELS:
        columns = mask_columns(training_set.columns, first, masked, catalogue)
        copies = _MaskedCopies(first, masked, columns)
        extended = _append_copies(extended, training_set, copies)
    return extended


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


def _append_copies(base: TrainingSet, source: TrainingSet, copies: _MaskedCopies) -> TrainingSet:
    """Return `base` with copies of rows of `source` after its rows."""
    rows = copies.rows
    return replace(
        base,
        columns={
            name: np.concatenate([base.columns[name], column])
            for name, column in copies.columns.items()
        },
        as_of_day=np.concatenate([base.as_of_day, source.as_of_day[rows]]),
        keys={
            name: EncodedColumn(
                np.concatenate([base.keys[name].codes, encoded.codes[rows]]), encoded.names
            )
            for name, encoded in source.keys.items()
        },
        outcomes={
            target: TargetOutcome(
                np.concatenate([base.outcomes[target].label, outcome.label[rows]]),
                np.concatenate([base.outcomes[target].weight, outcome.weight[rows]]),
                np.concatenate([base.outcomes[target].is_mature, outcome.is_mature[rows]]),
            )
            for target, outcome in source.outcomes.items()
        },
        masked=np.concatenate([base.masked, np.full(rows.size, copies.masked, np.int64)]),
    )
