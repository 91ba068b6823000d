"""Matching cancellations to the purchases that they undo."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import pandas as pd

from features.importers.online_retail.fates import Reason, quarantine_reason

NO_PURCHASE: Final = quarantine_reason(
    "cancellation_without_purchase", "the customer bought none of the product before"
)
TOO_MANY: Final = quarantine_reason(
    "cancellation_exceeds_purchases", "more units than the customer had left of the product"
)
_KEY: Final = ["customer", "product_id"]
_COLUMNS: Final = [*_KEY, "event_time", "row_number", "units", "is_cancellation"]


class Line(NamedTuple):
    """A purchase or a cancellation of one product by one customer."""

    row_number: int
    units: int


class Return(NamedTuple):
    """Units of a purchase that a cancellation takes back; both by their row in the source."""

    purchase: int
    cancellation: int
    units: int


@dataclass
class Holdings:
    """What one customer has left of one product: purchases, the latest on top."""

    left: list[Line] = field(default_factory=list)
    has_bought: bool = False

    def buy(self, purchase: Line) -> None:
        """Put a purchase on top."""
        self.left.append(purchase)
        self.has_bought = True

    def take_back(self, cancellation: Line) -> Iterator[Return]:
        """Take units from the top down; the caller has checked that there are enough."""
        missing = cancellation.units
        while missing:
            row_number, units = self.left.pop()
            taken = min(units, missing)
            if taken < units:
                self.left.append(Line(row_number, units - taken))
            missing -= taken
            yield Return(row_number, cancellation.row_number, taken)

    @property
    def units(self) -> int:
        """Return how many units are left to take back."""
        return sum(purchase.units for purchase in self.left)


@dataclass(frozen=True)
class Matches:
    """What matching found: `returns`, and the reason for each cancellation refused, by row."""

    returns: list[Return]
    refused: dict[int, Reason]


def match_cancellations(lines: pd.DataFrame) -> Matches:
    """Match each cancellation to earlier purchases of the same customer and product.

    The latest purchase before the cancellation comes first, then the one before it, until all
    units are found. Earlier means at an earlier time: within one minute nobody can tell which
    came first. No purchase is taken back beyond its units, counted over all cancellations; these
    are matched in the order of time, so that none depends on a later one. A cancellation that
    can't be matched in full is refused as a whole.
    """
    matches = Matches([], {})
    holdings: dict[tuple[str, str], Holdings] = {}
    for customer, product_id, _, row_number, units, is_cancellation in _sort_lines(lines):
        held = holdings.setdefault((customer, product_id), Holdings())
        if is_cancellation:
            _match_cancellation(held, Line(row_number, -units), matches)
        else:
            held.buy(Line(row_number, units))
    return matches


def _sort_lines(lines: pd.DataFrame) -> Iterator[tuple[str, str, pd.Timestamp, int, int, bool]]:
    cancelled = lines.loc[lines["is_cancellation"], _KEY].drop_duplicates()
    concerned = lines[_COLUMNS].merge(cancelled, on=_KEY)
    # At the same time cancellations go first: what is bought then isn't earlier.
    order = ["event_time", "is_cancellation", "row_number"]
    ordered = concerned.sort_values(order, ascending=[True, False, True])
    return zip(*(ordered[name].tolist() for name in _COLUMNS), strict=True)


def _match_cancellation(held: Holdings, cancellation: Line, matches: Matches) -> None:
    if not held.has_bought:
        matches.refused[cancellation.row_number] = NO_PURCHASE
    elif held.units < cancellation.units:
        matches.refused[cancellation.row_number] = TOO_MANY
    else:
        matches.returns.extend(held.take_back(cancellation))
