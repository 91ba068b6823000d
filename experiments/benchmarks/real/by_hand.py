"""Write 22 features by hand, as a data scientist would in an hour: plain pandas over the tables.

A row of a table counts from the first midnight at or after its `available_at`. That day is `day`
in every frame below. So nothing is used before it was known, and windows count the days since a
fact became known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from features.dataset.horizons import Horizons
from features.declarations.targets import Target

Tables = Mapping[str, pd.DataFrame]
"""The tables of the contract by name; optional ones may be absent."""

DECISION: Final = ("listing_id", "as_of_day", "units_offered", "list_price_minor")
"""The columns of a decision: one row a listing and moment."""
CATEGORIES: Final = ("category", "market", "mode")
LEVELS: Final[Mapping[str, tuple[str, ...]]] = {
    "listing": ("listing_id",),
    "product": ("product_id",),
    "supplier": ("supplier_id",),
    "category": ("category", "market"),
}
SMOOTHING: Final = 20.0
"""Decisions or units of the overall mean that every past rate is mixed with."""


def hand_written_features(
    decisions: pd.DataFrame,
    tables: Tables,
    outcomes: pd.DataFrame,
    *,
    target: Target,
    horizons: Horizons,
) -> pd.DataFrame:
    """Return the features of each decision, in its order.

    `outcomes` holds past decisions with the `day` from which their result counts as known, and
    `share`, the part of the lot that was sold.
    """
    facts = tables["listings"].merge(tables["products"], on="product_id", how="left")
    facts = facts.set_index("listing_id").astype(dict.fromkeys((*_keys(), *CATEGORIES), "str"))
    known = decisions.reset_index(drop=True).join(facts[[*_keys(), "mode"]], on="listing_id")
    features = known[["units_offered", "list_price_minor", *CATEGORIES]].copy()
    features["month"] = pd.to_datetime(known["as_of_day"], unit="D").dt.month
    features = features.join(_demand(known, facts, tables, horizons))
    features = features.join(_prices(known, facts, tables))
    features["units_on_hand"] = _units_on_hand(known, tables)
    if target == "sell_through":
        return features.join(_past_sell_through(known, facts, outcomes))
    return features.join(_past_returns(known, facts, tables, horizons))


def _demand(
    known: pd.DataFrame, facts: pd.DataFrame, tables: Tables, horizons: Horizons
) -> pd.DataFrame:
    """Return units ordered in windows, recency, age, and the lot in days of recent demand."""
    orders = _dated(tables["orders"], facts)
    demand = pd.DataFrame(index=known.index)
    for days in (7, 28, 84):
        demand[f"listing_units_{days}d"] = _window(known, orders, "listing", "units", days)
    demand["product_units_28d"] = _window(known, orders, "product", "units", 28)
    demand["category_units_28d"] = _window(known, orders, "category", "units", 28)
    last = orders.assign(last_day=orders["day"])
    demand["days_since_order"] = known["as_of_day"] - _latest(known, last, "last_day")
    listed = known["listing_id"].map(_midnight(facts["listed_at"]))
    demand["days_since_listed"] = known["as_of_day"] - listed
    daily = demand["listing_units_28d"] / demand["days_since_listed"].clip(1, 28)
    demand["cover"] = daily * horizons.horizon_days / known["units_offered"]
    return demand


def _prices(known: pd.DataFrame, facts: pd.DataFrame, tables: Tables) -> pd.DataFrame:
    """Return the price against the mean price paid, and against the highest price so far."""
    orders = _dated(tables["orders"], facts)
    orders["money"] = orders["units"] * orders["unit_price_minor"]
    price = known["list_price_minor"]
    prices = pd.DataFrame(index=known.index)
    for level in ("listing", "category"):
        paid = _window(known, orders, level, "money", 84)
        units = _window(known, orders, level, "units", 84)
        prices[f"price_over_{level}_paid"] = price / (paid / units.where(units > 0))
    first = pd.DataFrame({"day": _midnight(facts["listed_at"]), "price": facts["list_price_minor"]})
    changes = [first.rename_axis("listing_id").reset_index()]
    if "prices" in tables:
        changed = _dated(tables["prices"], facts).rename(columns={"price_minor": "price"})
        changes.append(changed[["listing_id", "day", "price"]])
    history = pd.concat(changes).sort_values("day", kind="stable")
    history["highest"] = history.groupby("listing_id")["price"].cummax()
    prices["discount"] = 1 - price / _latest(known, history, "highest")
    return prices


def _units_on_hand(known: pd.DataFrame, tables: Tables) -> pd.Series:
    """Return the last stock seen of each listing; missing without a table of stock."""
    if "stock" not in tables:
        return pd.Series(float("nan"), index=known.index)
    stock = tables["stock"].dropna(subset="available_at").sort_values("available_at", kind="stable")
    return _latest(known, stock.assign(day=_midnight(stock["available_at"])), "on_hand_units")


def _past_sell_through(
    known: pd.DataFrame, facts: pd.DataFrame, outcomes: pd.DataFrame
) -> pd.DataFrame:
    """Return the mean sell-through of past decisions at each level, smoothed."""
    past = outcomes.join(facts[_keys()], on="listing_id").assign(decisions=1.0)
    return _smoothed_rates(known, past, part="share", whole="decisions")


def _past_returns(
    known: pd.DataFrame, facts: pd.DataFrame, tables: Tables, horizons: Horizons
) -> pd.DataFrame:
    """Return the share of units that came back at each level, of orders old enough, smoothed."""
    wait = horizons.assumed_delivery_days + horizons.return_window_days
    orders = _dated(tables["orders"], facts)
    orders["day"] += wait
    due = orders.set_index("order_line_id")["day"]
    returns = tables["returns"].dropna(subset="available_at")
    returns = returns[["order_line_id", "units", "available_at"]].rename(
        {"units": "returned"}, axis=1
    )
    returns = returns.merge(orders.drop(columns=["units", "available_at"]), on="order_line_id")
    seen = _midnight(returns["available_at"])
    returns["day"] = seen.where(seen > returns["day"], returns["order_line_id"].map(due))
    events = pd.concat([orders, returns])
    events[["units", "returned"]] = events[["units", "returned"]].fillna(0.0)
    return _smoothed_rates(known, events, part="returned", whole="units")


def _smoothed_rates(
    known: pd.DataFrame, events: pd.DataFrame, *, part: str, whole: str
) -> pd.DataFrame:
    everyone = pd.DataFrame(index=known.index)
    known, events = known.assign(everyone=1), events.assign(everyone=1)
    overall = _until(known, events, ("everyone",), part) / _until(
        known, events, ("everyone",), whole
    ).clip(lower=1.0)
    for level, keys in LEVELS.items():
        parts, wholes = (_until(known, events, keys, column) for column in (part, whole))
        everyone[f"{level}_past_rate"] = (parts + SMOOTHING * overall) / (wholes + SMOOTHING)
    return everyone


def _window(
    known: pd.DataFrame, events: pd.DataFrame, level: str, column: str, days: int
) -> pd.Series:
    """Return the sum of a column over the last days until each decision."""
    keys = LEVELS[level]
    return _until(known, events, keys, column) - _until(known, events, keys, column, days)


def _until(
    known: pd.DataFrame, events: pd.DataFrame, keys: Sequence[str], column: str, days: int = 0
) -> pd.Series:
    """Return the sum of a column over all days until `days` before each decision; 0 without any."""
    by_day = events.groupby([*keys, "day"])[[column]].sum().reset_index()
    by_day["sum"] = by_day.groupby(list(keys))[column].cumsum()
    return _as_of(known, by_day, keys, "sum", days).fillna(0.0)


def _latest(known: pd.DataFrame, events: pd.DataFrame, column: str) -> pd.Series:
    """Return the latest value of each decision's listing; missing without any."""
    return _as_of(known, events, ("listing_id",), column, 0)


def _as_of(
    known: pd.DataFrame, events: pd.DataFrame, keys: Sequence[str], column: str, days: int
) -> pd.Series:
    asked = known[list(keys)].assign(day=known["as_of_day"] - days, row=known.index)
    is_asked = asked[list(keys)].notna().all(axis=1)
    found = pd.merge_asof(
        asked[is_asked].sort_values("day", kind="stable"),
        events[[*keys, "day", column]].sort_values("day", kind="stable"),
        on="day",
        by=list(keys),
    )
    return found.set_index("row")[column].reindex(known.index).astype("float64")


def _dated(table: pd.DataFrame, facts: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that are ever known, with the day from which, and the keys of all levels."""
    dated = table.dropna(subset="available_at")
    dated = dated.assign(day=_midnight(dated["available_at"]))
    return dated.join(facts[_keys()], on="listing_id")


def _keys() -> list[str]:
    return [key for keys in LEVELS.values() for key in keys if key != "listing_id"]


def _midnight(times: pd.Series) -> pd.Series:
    """Return the number of the first midnight at or after each time, in days since 1970."""
    days = times.dt.floor("D")
    number: pd.Series[int] = (days - pd.Timestamp(0)).dt.days + (times > days).astype("int64")
    return number
