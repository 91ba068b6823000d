"""Training rows of a made-up market whose true shares are known, in the real catalogue's columns.

Each listing has a true demand and a true return risk, drawn around those of its category. Units
wanted are gamma-Poisson and sell as far as the lot reaches; what is returned is binomial. Counts of
the past are what such a listing would have left behind at each level. Columns that say nothing here
are noise with gaps.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from features.catalogue.catalogue import CATALOGUE
from features.dataset.horizons import Horizons
from features.declarations.levels import LEVEL_KEYS, Level
from features.declarations.return_evidence import OPEN_INPUTS
from features.declarations.shrinkage import (
    CHAIN,
    RATES,
    REPURCHASE_RATE,
    RETURN_RATE,
    SELL_THROUGH_RATE,
    Rate,
)
from features.declarations.targets import TARGETS
from features.point_in_time.training_rows import CUT_OFF, DIGEST, FINGERPRINT, IMPUTED, LABELLED
from features.runtime.arrays import FloatArray, IntArray
from training.settings import TrainingSettings

HORIZONS = Horizons(
    horizon_days=14, return_window_days=10, assumed_delivery_days=3, repurchase_window_days=20
)
QUICK = TrainingSettings(
    boosters=2,
    trees=40,
    learning_rate=0.1,
    min_samples_leaf=20,
    calibration_days=56,
    min_train_days=21,
    sharpness=3.0,  # about as close to its mean as this market's demand is
)
FIRST_MONDAY = 19_727
MARKETS = ("US", "GB", "DE", "FR")
CATEGORIES = ("lamps", "mugs", "toys")
ORDER_LINES = ("order_lines_84d", "order_lines_category_market_84d")
MEAN_DEMAND = 25.0
DEMAND_SHAPE = 16.0
"""Shape of the gamma distribution of demand around its mean."""
NOBODY = ""
"""Stands for the supplier or creator of rows that have none, until they are written."""


def _logistic(value: FloatArray) -> FloatArray:
    return 1 / (1 + np.exp(-value))


def market_rows(
    seed: int = 0, *, listings: int = 200, weeks: int = 36, horizons: Horizons = HORIZONS
) -> pa.Table:
    """Draw training rows: weekly, each listing from the week it goes live."""
    rng = np.random.default_rng(seed)
    product = np.arange(listings) // 2
    category = product % len(CATEGORIES)
    market = rng.choice(len(MARKETS), listings, p=[0.5, 0.3, 0.15, 0.05])
    went_live = rng.integers(0, weeks * 9 // 10, listings)
    week, listing = (one.ravel() for one in np.mgrid[0:weeks, 0:listings])
    is_live = week >= went_live[listing]
    week, listing = week[is_live], listing[is_live]
    keys = {
        "listing_id": np.array([f"L{i}" for i in range(listings)])[listing],
        "product_id": np.array([f"P{i}" for i in product])[listing],
        "supplier_id": np.array([f"S{i // 3}" if i % 10 else NOBODY for i in product])[listing],
        "creator_id": rng.choice([NOBODY, "C0", "C1", "C2"], week.size),
        "category": np.array(CATEGORIES)[category][listing],
        "market": np.array(MARKETS)[market][listing],
    }
    own_effect = rng.normal(0, 0.7, listings) + rng.normal(0, 0.7, len(CATEGORIES))[category]
    own_risk = rng.normal(-1.8, 0.8, listings)
    age = week - went_live[listing]
    columns = _noise(rng, week.size)
    columns["list_price_minor"] = rng.integers(500, 5000, week.size).astype(float)
    columns["units_offered"] = rng.integers(5, 120, week.size).astype(float)
    columns["days_since_listed"] = 7.0 * age
    price_effect = -0.0003 * (columns["list_price_minor"] - 2500)
    demand = MEAN_DEMAND * np.exp(own_effect[listing] + price_effect)
    wanted = rng.poisson(demand * rng.gamma(DEMAND_SHAPE, 1 / DEMAND_SHAPE, week.size))
    risk = _logistic(own_risk)[listing]
    past = {
        SELL_THROUGH_RATE: _logistic(own_effect)[listing],
        RETURN_RATE: risk,
        REPURCHASE_RATE: np.full(week.size, 0.3),
    }
    for rate in RATES:
        columns |= _draw_history(rng, rate, past[rate], age=age, week=week, keys=keys)
    columns |= dict.fromkeys(OPEN_INPUTS, np.zeros(week.size))
    columns["units_ordered_84d"] = columns[SELL_THROUGH_RATE.column("units_sold", Level.LISTING)]
    for name in ORDER_LINES:  # an order is of one unit
        columns[name] = columns[name.replace("order_lines", "units_ordered")].copy()
    as_of_day = FIRST_MONDAY + 7 * week
    cut_off = int(as_of_day.max())
    ordered = np.minimum(wanted, columns["units_offered"])
    returned = rng.binomial(ordered.astype(int), risk)
    is_final = as_of_day + horizons.sell_through_maturity_days <= cut_off
    is_over = as_of_day + horizons.return_risk_maturity_days <= cut_off
    nothing = np.full(week.size, np.nan)
    labels = {
        "units_ordered_label": ordered,
        "sell_through": np.where(is_final, ordered / columns["units_offered"], np.nan),
        "return_risk": np.divide(returned, ordered, out=nothing, where=is_over & (ordered > 0)),
    }
    table = pa.table(
        {
            **{name: _null_for_nobody(one) for name, one in keys.items()},
            "as_of_day": as_of_day,
            **{name: pa.array(one, from_pandas=True) for name, one in columns.items()},
            **{name: pa.array(one, from_pandas=True) for name, one in labels.items()},
            "sell_through_is_mature": is_final,
            "return_risk_is_mature": is_over,
        }
    )
    return table.replace_schema_metadata(
        {
            CUT_OFF: str(cut_off),
            IMPUTED: "stock",
            FINGERPRINT: CATALOGUE.fingerprint,
            DIGEST: "0" * 64,
            LABELLED: ",".join(TARGETS),
        }
    )


def _null_for_nobody(names: np.ndarray) -> pa.Array:
    return pa.array(names, mask=names == NOBODY)


def drop_returns(rows: pa.Table) -> pa.Table:
    """Return the rows as they would be built from data without a returns table."""
    for name in ("return_risk", *RETURN_RATE.inputs, *OPEN_INPUTS):
        place = rows.column_names.index(name)
        rows = rows.set_column(place, name, pa.nulls(rows.num_rows, pa.float64()))
    return rows.replace_schema_metadata({**rows.schema.metadata, LABELLED: "sell_through"})


def _noise(rng: np.random.Generator, rows: int) -> dict[str, FloatArray]:
    noise = {feature.name: rng.gamma(2.0, 10.0, rows).round() for feature in CATALOGUE.base}
    for feature in CATALOGUE.base[::7]:
        noise[feature.name][rng.random(rows) < 0.3] = np.nan
    return noise


def _draw_history(
    rng: np.random.Generator,
    rate: Rate,
    share: FloatArray,
    *,
    age: IntArray,
    week: IntArray,
    keys: dict[str, np.ndarray],
) -> dict[str, FloatArray]:
    """Draw a listing's counts and add them up at the wider levels, week by week.

    Rows without a key of a level count nothing there.
    """
    trials = rng.poisson(4 * np.minimum(age, 25))
    successes = rng.binomial(trials, share)
    counts: dict[str, FloatArray] = {}
    for level in CHAIN:
        has_keys = np.all([keys[key] != NOBODY for key in LEVEL_KEYS[level]], axis=0)
        names = [np.unique(keys[key], return_inverse=True)[1] for key in LEVEL_KEYS[level]]
        group = np.unique(np.stack([week, *names]), axis=1, return_inverse=True)[1].ravel()
        for measure, own in ((rate.successes, successes), (rate.trials, trials)):
            total = np.bincount(group, weights=own)[group]
            counts[rate.column(measure, level)] = np.where(has_keys, total, 0.0)
    return counts
