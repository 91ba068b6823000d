"""Which training rows are replayed: a seeded sample over a few moments."""

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
"""Each moment costs a snapshot; the first and the last are among them."""


class NothingToReplayError(DataError):
    """Refuse to call nothing compared with nothing a parity."""

    def __init__(self, moment: str) -> None:
        super().__init__(
            expected=f"a listing with units to sell {moment}",
            found="none",
            way_out="Name data with listings, and stock or orders, by then.",
        )


@dataclass(frozen=True)
class ReplaySample:
    """How many rows to replay, and the seed of the choice."""

    rows: int
    seed: int = 0


def sample_rows(
    signals: SignalRows, catalogue: Catalogue, sample: ReplaySample
) -> dict[int, pa.Table]:
    """Return by day the sampled training rows with all base features.

    The features of all rows at the chosen moments are computed, as in training, before any is
    chosen.

    Raises:
        NothingToReplayError: the data have no training row.
    """
    spine = signals.store(build_spine(signals))
    days = _days(signals, spine)
    if not days:
        raise NothingToReplayError("on any day")
    rng = np.random.default_rng(sample.seed)
    moments = choose_moments(days, rng, most=min(MAX_MOMENTS, sample.rows))
    wanted = signals.store(spine.filter(spine[AS_OF].isin(moments)))
    rows = _with_features(signals, catalogue, wanted)
    return _draw(rows, moments, sample.rows, rng)


def sample_day(
    signals: SignalRows, catalogue: Catalogue, day: int, sample: ReplaySample
) -> dict[int, pa.Table]:
    """Return sampled rows of one day, as training would make them on that day.

    Raises:
        NothingToReplayError: no listing had units to sell then.
    """
    spine = signals.store(filter_spine(signals, live_listings(signals.dataset, day)))
    if not _days(signals, spine):
        raise NothingToReplayError(f"on {to_datetime(day):%Y-%m-%d}")
    rows = _with_features(signals, catalogue, spine)
    return _draw(rows, [day], sample.rows, np.random.default_rng(sample.seed))


def choose_moments(days: Sequence[int], rng: np.random.Generator, *, most: int) -> list[int]:
    """Choose at most so many of the sorted days, the last and the first among them."""
    ends = list(dict.fromkeys((days[-1], days[0])))[:most]
    between = [int(day) for day in rng.permutation(np.array(days[1:-1], dtype=np.int64))]
    return sorted([*ends, *between[: most - len(ends)]])


def _draw(
    rows: pa.Table, moments: Sequence[int], count: int, rng: np.random.Generator
) -> dict[int, pa.Table]:
    """Draw rows so that each moment has its part of them, and what one lacks the next ones give."""
    drawn = {}
    by_rows = sorted((rows.filter(pc.field(AS_OF) == day) for day in moments), key=len)
    for left, at_moment in zip(range(len(by_rows), 0, -1), by_rows, strict=True):
        taken = rng.permutation(len(at_moment))[: -(-count // left)]
        drawn[at_moment[AS_OF][0].as_py()] = at_moment.take(np.sort(taken))
        count -= len(taken)
    return dict(sorted(drawn.items()))


def _days(signals: SignalRows, spine: ir.Table) -> list[int]:
    days = spine.select(AS_OF).distinct().order_by(AS_OF)
    return [int(day) for day in signals.dataset.connection.to_pyarrow(days)[AS_OF].to_pylist()]


def _with_features(signals: SignalRows, catalogue: Catalogue, spine: ir.Table) -> pa.Table:
    rows = feature_rows(signals, catalogue, spine)
    ordered = rows.order_by(ibis.asc(AS_OF), ibis.asc("listing_id"))
    return signals.dataset.connection.to_pyarrow(ordered)
