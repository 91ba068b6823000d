"""A refreshed snapshot is the one that is made anew, byte for byte, and computes fewer keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.catalogue.catalogue import CATALOGUE, Catalogue
from features.dataset.days import to_datetime
from features.dataset.horizons import Horizons
from features.declarations.levels import Level
from features.materialise.refresh import RefreshResult, SnapshotIsLaterError, refresh
from features.online.snapshot import OnlineSnapshot
from features.online.writer import write_snapshot
from features.point_in_time.signal_rows import SignalRows, build_stored_rows
from features.point_in_time.snapshot_values import materialise
from tests.worlds.random_markets import FIRST_DAY, Engine, random_world
from tests.worlds.refreshed import build_signals, filter_known, minimal_catalogue
from tests.worlds.tables import DAYS, START, Frames, cast_types

SMALL = minimal_catalogue()
LEAST = Catalogue(
    request_fields=SMALL.request_fields,
    features=tuple({feature.level: feature for feature in SMALL.base}.values()),
)
"""A feature of each level: all keys are computed or none, whatever there is to compute."""
QUIET = FIRST_DAY + 2 * 365
"""By then all windows of a random world are empty: nothing happens any more."""


def written(signals: SignalRows, catalogue: Catalogue, day: int, directory: Path) -> str:
    return write_snapshot(materialise(signals, catalogue, to_datetime(day)), directory)


@contextmanager
def made_once(signals: SignalRows, catalogue: Catalogue, day: int) -> Iterator[OnlineSnapshot]:
    with TemporaryDirectory() as directory:
        written(signals, catalogue, day, Path(directory))
        with closing(OnlineSnapshot.open(Path(directory))) as snapshot:
            yield snapshot


def refreshed(
    earlier: OnlineSnapshot, now: SignalRows, catalogue: Catalogue, day: int
) -> tuple[RefreshResult, str, str]:
    """Return a refresh as of a day, its snapshot's id, and that of one made anew."""
    result = refresh(now, catalogue, to_datetime(day), earlier)
    with TemporaryDirectory() as directory:
        again = write_snapshot(result.contents, Path(directory, "refreshed"))
        return result, again, written(now, catalogue, day, Path(directory, "anew"))


@dataclass(frozen=True)
class Past:
    """A world whose last event is long ago, and its snapshots of a quiet day."""

    frames: Frames
    signals: SignalRows
    snapshot: OnlineSnapshot


@pytest.fixture(scope="module")
def past() -> Iterator[Past]:
    frames = random_world(5)
    signals = build_signals(frames)
    with made_once(signals, SMALL, QUIET) as snapshot:
        yield Past(frames, signals, snapshot)


@pytest.fixture(scope="module")
def least_past(past: Past) -> Iterator[Past]:
    with made_once(past.signals, LEAST, QUIET) as snapshot:
        yield replace(past, snapshot=snapshot)


@given(
    seed=st.integers(0, 1000),
    since=st.integers(FIRST_DAY, FIRST_DAY + DAYS + 40),
    later=st.one_of(st.integers(0, 9), st.integers(0, 500)),
)
@settings(max_examples=5, deadline=None)
def test_refresh_is_what_is_made_anew(seed: int, since: int, later: int) -> None:
    frames = random_world(seed)
    now = build_signals(frames)
    with made_once(build_signals(filter_known(frames, since)), SMALL, since) as earlier:
        result, again, anew = refreshed(earlier, now, SMALL, since + later)
    assert result.full_reason is None
    assert again == anew
    for level, one in result.contents.levels.items():
        assert 0 <= result.computed[level] <= len(one.keys)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_refresh_of_the_whole_catalogue_is_what_is_made_anew(seed: int) -> None:
    frames, since = random_world(seed), FIRST_DAY + 30 * seed + 20
    now = build_signals(frames)
    with made_once(build_signals(filter_known(frames, since)), CATALOGUE, since) as earlier:
        result, again, anew = refreshed(earlier, now, CATALOGUE, since + 7 * seed + 1)
    assert (result.full_reason, again) == (None, anew)


def with_order(frames: Frames, day: int) -> Frames:
    """Add an order of the listing US-P1 on a day."""
    at = START + pd.Timedelta(days=day - FIRST_DAY)
    ids = {"order_line_id": "late", "order_id": "late", "listing_id": "US-P1", "buyer_key": "new"}
    line = {**ids, "units": 1, "unit_price_minor": 1, "event_time": at, "available_at": at}
    orders = pd.concat([frames["orders"].astype(object), pd.DataFrame([line], dtype=object)])
    return {**frames, "orders": cast_types("orders", orders)}


def test_only_keys_that_something_happened_to_are_computed(past: Past) -> None:
    now = build_signals(with_order(past.frames, QUIET + 3))
    result, again, anew = refreshed(past.snapshot, now, SMALL, QUIET + 5)
    assert again == anew
    assert result.computed == {
        Level.LISTING: 1,
        Level.PRODUCT: 1,
        Level.SUPPLIER: 0,
        Level.SUPPLIER_CATEGORY: 1,
        Level.CREATOR: 0,
        Level.CATEGORY_MARKET: 1,
        Level.MARKET: 1,
    }


def test_nothing_is_computed_when_nothing_happened(past: Past) -> None:
    result, again, anew = refreshed(past.snapshot, past.signals, SMALL, QUIET + 30)
    assert again == anew
    assert set(result.computed.values()) == {0}


def heavier(frames: Frames) -> Frames:
    return {**frames, "products": frames["products"].assign(weight_g=777.0, unit_cost_minor=5)}


def run_by_others(frames: Frames) -> Frames:
    listings = frames["listings"]
    modes = listings["mode"].map({"self_run": "full_managed"}).fillna("self_run")
    return {**frames, "listings": listings.assign(mode=modes)}


def with_new_product(frames: Frames) -> Frames:
    return listed_on(frames, QUIET + 1)


def listed_late(frames: Frames) -> Frames:
    """Add a listing that went live before the earlier snapshot, which nobody had told it of."""
    return listed_on(frames, QUIET - 2)


def listed_on(frames: Frames, day: int) -> Frames:
    product = frames["products"].iloc[[0]].assign(product_id="P9", supplier_id="S9")
    listing = (
        frames["listings"]
        .iloc[[0]]
        .assign(
            listing_id="US-P9",
            product_id="P9",
            listed_at=START + pd.Timedelta(days=day - FIRST_DAY),
        )
    )
    return {
        **frames,
        "products": pd.concat([frames["products"], product], ignore_index=True),
        "listings": pd.concat([frames["listings"], listing], ignore_index=True),
    }


@pytest.mark.parametrize(
    ("change", "computed"),
    [(heavier, 0), (run_by_others, 0), (with_new_product, 1)],
    ids=["correction", "mode", "product"],
)
def test_what_has_no_time_is_followed_too(
    change: Callable[[Frames], Frames], computed: int, past: Past
) -> None:
    now = build_signals(change(past.frames))
    result, again, anew = refreshed(past.snapshot, now, SMALL, QUIET + 1)
    assert (result.full_reason, again) == (None, anew)
    assert result.computed[Level.PRODUCT] == computed


def moved(frames: Frames) -> Frames:
    return {**frames, "products": frames["products"].assign(category=["c1", "c1", "c0"])}


def shortened(frames: Frames) -> Frames:
    gone = frames["listings"].listing_id == "US-P0"
    return {**frames, "listings": frames["listings"][~gone]}


def forgotten(frames: Frames) -> Frames:
    return {**frames, "reviews": frames["reviews"].iloc[3:]}


def cheaper(frames: Frames) -> Frames:
    return {**frames, "listings": frames["listings"].assign(list_price_minor=7)}


def exchanged(frames: Frames) -> Frames:
    """Take a known order away, and add one that is said to have been known for a year."""
    orders = frames["orders"]
    known = orders.available_at.notna()
    without = {**frames, "orders": orders.drop(orders.index[known][:1])}
    return with_order(without, QUIET - 365)


def rated_otherwise(frames: Frames) -> Frames:
    return {**frames, "reviews": frames["reviews"].assign(rating=6 - frames["reviews"].rating)}


def without_audits(frames: Frames) -> Frames:
    return {name: frame for name, frame in frames.items() if name != "supplier_audits"}


@pytest.mark.parametrize(
    ("change", "because"),
    [
        (moved, "another category or supplier"),
        (shortened, "changed since in listings"),
        (listed_late, "changed since in listings"),
        (cheaper, "changed since in listings"),
        (forgotten, "known on 2025-12-31 were added, removed or changed since in reviews"),
        (exchanged, "changed since in orders"),
        (rated_otherwise, "changed since in reviews"),
        (without_audits, "changed since in supplier_audits"),
    ],
)
def test_all_keys_are_computed_where_the_past_is_another_and_the_reason_is_told(
    change: Callable[[Frames], Frames], because: str, least_past: Past
) -> None:
    now = build_signals(change(least_past.frames))
    result, again, anew = refreshed(least_past.snapshot, now, LEAST, QUIET + 1)
    assert again == anew
    assert result.full_reason is not None
    assert because in result.full_reason
    assert result.computed[Level.LISTING] == len(result.contents.levels[Level.LISTING].keys)


def test_all_keys_are_computed_after_a_change_of_engine(least_past: Past, tmp_path: Path) -> None:
    contents = materialise(least_past.signals, LEAST, to_datetime(QUIET))
    about = contents.about.model_copy(update={"hashed_by": "duckdb 0.1.0"})
    write_snapshot(replace(contents, about=about), tmp_path)
    with closing(OnlineSnapshot.open(tmp_path)) as earlier:
        because = refresh(least_past.signals, LEAST, to_datetime(QUIET), earlier).full_reason
    assert because == (
        f"its rows were hashed by duckdb 0.1.0; {contents.about.hashed_by} may hash them "
        "differently"
    )


def test_all_keys_are_computed_after_a_change_of_features_or_horizons(past: Past) -> None:
    fewer = Catalogue(request_fields=SMALL.request_fields, features=SMALL.features[:-1])
    others = build_stored_rows(Engine(past.frames).dataset, Horizons())
    reasons = [
        refresh(signals, catalogue, to_datetime(QUIET), past.snapshot).full_reason
        for signals, catalogue in ((past.signals, fewer), (others, SMALL))
    ]
    assert reasons == [
        "the features, or the code that computes them, have changed",
        "the horizons have changed",
    ]
    with pytest.raises(
        SnapshotIsLaterError, match="is of 2025-12-31, later than the requested 2025-12-30"
    ):
        refresh(past.signals, SMALL, to_datetime(QUIET - 1), past.snapshot)
