"""The closed vocabulary of features: what each kind of declaration means.

A declaration says what a feature is. Base features are facts about a key at a moment, which
features/point_in_time/interpreter.py computes; features/declarations/functions.py computes derived
ones from them. A need that doesn't fit becomes a new kind here, never an optional argument on an
old one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Literal

from features.declarations.levels import Level
from features.declarations.targets import Target
from features.runtime.arrays import FloatArray


class FeatureFamily(StrEnum):
    """What sort of knowledge a feature carries; explanations are grouped by it."""

    DEMAND = "demand"
    RETURNS = "returns"
    REPURCHASE = "repurchase"
    CREATORS = "creator reviews"
    LOCALISATION = "localisation"
    PRICE = "price and value"
    LOGISTICS = "logistics"
    REVIEWS = "buyer reviews"
    SUPPLIER = "supplier"
    MARKET = "market"


class SignalName(StrEnum):
    """The signals that base features read; features/signals/ builds them."""

    ORDERS = "orders"
    RIPE_UNITS = "ripe_units"
    OPEN_UNITS = "open_units"
    RETURNED_PARCELS = "returned_parcels"
    REPURCHASES = "repurchases"
    FIRST_PURCHASES = "first_purchases"
    LOTS = "lots"
    STOCK = "stock"
    LISTING_STARTS = "listing_starts"
    PRICES = "prices"
    LISTING_COSTS = "listing_costs"
    PRODUCT_FACTS = "product_facts"
    VIDEOS = "videos"
    REACH = "reach"
    ENGAGEMENT = "engagement"
    CREATOR_STATS = "creator_stats"
    LOCALISATION = "localisation"
    REQUIREMENTS = "requirements"
    PARCELS = "parcels"
    REVIEWS = "reviews"
    AUDITS = "audits"
    POLICY_EVENTS = "policy_events"


@dataclass(frozen=True, kw_only=True)
class FeatureDeclaration:
    """What every feature says about itself.

    `low` and `high` bound its values (None: no bound); null is always allowed, for history that
    can't be known. `monotone` names the targets the feature can only raise (+1) or lower (-1).
    """

    name: str
    description: str
    unit: str
    family: FeatureFamily
    low: float | None = 0.0
    high: float | None = None
    monotone: tuple[tuple[Target, Literal[-1, 1]], ...] = ()


@dataclass(frozen=True, kw_only=True)
class RequestField(FeatureDeclaration):
    """A number that the decision fixes: only the spine or the request knows it."""


@dataclass(frozen=True, kw_only=True)
class SignalFeature(FeatureDeclaration):
    """What every base feature says about where it comes from."""

    level: Level
    signal: SignalName


@dataclass(frozen=True, kw_only=True)
class Windowed(SignalFeature):
    """The sum of a measure over events with `as_of - days < event_time <= as_of`.

    0 for a key without such events.
    """

    measure: str
    days: int


@dataclass(frozen=True, kw_only=True)
class Lowest(SignalFeature):
    """The least value of a measure over the events of a window, null without any."""

    measure: str
    days: int


@dataclass(frozen=True, kw_only=True)
class Highest(SignalFeature):
    """The greatest value of a measure over the events of a window, null without any."""

    measure: str
    days: int


@dataclass(frozen=True, kw_only=True)
class Quantile(SignalFeature):
    """The least value that at least `share` of a window's known values don't exceed.

    Null without any known value. It is always a value that occurred, so that engines agree.
    """

    measure: str
    days: int
    share: float


@dataclass(frozen=True, kw_only=True)
class Distinct(SignalFeature):
    """How many different values a column has over the events of a window; null values don't count.

    0 for a key without such events.
    """

    column: str
    days: int


@dataclass(frozen=True, kw_only=True)
class LargestShare(SignalFeature):
    """The share of a measure's sum over a window that falls to the value of a column with most.

    Events without a value of the column fall to nobody but count in the sum. Null where the sum
    is 0.
    """

    measure: str
    column: str
    days: int


@dataclass(frozen=True, kw_only=True)
class Latest(SignalFeature):
    """The known value of a measure in the event that happened last, null without any.

    Of events at the same time the one known last counts, and of those the larger value.
    """

    measure: str


@dataclass(frozen=True, kw_only=True)
class Elapsed(SignalFeature):
    """Whole days from the last event with a positive measure to `as_of`, null without any."""

    measure: str


@dataclass(frozen=True, kw_only=True)
class Age(SignalFeature):
    """Whole days from the first event with a positive measure to `as_of`, null without any."""

    measure: str


@dataclass(frozen=True, kw_only=True)
class InForce(SignalFeature):
    """How many attributes that begin with `prefix` are required at `as_of`.

    A requirement is in force when it is known, has begun and has not ended. 0 without any.
    """

    prefix: str


@dataclass(frozen=True, kw_only=True)
class Required(SignalFeature):
    """1 where an attribute is required at `as_of`, as `InForce` counts them, and 0 elsewhere."""

    attribute: str


@dataclass(frozen=True, kw_only=True)
class Fulfilled(SignalFeature):
    """How many of the attributes that `InForce` counts a listing fully meets.

    It does where the value of the attribute that was set last, as known at `as_of`, is 1.
    """

    prefix: str
    states: SignalName


@dataclass(frozen=True, kw_only=True)
class Derived(FeatureDeclaration):
    """A pure numpy function of other features and request fields, row by row.

    `function` receives one float64 array per input, then one per parameter and one per constant,
    that broadcast together: features that share a function are computed in one call, as (features,
    rows) with parameters and constants as (features, 1). Parameters are learned in training and
    travel in the bundle; constants tell features of one function apart. It uses elementary
    arithmetic only, so that no value can depend on what stands beside it.
    """

    inputs: tuple[str, ...]
    function: Callable[..., FloatArray]
    parameters: tuple[str, ...] = ()
    constants: tuple[float, ...] = ()


WindowFeature = Windowed | Lowest | Highest | Quantile | Distinct | LargestShare
BaseFeature = WindowFeature | Latest | Elapsed | Age | InForce | Required | Fulfilled
Feature = BaseFeature | Derived

COUNT_KINDS: Final = (Windowed, Distinct, InForce, Required, Fulfilled)
"""Kinds that are 0, not null, where nothing happened."""


def as_facts(declared: FeatureDeclaration) -> dict[str, Any]:
    """Return a declaration as plain values, for the fingerprint and the catalogue's page."""
    facts = {name: getattr(declared, name) for name in declared.__dataclass_fields__}
    if isinstance(declared, Derived):
        facts["function"] = declared.function.__qualname__
    return {"kind": type(declared).__name__, **facts}
