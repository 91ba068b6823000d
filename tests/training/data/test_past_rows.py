"""Past rows: the rows that tables cut at that time would have given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import msgspec
import pandas as pd
import pyarrow as pa
import pytest

from features.catalogue.catalogue import CATALOGUE
from features.dataset.dataset import NoOrderKnownError
from features.dataset.days import to_datetime
from features.declarations.kinds import Windowed
from features.declarations.levels import Level
from features.point_in_time.imputed_stock import ensure_stock
from features.point_in_time.labels import labels_looking_ahead
from features.point_in_time.signal_rows import build_stored_rows
from features.point_in_time.spine import build_spine
from features.point_in_time.training_rows import CUT_OFF, ORDER_DAYS, build_training_rows
from features.point_in_time.visibility import AS_OF
from tests.worlds.random_markets import EVENT_TABLES, HORIZONS, Engine, random_world
from tests.worlds.tables import Frames
from training.data.past_rows import rows_known_by

ONE_A_LEVEL = replace(
    CATALOGUE,
    features=tuple(
        next(f for f in CATALOGUE.at_level(level) if isinstance(f, Windowed)) for level in Level
    ),
)


def _build(engine: Engine) -> pa.Table:
    dataset = ensure_stock(engine.dataset, HORIZONS)
    return build_training_rows(build_stored_rows(dataset, HORIZONS), ONE_A_LEVEL)


def _build_labels(engine: Engine) -> pa.Table:
    """Return decisions and labels alone, which take a fraction of the time of features."""
    signals = build_stored_rows(ensure_stock(engine.dataset, HORIZONS), HORIZONS)
    spine = signals.store(build_spine(signals).select("listing_id", AS_OF, "units_offered"))
    labels = labels_looking_ahead(signals, spine)
    rows = spine.join(labels, ["listing_id", AS_OF]).order_by(AS_OF, "listing_id")
    order_days = signals.dataset.order_days()
    return signals.dataset.connection.to_pyarrow(rows).replace_schema_metadata(
        {
            CUT_OFF: str(order_days.cut_off_day),
            ORDER_DAYS: msgspec.json.encode(order_days.covered),
        }
    )


def _cut(frames: Frames, day: int) -> Frames:
    """Return the tables as they stood at the end of a day."""
    midnight = pd.Timestamp(to_datetime(day + 1)).tz_localize(None)
    return {
        name: frame[frame.available_at < midnight] if name in EVENT_TABLES else frame
        for name, frame in frames.items()
    }


@pytest.mark.parametrize(
    ("build", "seed", "absent", "back"),
    [
        (_build, 1, "", 30),
        (_build_labels, 0, "", 10),
        (_build_labels, 0, "stock", 30),
        (_build_labels, 2, "deliveries", 10),
        (_build_labels, 3, "returns", 60),
    ],
)
def test_rows_known_by_a_day_are_those_of_tables_cut_at_its_end(
    build: Callable[[Engine], pa.Table], seed: int, absent: str, back: int
) -> None:
    frames = {name: frame for name, frame in random_world(seed).items() if name != absent}
    engine = Engine(frames)
    rows = build(engine)
    day = int(rows.schema.metadata[CUT_OFF]) - back
    known = rows_known_by(rows, engine.dataset, HORIZONS, day)
    expected = build(Engine(_cut(frames, day)))
    assert 0 < known.num_rows < rows.num_rows
    assert known.equals(expected)
    for name in (CUT_OFF, ORDER_DAYS):
        assert known.schema.metadata[name] == expected.schema.metadata[name]


def test_day_before_all_orders_is_refused() -> None:
    engine = Engine(random_world(0))
    with pytest.raises(NoOrderKnownError):
        rows_known_by(_build_labels(engine), engine.dataset, HORIZONS, 0)
