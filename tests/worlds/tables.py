"""The tables of a small random market, in the contract's terms and full of boundary times."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from features.contract.columns import column_kind
from features.contract.tables import TABLE_BY_NAME

Frames = dict[str, pd.DataFrame]
Rows = dict[str, Any]

START = pd.Timestamp("2024-01-01")
DAYS = 120
WITHIN_A_DAY = ("0us", "1us", "9h", "86399999999us")
"""Midnight, just after, some time, just before the next: where an off-by-one would show."""
DELAYS = ("0us", "0us", "1us", "5h", "3D", "30D", None)
TRANSIT = ("0us", "1us", "1D", "2D", "172800000001us", "6D")
PROMISED = (None, 0.0, 1.0, 2.0, 2.25)
REASONS = ("does_not_fit", "defective", "wrong_plug", "arrived_late", "not_as_described", "?", None)
ATTRIBUTES = (
    *("language", "size_chart", "plug_voltage", "packaging", "imagery"),
    *("certificate:FDA", "certificate:CE", "certificate", "language_pack"),
)
COUNTERS = ("views", "likes", "comments", "shares", "saves", "clicks")


def cast_types(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table as validation leaves it: every column of the contract, in its type."""
    columns = TABLE_BY_NAME[name].columns
    types = {column: column_kind(declared).value for column, declared in columns.items()}
    return frame.reindex(columns=list(columns)).astype(types).reset_index(drop=True)


class Draw:
    """Random columns of one market."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def pick(self, choices: tuple[Any, ...] | list[Any], size: int) -> list[Any]:
        """Choose with repetition; elements keep their type, None among them."""
        return [choices[i] for i in self.rng.integers(0, len(choices), size)]

    def whole(self, low: int, high: int, size: int) -> Any:  # noqa: ANN401 - an array of integers
        return self.rng.integers(low, high, size)

    def times(self, size: int) -> pd.Series[Any]:
        days = pd.to_timedelta(self.rng.integers(0, DAYS, size), unit="D")
        return pd.Series(START + days + pd.to_timedelta(self.pick(WITHIN_A_DAY, size)))

    def events(self, happened: pd.Series[Any]) -> dict[str, pd.Series[Any]]:
        """Return when events happened, and when they became known, if ever."""
        happened = happened.reset_index(drop=True)
        delays = pd.to_timedelta(pd.Series(self.pick(DELAYS, len(happened)), dtype="object"))
        return {"event_time": happened, "available_at": happened + delays}


def draw_orders(draw: Draw, names: list[str], orders: int) -> Frames:
    """Draw orders, and what became of them: deliveries, returns, reviews."""
    lines = [f"L{i:03d}" for i in range(orders)]
    at, units = draw.times(orders), draw.whole(1, 9, orders)
    some = sorted(draw.rng.permutation(orders)[: orders // 2].tolist())
    transit = pd.Series(pd.to_timedelta(draw.pick(TRANSIT, len(some))), index=some)
    chosen = sorted(draw.rng.permutation(orders)[: orders // 3].tolist())
    twice = [i for i in chosen for _ in range(1 if units[i] == 1 else 2)]
    back = at.iloc[twice] + pd.to_timedelta(draw.whole(0, 20, len(twice)), unit="D")
    written = orders // 3
    return {
        "orders": pd.DataFrame(
            {
                "order_line_id": lines,
                "order_id": [f"O{i}" for i in draw.whole(0, max(1, orders // 2), orders)],
                "listing_id": draw.pick(names, orders),
                "buyer_key": draw.pick([None, *(f"B{i}" for i in range(6))], orders),
                "units": units,
                "unit_price_minor": draw.whole(0, 2000, orders),
                "creator_id": draw.pick([None, "C0", "C1", "C2"], orders),
                "promised_days": draw.pick(PROMISED, orders),
                **draw.events(at),
            }
        ),
        "deliveries": pd.DataFrame(
            {"order_line_id": [lines[i] for i in some], **draw.events(at.iloc[some] + transit)}
        ),
        "returns": pd.DataFrame(
            {
                "order_line_id": [lines[i] for i in twice],
                "units": 1,
                "reason": draw.pick(REASONS, len(twice)),
                **draw.events(back),
            }
        ).drop_duplicates(["order_line_id", "event_time"]),
        "reviews": pd.DataFrame(
            {
                "review_id": [f"W{i}" for i in range(written)],
                "listing_id": draw.pick(names, written),
                "rating": draw.whole(1, 6, written),
                "has_media": draw.pick([True, False], written),
                **draw.events(draw.times(written)),
            }
        ),
    }


def draw_videos(draw: Draw, names: list[str], videos: int) -> Frames:
    """Draw videos, their counters (which sometimes fall) and their creators."""
    made = [f"V{i:02d}" for i in range(videos)]
    creators = ["C0", "C1", "C2", "C3"]
    seen = draw.pick(made, videos * 4) if videos else []
    counters = {name: draw.whole(0, 200, len(seen)) * len(name) for name in COUNTERS}
    return {
        "videos": pd.DataFrame(
            {
                "video_id": made,
                "listing_id": draw.pick(names, videos),
                "creator_id": draw.pick(creators, videos),
                "kind": draw.pick(["review", "unboxing", "live", "ad"], videos),
                "is_sponsored": draw.pick([True, False], videos),
                "sentiment": draw.pick([None, -1.0, -0.125, 0.0625, 0.75, 1.0], videos),
                **draw.events(draw.times(videos)),
            }
        ),
        "video_stats": pd.DataFrame(
            {"video_id": seen, **counters, **draw.events(draw.times(len(seen)))}
        ).drop_duplicates(["video_id", "event_time"]),
        "creator_stats": pd.DataFrame(
            {
                "creator_id": draw.pick([*creators[:3], "C9"], videos),
                "followers": draw.pick([0, 9_999, 10_000, 10_001, 2_000_000], videos),
                **draw.events(draw.times(videos)),
            }
        ).drop_duplicates(["creator_id", "event_time"]),
    }


def draw_localisation(draw: Draw, names: list[str], settings: int) -> Frames:
    """Draw attributes as set, and as required: overlapping, ending, announced ahead or late."""
    begins = draw.times(settings)
    lasts = pd.to_timedelta(
        pd.Series(draw.pick((None, "1us", "20D", "60D"), settings), dtype=object)
    )
    announced = begins + pd.to_timedelta(draw.pick(("-60D", "-1us", "0us", "3D"), settings))
    return {
        "localisation": pd.DataFrame(
            {
                "listing_id": draw.pick(names, settings * 2),
                "attribute": draw.pick(ATTRIBUTES, settings * 2),
                "value": draw.pick((0.0, 0.5, 1.0, 1.0), settings * 2),
                **draw.events(draw.times(settings * 2)),
            }
        ).drop_duplicates(["listing_id", "attribute", "event_time"]),
        "requirements": pd.DataFrame(
            {
                "market": draw.pick(["US", "GB", "DE"], settings),
                "category": draw.pick(["c0", "c1"], settings),
                "attribute": draw.pick(ATTRIBUTES, settings),
                "valid_from": begins,
                "valid_to": begins + lasts,
                **draw.events(announced),
            }
        ).drop_duplicates(["market", "category", "attribute", "valid_from"]),
    }


def draw_audits(draw: Draw, names: list[str], cases: int) -> Frames:
    """Draw audits (also of a supplier nobody sells of) and policy events."""
    return {
        "supplier_audits": pd.DataFrame(
            {
                "supplier_id": draw.pick(["S0", "S1", "S9"], cases),
                "score": draw.pick((0.0, 0.25, 0.9, 1.0), cases),
                "inspected_units": draw.whole(0, 30, cases),
                "defective_units": draw.whole(0, 9, cases),
                "lead_time_days": draw.pick((0.0, 7.5, 21.0), cases),
                **draw.events(draw.times(cases)),
            }
        ).drop_duplicates(["supplier_id", "event_time"]),
        "policy_events": pd.DataFrame(
            {
                "listing_id": draw.pick(names, cases),
                "kind": draw.pick(["marketing", "safety", "data"], cases),
                "severity": draw.whole(1, 4, cases),
                **draw.events(draw.times(cases)),
            }
        ).drop_duplicates(["listing_id", "kind", "event_time"]),
    }
