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
    """Return a catalogue with one feature of each signal and kind, and of each kind and level."""
    base = CATALOGUE.base[::-1]  # so that the first of each is kept
    of_signals = {(feature.signal, type(feature)): feature for feature in base}
    of_levels = {(feature.level, type(feature)): feature for feature in base}
    features = tuple(dict.fromkeys([*of_signals.values(), *of_levels.values()]))
    return Catalogue(request_fields=CATALOGUE.request_fields, features=features)
