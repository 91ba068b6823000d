"""The closed vocabulary of features: Windowed, Latest, Elapsed and Derived.

A declaration says what a feature is; features/interpreter.py computes the first three (base
features, facts about a key at a moment) and features/derived.py the last. A need that doesn't
fit becomes a new kind here, never an optional argument on an old one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from features.levels import Level

FloatArray = npt.NDArray[np.float64]
Target = Literal["sell_through", "return_risk"]
TARGETS: Final[tuple[Target, ...]] = ("sell_through", "return_risk")


class Family(StrEnum):
    """What sort of knowledge a feature carries; explanations are grouped by it."""

    DEMAND = "demand"
    RETURNS = "returns"
    REPURCHASE = "repurchase"
    PRICE = "price and value"
    MARKET = "market"


class SignalName(StrEnum):
    """The signals that base features read; features/signals.py builds them."""

    ORDERS = "orders"
    RIPE_UNITS = "ripe_units"
    FIRST_PURCHASES = "first_purchases"
    LOTS = "lots"
    LISTING_STARTS = "listing_starts"
    PRICES = "prices"
    STOCK = "stock"


@dataclass(frozen=True, kw_only=True)
class Declared:
    """What every feature says about itself.

    `low` and `high` bound its values (None: no bound); null is always allowed, for history that
    can't be known. `monotone` names the targets the feature can only raise (+1) or lower (-1).
    """

    name: str
    description: str
    unit: str
    family: Family
    low: float | None = 0.0
    high: float | None = None
    monotone: tuple[tuple[Target, Literal[-1, 1]], ...] = ()


@dataclass(frozen=True, kw_only=True)
class RequestField(Declared):
    """A number that the decision fixes: only the spine or the request knows it."""


@dataclass(frozen=True, kw_only=True)
class Windowed(Declared):
    """The sum of a measure over events with `as_of - days < event_time <= as_of`.

    0 for a key without such events.
    """

    level: Level
    signal: SignalName
    measure: str
    days: int


@dataclass(frozen=True, kw_only=True)
class Latest(Declared):
    """The value of a measure in the event that happened last, null without any.

    Of events at the same time the one known last counts, and of those the larger value.
    """

    level: Level
    signal: SignalName
    measure: str


@dataclass(frozen=True, kw_only=True)
class Elapsed(Declared):
    """Whole days from the last event to `as_of`, null without any."""

    level: Level
    signal: SignalName


@dataclass(frozen=True, kw_only=True)
class Derived(Declared):
    """A pure numpy function of other features and request fields, row by row.

    `function` receives one float64 array of shape (rows,) per input, then one float per
    parameter; parameters are learned in training and travel in the bundle. It uses elementary
    arithmetic only, so that a row's value can't depend on which rows stand beside it.
    """

    inputs: tuple[str, ...]
    function: Callable[..., FloatArray]
    parameters: tuple[str, ...] = ()


Base = Windowed | Latest | Elapsed
Feature = Base | Derived


def as_facts(declared: Declared) -> dict[str, Any]:
    """Return a declaration as plain values, for the fingerprint and the catalogue's page."""
    facts = {name: getattr(declared, name) for name in declared.__dataclass_fields__}
    if isinstance(declared, Derived):
        facts["function"] = declared.function.__qualname__
    return {"kind": type(declared).__name__, **facts}
