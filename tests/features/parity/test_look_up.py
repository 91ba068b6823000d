"""Parity where a key is missing or new: what a look-up gives is what training saw, to the bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.catalogue.catalogue import CATALOGUE
from features.dataset.days import to_datetime
from features.declarations.levels import Level
from features.online.snapshot import LookupKeys, OnlineSnapshot
from features.online.writer import write_snapshot
from features.point_in_time.signal_rows import build_stored_rows
from features.point_in_time.snapshot_values import materialise
from tests.worlds.market_rows import KEYS, build_matrix, build_rows
from tests.worlds.random_markets import FIRST_DAY, HORIZONS, Engine, random_world


@pytest.mark.parametrize("absent", [(), ("returns", "creator_stats", "supplier_audits")])
def test_design_matrix_of_a_look_up_is_that_of_training_bit_for_bit(
    absent: tuple[str, ...], tmp_path: Path
) -> None:
    world = random_world(4, orders=200)
    engine = Engine({name: frame for name, frame in world.items() if name not in absent})
    signals = build_stored_rows(engine.dataset, HORIZONS)
    day = FIRST_DAY + 101
    trained = build_rows(signals, (day,))
    assert trained.supplier_id.isna().any()
    assert trained.creator_id.isna().any()
    write_snapshot(materialise(signals, CATALOGUE, to_datetime(day)), tmp_path)
    online = OnlineSnapshot.open(tmp_path)
    asked = {name: [None if pd.isna(key) else key for key in trained[name]] for name in KEYS}
    found = online.look_up(LookupKeys(**asked))
    expected, answered = build_matrix(trained), build_matrix(trained.assign(**found.columns))
    names = [declared.name for declared in CATALOGUE.declarations]
    differing = [
        name
        for name, ours, theirs in zip(names, expected.T, answered.T, strict=True)
        if np.ascontiguousarray(ours).tobytes() != np.ascontiguousarray(theirs).tobytes()
    ]
    assert differing == []
    assert found.found[Level.CREATOR].any()
    assert not found.found[Level.CREATOR].all()
