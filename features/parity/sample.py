"""Draw the training rows to replay: a seeded sample over a few moments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.catalogue.catalogue import Catalogue
from features.dataset.days import to_datetime
from features.point_in_time.signal_rows import SignalRows
from features.point_in_time.spine import build_spine, filter_spine, live_listings
from features.point_in_time.training_rows import feature_rows
from features.point_in_time.visibility import AS_OF
from features.runtime.errors import DataError

MAX_MOMENTS: Final = 4
"""Each moment needs a snapshot; the first and the last moment are among them."""


class NothingToReplayError(DataError):
    """Refuse to report parity if there is no row to compare."""

    def __init__(self, moment: str) -> None:
        super().__init__(
            problem=f"No listing had units to sell {moment}: there is no row to replay.",
            hint="Name data with listings, and stock or orders, by then.",
        )


@dataclass(frozen=True)
class ReplaySample:
    """The number of rows to replay, and the seed of their choice."""

    rows: int
    seed: int = 0


def sample_rows(
    signals: SignalRows, catalogue: Catalogue, sample: ReplaySample
) -> dict[int, pa.Table]:
    """Sample training rows with all base features and return them by day.

    The features of all rows at the chosen moments are computed first, as in training; then rows
    are drawn.

    Raises:
        NothingToReplayError: the data have no training row.
    """
    spine = signals.store(build_spine(signals))
    days = _days(signals, spine)
    if not days:
        raise NothingToReplayError("on any day")
    rng = np.random.default_rng(sample.seed)
    moments = choose_moments(days, rng, limit=min(MAX_MOMENTS, sample.rows))
    chosen = signals.store(spine.filter(spine[AS_OF].isin(moments)))
    rows = _compute_features(signals, catalogue, chosen)
    return _draw(rows, moments, sample.rows, rng)


def sample_day(
    signals: SignalRows, catalogue: Catalogue, day: int, sample: ReplaySample
) -> dict[int, pa.Table]:
    """Sample rows of one day, as training would compute them on that day.

    Raises:
        NothingToReplayError: no listing had units to sell then.
    """
    spine = signals.store(filter_spine(signals, live_listings(signals.dataset, day)))
    if not _days(signals, spine):
        raise NothingToReplayError(f"on {to_datetime(day):%Y-%m-%d}")
    rows = _compute_features(signals, catalogue, spine)
    return _draw(rows, [day], sample.rows, np.random.default_rng(sample.seed))


def choose_moments(days: Sequence[int], rng: np.random.Generator, *, limit: int) -> list[int]:
    """Choose at most `limit` of the sorted days: first the last, then the first, then others."""
    ends = list(dict.fromkeys((days[-1], days[0])))[:limit]
    between = [int(day) for day in rng.permutation(np.array(days[1:-1], dtype=np.int64))]
    return sorted([*ends, *between[: limit - len(ends)]])


def _draw(
    rows: pa.Table, moments: Sequence[int], count: int, rng: np.random.Generator
) -> dict[int, pa.Table]:
    """Draw an equal number of rows from each moment; larger moments make up for smaller ones."""
    drawn = {}
    by_rows = sorted((rows.filter(pc.field(AS_OF) == day) for day in moments), key=len)
    for moments_left, at_moment in zip(range(len(by_rows), 0, -1), by_rows, strict=True):
        taken = rng.permutation(len(at_moment))[: -(-count // moments_left)]
        drawn[at_moment[AS_OF][0].as_py()] = at_moment.take(np.sort(taken))
        count -= len(taken)
    return dict(sorted(drawn.items()))


def _days(signals: SignalRows, spine: ir.Table) -> list[int]:
    days = spine.select(AS_OF).distinct().order_by(AS_OF)
    return [int(day) for day in signals.dataset.connection.to_pyarrow(days)[AS_OF].to_pylist()]


def _compute_features(signals: SignalRows, catalogue: Catalogue, spine: ir.Table) -> pa.Table:
    rows = feature_rows(signals, catalogue, spine)
    ordered = rows.order_by(ibis.asc(AS_OF), ibis.asc("listing_id"))
    return signals.dataset.connection.to_pyarrow(ordered)
