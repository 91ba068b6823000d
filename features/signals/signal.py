"""Signal, the declaration of a relation of events, and the keys of its rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import ibis
import ibis.expr.types as ir

from features.dataset.dataset import Dataset
from features.dataset.horizons import Horizons
from features.declarations.levels import LEVEL_KEYS, Level

Keys = tuple[str, ...]
Builder = Callable[[Dataset, Horizons, Keys], ir.Table]

LISTING_SUBJECT: Final[Keys] = ("listing_id",)
LISTING_AND_CREATOR: Final[Keys] = ("listing_id", "creator_id")


@dataclass(frozen=True)
class Signal:
    """A relation of events; its features are null if a table in `needs` is absent.

    `build` makes the rows with the given key columns. Usually the rows of all levels are those of
    the subject, made once. With `is_additive=False` they differ between levels and are made for
    each level: a first-time buyer of a listing may have bought from the same supplier before.
    """

    needs: tuple[str, ...]
    build: Builder
    subject: Keys = LISTING_SUBJECT
    is_additive: bool = True

    def has_level(self, level: Level) -> bool:
        """Return True if the rows have the keys of a level, or can get them from their listing."""
        if set(LEVEL_KEYS[level]) <= set(self.subject):
            return True
        return "listing_id" in self.subject and level is not Level.CREATOR


def add_level_keys(dataset: Dataset, events: ir.Table, keys: Keys) -> ir.Table:
    """Add to events of listings the keys of a level that they lack."""
    if set(keys) <= set(events.columns):
        return events
    return join_level_keys(events, dataset.listing_facts(), keys)


def join_level_keys(events: ir.Table, facts: ir.Table, keys: Keys) -> ir.Table:
    """Add to events of listings the keys that they lack, from the facts of all listings."""
    missing = [key for key in keys if key not in events.columns]
    return events.inner_join(facts.select("listing_id", *missing), "listing_id")


def count_one() -> ir.IntegerScalar:
    """Return the measure of a row that counts: 1."""
    return ibis.literal(1, "int64")


def count_zero() -> ir.IntegerScalar:
    """Return the measure of a row that doesn't count: 0."""
    return ibis.literal(0, "int64")


def indicator(condition: ir.BooleanValue) -> ir.IntegerValue:
    """Return 1 where a condition is true, and 0 where it is false or null."""
    return condition.fill_null(False).cast("int64")  # noqa: FBT003 - ibis's own signature
