"""Rows that know less: what was known of each listing before it was one.

A candidate isn't listed yet, and its product may never have been sold. Training rows all have a
listing, so each listing's first row is copied with the features of the listing itself hidden, and
once more with those of the product hidden too. Hidden features have the values that a look-up of
an unknown key gives; the outcome stays, and so do supplier, category, creator and market.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

import numpy as np

from features.catalogue import Catalogue
from features.declarations import FloatArray
from features.interpreter import COUNTING
from features.levels import Level
from serving.cells import BoolArray
from training.training_set import Coded, IntArray, Outcome, TrainingSet

AGE: Final = "days_since_listed"
FIRST_DAYS: Final = 1
"""A listing's first row is at the first midnight: it knows at most a day."""


class Hidden(IntEnum):
    """What a row doesn't know, from nothing on."""

    NOTHING = 0
    LISTING = 1
    """As a candidate of a product that is known: not listed yet."""
    PRODUCT = 2
    """As a candidate of a product that isn't known either."""


HIDDEN_LEVELS: Final = {
    Hidden.LISTING: (Level.LISTING,),
    Hidden.PRODUCT: (Level.LISTING, Level.PRODUCT),
}


@dataclass(frozen=True)
class _Copying:
    """Which rows are copied, and what their copies don't know."""

    rows: IntArray
    hidden: Hidden
    features: frozenset[str]
    counted: frozenset[str]


def with_hidden_histories(training_set: TrainingSet, catalogue: Catalogue) -> TrainingSet:
    """Return a training set with copies of first rows after its own rows, which stay as they are.

    `TrainingSet.hidden` tells the copies apart.
    """
    first = first_rows(training_set)
    whole = training_set
    for hidden, levels in HIDDEN_LEVELS.items():
        features = [feature for level in levels for feature in catalogue.at(level)]
        counted = [feature.name for feature in features if isinstance(feature, COUNTING)]
        names = frozenset(feature.name for feature in features)
        whole = _extended(training_set, whole, _Copying(first, hidden, names, frozenset(counted)))
    return whole


def first_rows(training_set: TrainingSet) -> IntArray:
    """Return the positions of rows at the first midnight of their listing, at most one each.

    Of listings that went live before the data begin there is none.
    """
    young = np.flatnonzero(training_set.columns[AGE] <= FIRST_DAYS)
    listing = training_set.keys["listing_id"].codes[young]
    order = np.lexsort((training_set.as_of_day[young], listing))
    _, firsts = np.unique(listing[order], return_index=True)
    return np.sort(young[order][firsts])


def is_whole(training_set: TrainingSet, rows: IntArray) -> BoolArray:
    """Tell of each of some rows whether nothing is hidden from it."""
    return np.asarray(training_set.hidden[rows] == Hidden.NOTHING)


def _extended(source: TrainingSet, whole: TrainingSet, copying: _Copying) -> TrainingSet:
    rows = copying.rows
    return replace(
        whole,
        columns={
            name: np.concatenate([whole.columns[name], _copied(name, column, copying)])
            for name, column in source.columns.items()
        },
        as_of_day=np.concatenate([whole.as_of_day, source.as_of_day[rows]]),
        keys={
            name: Coded(np.concatenate([whole.keys[name].codes, coded.codes[rows]]), coded.names)
            for name, coded in source.keys.items()
        },
        outcomes={
            target: Outcome(
                np.concatenate([whole.outcomes[target].label, outcome.label[rows]]),
                np.concatenate([whole.outcomes[target].weight, outcome.weight[rows]]),
                np.concatenate([whole.outcomes[target].is_mature, outcome.is_mature[rows]]),
            )
            for target, outcome in source.outcomes.items()
        },
        hidden=np.concatenate([whole.hidden, np.full(rows.size, copying.hidden, np.int64)]),
    )


def _copied(name: str, column: FloatArray, copying: _Copying) -> FloatArray:
    """Return a column's values for the copies: what an unknown key has where it is hidden."""
    if name not in copying.features:
        return column[copying.rows]
    # What is counted is null only where the table is absent, and then in every row.
    is_counted = name in copying.counted and not np.isnan(column).all()
    return np.full(copying.rows.size, 0.0 if is_counted else np.nan)
