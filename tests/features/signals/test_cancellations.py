"""Units taken back at once were never sold; until that is known, the order counts in full."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from features.catalogue.catalogue import CATALOGUE
from features.declarations.kinds import SignalName
from features.declarations.levels import LEVEL_KEYS, Level
from features.point_in_time.labels import labels_looking_ahead
from features.point_in_time.signal_rows import build_lazy_rows
from tests.worlds.random_markets import HORIZONS, Engine, random_world, shared_engine
from tests.worlds.tables import Frames, cast_types
from tests.worlds.written import AS_OF, BOUGHT, DAY, KEY, TICK, event, market, order, value

FIRST_DAYS = pd.Timedelta(days=HORIZONS.cancellation_days)
HOUR = pd.Timedelta(hours=1)
OF_ORDERS = {SignalName.ORDERS, SignalName.RIPE_UNITS, SignalName.OPEN_UNITS}
OF_ORDERS |= {SignalName.RETURNED_PARCELS, SignalName.LOTS}


@pytest.mark.parametrize(
    ("known", "cancelled"),
    [
        (BOUGHT, True),
        (BOUGHT + HOUR, True),
        (BOUGHT + FIRST_DAYS, True),
        (BOUGHT + FIRST_DAYS + TICK, False),
        (pd.NaT, False),
    ],
)
def test_return_known_in_the_first_days_takes_the_sale_back(
    known: pd.Timestamp, *, cancelled: bool
) -> None:
    frames = market(
        orders=[order(BOUGHT, order_line_id="L", units=5)],
        returns=[event(BOUGHT, known=known, order_line_id="L", units=4)],
    )
    kept = 1.0 if cancelled else 5.0
    back = 0.0 if cancelled or pd.isna(known) else 4.0
    assert value(frames, "units_ordered_84d") == kept
    assert value(frames, "units_ripe_180d") == kept
    assert value(frames, "units_returned_180d") == back


@pytest.mark.parametrize(
    ("known", "units", "lines", "days"),
    [(AS_OF, 0.0, 0.0, math.nan), (AS_OF + TICK, 5.0, 1.0, 0.0)],
)
def test_order_counts_in_full_until_its_cancellation_is_known(
    known: pd.Timestamp, units: float, lines: float, days: float
) -> None:
    bought = AS_OF - HOUR
    frames = market(
        orders=[order(bought, order_line_id="L", units=5)],
        returns=[event(bought, known=known, order_line_id="L", units=5)],
    )
    assert value(frames, "units_ordered_28d") == units
    assert value(frames, "order_lines_84d") == lines
    assert value(frames, "days_since_last_order") == pytest.approx(days, nan_ok=True)


def test_units_cancelled_twice_leave_what_is_known_at_each_moment() -> None:
    bought = AS_OF - HOUR
    frames = market(
        orders=[order(bought, order_line_id="L", units=5)],
        returns=[
            event(bought, order_line_id="L", units=2),
            event(bought + HOUR / 2, known=AS_OF + TICK, order_line_id="L", units=3),
        ],
    )
    assert value(frames, "units_ordered_28d") == 3.0
    assert value(frames, "order_lines_84d") == 1.0


def with_cancelled_order(frames: Frames, bought: pd.Timestamp, units: int) -> Frames:
    """Return a market with one more order, cancelled within the hour; its buyer is unknown."""
    extra = {
        "orders": [order(bought, order_line_id="mad", units=units, buyer_key=None)],
        "returns": [event(bought + HOUR, order_line_id="mad", units=units)],
    }
    rows = {name: cast_types(name, pd.DataFrame(new)) for name, new in extra.items()}
    return frames | {name: pd.concat([frames[name], more]) for name, more in rows.items()}


@pytest.mark.parametrize("level", [Level.LISTING, Level.MARKET])
def test_cancelled_order_leaves_no_trace_in_any_feature(level: Level) -> None:
    frames = random_world(3)
    spoilt = with_cancelled_order(frames, AS_OF - 6 * HOUR, 1_000_000)
    features = [f for f in CATALOGUE.base if f.level is level and f.signal in OF_ORDERS]
    keys = pd.DataFrame({k: [KEY[k]] for k in LEVEL_KEYS[level]} | {"as_of_day": [DAY]})
    engine = shared_engine(tuple(frames))
    engine.load(frames)
    expected = engine.values(level, keys, features)
    engine.load(spoilt)
    pd.testing.assert_frame_equal(engine.values(level, keys, features), expected)


def test_cancelled_order_leaves_no_trace_in_any_label() -> None:
    frames = random_world(3)
    frames |= {"deliveries": frames["deliveries"].head(0)}
    spoilt = with_cancelled_order(frames, AS_OF + HOUR, 1_000_000)
    clean, mad = (compute_labels({**f}) for f in (frames, spoilt))
    pd.testing.assert_frame_equal(mad, clean)


def compute_labels(frames: Frames) -> pd.DataFrame:
    """Return both labels of a listing at `AS_OF`."""
    signals = build_lazy_rows(Engine(frames).dataset, HORIZONS)
    rows = {"listing_id": ["US-P0"], "as_of_day": [DAY], "units_offered": [7]}
    spine = signals.dataset.connection.create_table("one_row", pd.DataFrame(rows), temp=True)
    labels: pd.DataFrame = labels_looking_ahead(signals, spine).to_pandas()
    return labels
