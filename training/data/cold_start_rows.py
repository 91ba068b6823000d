"""Rows that know less: what was known of each listing before it was one.

A candidate isn't listed yet, and its product may never have been sold. Training rows all have a
listing, so each listing's first row is copied with the features of the listing itself hidden, and
once more with those of the product hidden too. Masked features have the values that a look-up of
an unknown key gives; the outcome stays, and so do supplier, category, creator and market.
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
"""A listing's first row is at the first midnight: it knows at most a day."""


class Masked(IntEnum):
    """What a row doesn't know, from nothing on."""

    NOTHING = 0
    LISTING = 1
    """As a candidate of a product that is known: not listed yet."""
    PRODUCT = 2
    """As a candidate of a product that isn't known either."""


MASKED_LEVELS: Final = {
    Masked.LISTING: (Level.LISTING,),
    Masked.PRODUCT: (Level.LISTING, Level.PRODUCT),
}


@dataclass(frozen=True)
class _MaskedCopies:
    """Which rows are copied, what their copies don't know, and what they hold instead."""

    rows: IntArray
    masked: Masked
    columns: Mapping[str, FloatArray]


def add_cold_start_copies(training_set: TrainingSet, catalogue: Catalogue) -> TrainingSet:
    """Return a training set with copies of first rows after its own rows, which stay as they are.

    `TrainingSet.hidden` tells the copies apart.
    """
    first = first_rows(training_set)
    whole = training_set
    for masked in MASKED_LEVELS:
        columns = mask_columns(training_set.columns, first, masked, catalogue)
        whole = _append_copies(training_set, whole, _MaskedCopies(first, masked, columns))
    return whole


def mask_columns(
    columns: Mapping[str, FloatArray], rows: IntArray, masked: Masked, catalogue: Catalogue
) -> dict[str, FloatArray]:
    """Return the columns of copies of some rows; what is hidden is as of an unknown key.

    `columns` may hold any rows of the training set, but some: a part of it gives the same copies.
    """
    levels = MASKED_LEVELS.get(masked, ())
    features = {feature.name: feature for level in levels for feature in catalogue.at_level(level)}
    counted = {name for name, feature in features.items() if isinstance(feature, COUNT_KINDS)}
    copies = {}
    for name, column in columns.items():
        # What is counted is null only where the table is absent, and then in every row.
        is_counted = name in counted and not np.isnan(column).all()
        unknown = np.full(rows.size, 0.0 if is_counted else np.nan)
        copies[name] = unknown if name in features else column[rows]
    return copies


def first_rows(training_set: TrainingSet) -> IntArray:
    """Return the positions of rows at the first midnight of their listing, at most one each.

    Of listings that went live before the data begin there is none.
    """
    young = np.flatnonzero(training_set.columns[AGE] <= FIRST_DAYS)
    listing = training_set.keys["listing_id"].codes[young]
    order = np.lexsort((training_set.as_of_day[young], listing))
    _, firsts = np.unique(listing[order], return_index=True)
    return np.sort(young[order][firsts])


def has_full_history(training_set: TrainingSet, rows: IntArray) -> BoolArray:
    """Tell of each of some rows whether nothing is hidden from it."""
    return np.asarray(training_set.masked[rows] == Masked.NOTHING)


def origin_rows(training_set: TrainingSet) -> IntArray:
    """Return the row that each row is a copy of, its own position where it is none."""
    first = first_rows(training_set)  # a copy has no age, so none is among them
    found = np.arange(training_set.masked.size)
    for masked in MASKED_LEVELS:
        found[training_set.masked == masked] = first
    return found


def _append_copies(source: TrainingSet, whole: TrainingSet, copying: _MaskedCopies) -> TrainingSet:
    rows = copying.rows
    return replace(
        whole,
        columns={
            name: np.concatenate([whole.columns[name], column])
            for name, column in copying.columns.items()
        },
        as_of_day=np.concatenate([whole.as_of_day, source.as_of_day[rows]]),
        keys={
            name: EncodedColumn(
                np.concatenate([whole.keys[name].codes, coded.codes[rows]]), coded.names
            )
            for name, coded in source.keys.items()
        },
        outcomes={
            target: TargetOutcome(
                np.concatenate([whole.outcomes[target].label, outcome.label[rows]]),
                np.concatenate([whole.outcomes[target].weight, outcome.weight[rows]]),
                np.concatenate([whole.outcomes[target].is_mature, outcome.is_mature[rows]]),
            )
            for target, outcome in source.outcomes.items()
        },
        masked=np.concatenate([whole.masked, np.full(rows.size, copying.masked, np.int64)]),
    )
