"""The kinds of feature declarations; the vocabulary is closed.

A base feature is a fact about a key at a moment; features/point_in_time/interpreter.py computes
it. A derived feature is a function (features/declarations/functions.py) of other features. A
feature that fits no kind gets a new kind here, never an optional argument on an existing one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final, Literal

from features.declarations.levels import Level
from features.declarations.targets import Target
from features.runtime.arrays import FloatArray


class FeatureFamily(StrEnum):
    """Name the subject of a feature; explanations are grouped by it."""

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
    """Name the signal that a base feature reads; features/signals/ builds it."""

    ORDERS = "orders"
    RIPE_UNITS = "ripe_units"
    OPEN_UNITS = "open_units"
    RETURNED_PARCELS = "returned_parcels"
    REPURCHASES = "repurchases"
    LOTS = "lots"
    STOCK = "stock"
    LISTING_STARTS = "listing_starts"
    PRICES = "prices"
    LISTING_COSTS = "listing_costs"
    PRODUCT_FACTS = "product_facts"
    VIDEOS = "videos"
    ENGAGEMENT = "engagement"
    CREATOR_STATS = "creator_stats"
    LOCALISATION = "localisation"
    REQUIREMENTS = "requirements"
    PARCELS = "parcels"
    REVIEWS = "reviews"
    AUDITS = "audits"


@dataclass(frozen=True, kw_only=True)
class FeatureDeclaration:
    """Declare what all features have in common.

    `low` and `high` bound the values (None: no bound). Null is always allowed and means unknown
    history. `monotone` names the targets that the feature can only raise (+1) or lower (-1).
    Evidence (`is_input=False`) is computed and stored, because other features are derived from it,
    but no model sees it.
    """

    name: str
    description: str
    unit: str
    family: FeatureFamily
    low: float | None = 0.0
    high: float | None = None
    monotone: tuple[tuple[Target, Literal[-1, 1]], ...] = ()
    is_input: bool = True


@dataclass(frozen=True, kw_only=True)
class RequestField(FeatureDeclaration):
    """Declare a number of the decision; it comes from the spine or the request."""


@dataclass(frozen=True, kw_only=True)
class SignalFeature(FeatureDeclaration):
    """Declare what all base features have in common: level and signal."""

    level: Level
    signal: SignalName


@dataclass(frozen=True, kw_only=True)
class Windowed(SignalFeature):
    """Sum a measure over the events with `as_of - days < event_time <= as_of`.

    It is 0 for a key without such events.
    """

    measure: str
    days: int


@dataclass(frozen=True, kw_only=True)
class Highest(SignalFeature):
    """Take the largest value of a measure over a window; null without events."""

    measure: str
    days: int


@dataclass(frozen=True, kw_only=True)
class Distinct(SignalFeature):
    """Count the distinct values of a column over a window; null values don't count.

    It is 0 for a key without such events.
    """

    column: str
    days: int


@dataclass(frozen=True, kw_only=True)
class Latest(SignalFeature):
    """Take the known value of a measure in the latest event; null without events.

    Among events at the same time, the one that became known last counts; among those, the larger
    value.
    """

    measure: str


@dataclass(frozen=True, kw_only=True)
class Elapsed(SignalFeature):
    """Count whole days from the last event with a positive measure to `as_of`; null if none."""

    measure: str


@dataclass(frozen=True, kw_only=True)
class Age(SignalFeature):
    """Count whole days from the first event with a positive measure to `as_of`; null if none."""

    measure: str


@dataclass(frozen=True, kw_only=True)
class InForce(SignalFeature):
    """Count the attributes that begin with `prefix` and are required at `as_of`.

    A requirement is in force when it is known, has begun and has not ended. The count is 0
    without any.
    """

    prefix: str


@dataclass(frozen=True, kw_only=True)
class Required(SignalFeature):
    """Return 1 where an attribute is required at `as_of` (as in `InForce`), else 0."""

    attribute: str


@dataclass(frozen=True, kw_only=True)
class Fulfilled(SignalFeature):
    """Count the required attributes (as in `InForce`) that a listing fully meets.

    A listing meets an attribute when its latest value, as known at `as_of`, is 1.
    """

    prefix: str
    states: SignalName


@dataclass(frozen=True, kw_only=True)
class Derived(FeatureDeclaration):
    """Compute a feature from other features and request fields, row by row.

    `function` is pure and receives one float64 array per input, then one per parameter and one
    per constant. The arrays broadcast: one call computes all features that share a function, with
    inputs of shape (features, rows) and parameters and constants of shape (features, 1).
    Parameters are learned in training and stored in the bundle; constants distinguish features of
    one function. `function` uses elementary arithmetic only, so a value depends on its own row
    alone.
    """

    inputs: tuple[str, ...]
    function: Callable[..., FloatArray]
    parameters: tuple[str, ...] = ()
    constants: tuple[float, ...] = ()


WindowFeature = Windowed | Highest | Distinct
BaseFeature = WindowFeature | Latest | Elapsed | Age | InForce | Required | Fulfilled
Feature = BaseFeature | Derived

COUNT_KINDS: Final = (Windowed, Distinct, InForce, Required, Fulfilled)
"""Kinds that are 0, not null, without events."""


def as_evidence(*features: Feature) -> tuple[Feature, ...]:
    """Declare features as evidence only."""
    return tuple(replace(feature, is_input=False) for feature in features)


def as_facts(declared: FeatureDeclaration) -> dict[str, Any]:
    """Return a declaration as a dict, for the fingerprint and the catalogue's page."""
    facts = {name: getattr(declared, name) for name in declared.__dataclass_fields__}
    if isinstance(declared, Derived):
        facts["function"] = declared.function.__qualname__
    return {"kind": type(declared).__name__, **facts}
