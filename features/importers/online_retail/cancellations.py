"""Match cancellations to the purchases that they undo."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import pandas as pd

from features.importers.online_retail.reasons import Reason, quarantine_reason

NO_PURCHASE: Final = quarantine_reason(
    "cancellation_without_purchase", "the customer didn't buy the product before"
)
TOO_MANY: Final = quarantine_reason(
    "cancellation_exceeds_purchases", "more units than the customer still had of the product"
)
_KEY: Final = ["customer", "product_id"]
_COLUMNS: Final = [*_KEY, "event_time", "row_number", "units", "is_cancellation"]


class Line(NamedTuple):
    """A purchase or a cancellation of one product by one customer; `units` is positive."""

    row_number: int
    units: int


class Return(NamedTuple):
    """Units of a purchase that a cancellation takes back; both are row numbers of the source."""

    purchase: int
    cancellation: int
    units: int


@dataclass
class Holdings:
    """One customer's purchases of one product with their remaining units, the latest last."""

    purchases: list[Line] = field(default_factory=list)
    has_bought: bool = False

    def buy(self, purchase: Line) -> None:
        """Add a purchase."""
        self.purchases.append(purchase)
        self.has_bought = True

    def take_back(self, cancellation: Line) -> Iterator[Return]:
        """Take units from the latest purchase backwards; `units` must cover them."""
        missing = cancellation.units
        while missing:
            row_number, units = self.purchases.pop()
            taken = min(units, missing)
            if taken < units:
                self.purchases.append(Line(row_number, units - taken))
            missing -= taken
            yield Return(row_number, cancellation.row_number, taken)

    @property
    def units(self) -> int:
        """Return the number of units that can still be taken back."""
        return sum(purchase.units for purchase in self.purchases)


@dataclass(frozen=True)
class Matches:
    """Matched returns, and the reason of each refused cancellation by its row number."""

    returns: list[Return]
    refused: dict[int, Reason]


def match_cancellations(lines: pd.DataFrame) -> Matches:
    """Match each cancellation to earlier purchases of the same customer and product.

    A cancellation takes units from the latest purchase before it, then from the one before that.
    "Before" means an earlier time: the source has no order within a minute. All cancellations
    together never take more units of a purchase than it has. They are matched in order of time, so
    that none depends on a later one. A cancellation that can't be matched in full is refused.
    """
    matches = Matches([], {})
    holdings: dict[tuple[str, str], Holdings] = {}
    for customer, product_id, _, row_number, units, is_cancellation in _sort_lines(lines):
        holding = holdings.setdefault((customer, product_id), Holdings())
        if is_cancellation:
            _match_cancellation(holding, Line(row_number, -units), matches)
        else:
            holding.buy(Line(row_number, units))
    return matches


def _sort_lines(lines: pd.DataFrame) -> Iterator[tuple[str, str, pd.Timestamp, int, int, bool]]:
    cancelled = lines.loc[lines["is_cancellation"], _KEY].drop_duplicates()
    affected = lines[_COLUMNS].merge(cancelled, on=_KEY)
    # At equal times cancellations come first: a purchase of the same time isn't earlier.
    order = ["event_time", "is_cancellation", "row_number"]
    ordered = affected.sort_values(order, ascending=[True, False, True])
    return zip(*(ordered[name].tolist() for name in _COLUMNS), strict=True)


def _match_cancellation(holding: Holdings, cancellation: Line, matches: Matches) -> None:
    if not holding.has_bought:
        matches.refused[cancellation.row_number] = NO_PURCHASE
    elif holding.units < cancellation.units:
        matches.refused[cancellation.row_number] = TOO_MANY
    else:
        matches.returns.extend(holding.take_back(cancellation))
