"""The usual listings of a market, against which an explanation compares a candidate."""

from __future__ import annotations

import msgspec

from features.declarations.targets import Target


class UsualListing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is usual among some of the latest decisions that the models learned from."""

    values: list[float | None]
    """The median of each model input, in the design matrix's order; null if it is never known. Of
    the lot it is the geometric mean."""
    parts: dict[Target, list[float]]
    """Target to the mean part of its margin that each model input has."""


class UsualListings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The usual listings of a market: those with a history of their own, and those without."""

    listed: UsualListing
    new: UsualListing


class UsualOfMarkets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The usual listings of each market, and those of all markets for any other."""

    all_markets: UsualListings
    markets: dict[str, UsualListings]

    def of_market(self, market: str) -> UsualListings:
        """Return the usual listings that candidates of a market are compared with."""
        return self.markets.get(market, self.all_markets)
