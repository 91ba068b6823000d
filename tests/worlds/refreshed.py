"""A random market looked at twice: what its source held at an earlier moment, and later."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from features.catalogue.catalogue import CATALOGUE, Catalogue
from features.point_in_time.signal_rows import SignalRows, build_stored_rows
from tests.worlds.random_markets import EVENT_TABLES, FIRST_DAY, HORIZONS, Engine
from tests.worlds.tables import START, Frames


def build_signals(frames: Mapping[str, pd.DataFrame]) -> SignalRows:
    return build_stored_rows(Engine(frames).dataset, HORIZONS)


def filter_known(frames: Frames, day: int) -> Frames:
    """Return what a source holds on a day: events known by then, and those never to be known."""
    moment = START + pd.Timedelta(days=day - FIRST_DAY)
    return {
        name: frame[frame.available_at.isna() | (frame.available_at <= moment)]
        if name in EVENT_TABLES
        else frame
        for name, frame in frames.items()
    }


def minimal_catalogue() -> Catalogue:
    """Return few features that together have each signal and kind, and each kind and level.

    A feature with most of what is missing is added until nothing is.
    """
    pairs = {
        feature: {(feature.signal, type(feature)), (feature.level, type(feature))}
        for feature in CATALOGUE.base[::-1]
    }
    missing, chosen = set[tuple[object, type]]().union(*pairs.values()), []
    while missing:
        chosen.append(max(pairs, key=lambda feature: len(pairs[feature] & missing)))
        missing -= pairs[chosen[-1]]
    return Catalogue(request_fields=CATALOGUE.request_fields, features=tuple(chosen))
