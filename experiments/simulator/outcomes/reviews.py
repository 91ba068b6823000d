"""Draw reviews: stars depend on quality and lateness, and extremes are written more often."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from experiments.simulator.configuration.arrays import logistic
from experiments.simulator.configuration.clock import DAY_US, sort_columns
from experiments.simulator.configuration.configuration import Simulation
from experiments.simulator.configuration.identifiers import format_ids
from experiments.simulator.configuration.randomness import generator
from experiments.simulator.outcomes.orders import OrderLines
from features.runtime.arrays import BoolArray, FloatArray, IntArray

LOW_STARS: Final = 2
TWO_OF_LOW: Final = 0.35
MEAN_WAIT_DAYS: Final = 9
DELIGHT: Final = 0.6
DELIGHT_SLOPE: Final = 0.5
"""Log odds of five stars among ratings above `LOW_STARS`, and a standard deviation of quality."""
FOUR_OF_OTHERS: Final = 0.7


def low_star_rate(market: Simulation, quality: FloatArray, is_late: BoolArray) -> FloatArray:
    """Return the chance that a buyer rates with one or two stars."""
    sizes = market.reviews
    odds = np.log(sizes.low_star_rate / (1 - sizes.low_star_rate)) - sizes.quality_slope * quality
    lift = np.where(is_late, market.logistics.late_low_star_lift, 1.0)
    return np.minimum(logistic(odds) * lift, 1.0)


def _draw_stars(rng: np.random.Generator, quality: FloatArray, low: FloatArray) -> IntArray:
    is_low = rng.random(quality.size) < low
    low_stars = 1 + (rng.random(quality.size) < TWO_OF_LOW)
    delight = logistic(DELIGHT + DELIGHT_SLOPE * quality)
    draw = rng.random(quality.size)
    high_stars = np.where(
        draw < delight, 5, np.where(draw < delight + FOUR_OF_OTHERS * (1 - delight), 4, 3)
    )
    return np.where(is_low, low_stars, high_stars).astype(np.int64)


def star_shares(market: Simulation, quality: FloatArray, late_share: float) -> FloatArray:
    """Return the shares of one to five stars among written reviews, shape (5, products)."""
    on_time, late = (
        low_star_rate(market, quality, np.full(quality.shape, is_late)) for is_late in (False, True)
    )
    low = on_time + (late - on_time) * late_share
    five = (1 - low) * logistic(DELIGHT + DELIGHT_SLOPE * quality)
    others = 1 - low - five
    lift = market.reviews.selection_lift
    written = [low * (1 - TWO_OF_LOW) * lift, low * TWO_OF_LOW]
    written += [others * (1 - FOUR_OF_OTHERS), others * FOUR_OF_OTHERS, five * lift]
    return np.asarray(np.stack(written) / np.sum(written, axis=0), dtype=np.float64)


def review_rows(market: Simulation, lines: OrderLines, chunk: int) -> dict[str, pa.Array]:
    """Draw the written reviews: every buyer has a rating, few write it, more of the extremes."""
    sizes = market.reviews
    rng = generator(market.seed, "reviews", chunk)
    rating = _draw_stars(rng, lines.quality, low_star_rate(market, lines.quality, lines.is_late))
    is_extreme = (rating == 1) | (rating == 5)  # noqa: PLR2004 - stars
    writes = sizes.review_rate * np.where(is_extreme, sizes.selection_lift, 1.0)
    line = np.flatnonzero(rng.random(rating.size) < writes)
    wait = (rng.exponential(MEAN_WAIT_DAYS, line.size) * DAY_US).astype(np.int64)
    columns = {
        "line": line,
        "rating": rating[line],
        "has_media": rng.random(line.size) < sizes.media_share,
        "time": lines.delivered[line] + wait,
    }
    ordered = sort_columns(columns, "time", "line")
    count = np.arange(line.size)
    return {
        "review_id": format_ids("R", (np.full(line.size, chunk), 5), (count, 7)),
        "line": ordered["line"],
        "rating": pa.array(ordered["rating"]),
        "has_media": pa.array(ordered["has_media"]),
        "event_time": pa.array(ordered["time"]),
    }
