"""What a signal is, and how its rows get the keys of a level."""

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
    """A relation of events; its features are null where a table it needs is absent.

    `build` makes its rows with the given key columns. The rows of a level are those of its
    subjects, so that they are made only once; where `is_additive` is false they differ from level
    to level (a supplier's first-time buyer may have bought of another listing) and are made anew.
    """

    needs: tuple[str, ...]
    build: Builder
    subject: Keys = LISTING_SUBJECT
    is_additive: bool = True

    def has_level(self, level: Level) -> bool:
        """Tell whether the rows can be told apart by the keys of a level."""
        if set(LEVEL_KEYS[level]) <= set(self.subject):
            return True
        return "listing_id" in self.subject and level is not Level.CREATOR


def add_level_keys(dataset: Dataset, events: ir.Table, keys: Keys) -> ir.Table:
    """Add those keys of a level to events of listings that they don't have yet."""
    if set(keys) <= set(events.columns):
        return events
    return join_level_keys(events, dataset.listing_facts(), keys)


def join_level_keys(events: ir.Table, facts: ir.Table, keys: Keys) -> ir.Table:
    """Add the keys that events of listings lack out of the facts of all listings."""
    missing = [key for key in keys if key not in events.columns]
    return events.inner_join(facts.select("listing_id", *missing), "listing_id")


def count_one() -> ir.IntegerScalar:
    """Return the measure that counts rows."""
    return ibis.literal(1, "int64")


def count_zero() -> ir.IntegerScalar:
    """Return the measure of rows that don't count."""
    return ibis.literal(0, "int64")


def indicator(condition: ir.BooleanValue) -> ir.IntegerValue:
    """Return 1 where a condition holds, and 0 where it doesn't or can't be told."""
    return condition.fill_null(False).cast("int64")  # noqa: FBT003 - ibis's own signature
